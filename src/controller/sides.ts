/** The two sides of a release as they stand: what derives from it, or what people wrote for a pair. */
import { colorName, LABEL_COLOR, LABEL_REVISION, revisionObjectName } from '../api/names.ts';
import { COLORS, type Color } from '../api/status.ts';
import { standingOn } from '../api/workload.ts';
import type { Deployment } from '../kube/types.ts';
import type { RevisionFacts } from '../release/facts.ts';
import type { RevisionView, SideView } from '../release/snapshot.ts';
import { contentOf } from '../workload/content.ts';
import { type ReleaseRef, renderColor } from '../workload/render.ts';
import { matchesSelector } from '../workload/selector.ts';
import { BY_RELEASE, type Cache, keyOf, type Reader } from './cache.ts';
import { copyViews } from './named-config.ts';
import { type Pair, pairedSide } from './pair.ts';
import { autoscalerView, budgetView, deploymentView } from './views/color.ts';
import { podView } from './views/pod.ts';
import { storedContent } from './views/revision.ts';
import { WORKLOADS } from './workloads.ts';
import { lastWriter } from './writers.ts';

export async function sidesOf(
  reader: Reader,
  release: ReleaseRef,
  pair: Pair | undefined,
  revisions: readonly RevisionView[],
): Promise<Readonly<Record<Color, SideView>>> {
  const view = async (color: Color): Promise<SideView> => {
    const side = inOrder(
      pair === undefined
        ? sideOf(reader.cache, release, color)
        : pairedSide(reader.cache, release, color, pair[color], revisions),
    );
    // A side of a pair that never had the traffic is people's to edit.
    const isKept = pair === undefined || revisions.some(({ facts }) => isCommitted(facts, color));
    return isKept ? withEditor(reader, release, side) : side;
  };
  const [blue, green] = await Promise.all([view('blue'), view('green')]);
  return { blue, green };
}

/**
 * A cache has them in the order in which it heard of them. What is told of the first of several would be another one in
 * each process, and two of them would write each other's status away for ever.
 */
function inOrder(side: SideView): SideView {
  return { ...side, pods: side.pods.toSorted((a, b) => (a.name < b.name ? -1 : 1)) };
}

function isCommitted(facts: RevisionFacts | undefined, color: Color): boolean {
  return facts?.color === color && facts.outcome?.kind === 'Committed';
}

/** Asked only where a colour's template is not its revision's. */
async function withEditor({ client }: Reader, release: ReleaseRef, side: SideView): Promise<SideView> {
  const { deployment, color } = side;
  if (deployment === undefined || deployment.matches || !deployment.ours) return side;
  const { kind, name } = standingOn(release, color);
  const key = { namespace: release.namespace, name };
  const writer = await lastWriter(client, WORKLOADS[kind].type, key, ['spec', 'template']);
  return { ...side, deployment: { ...deployment, writer } };
}

function sideOf(cache: Cache, release: ReleaseRef, color: Color): SideView {
  const key = { namespace: release.namespace, name: colorName(release.name, color) };
  const deployment = deploymentOf(cache, release, color);
  const autoscaler = cache.autoscalers.get(key);
  const budget = cache.budgets.get(key);
  const pods = podsOf(cache, release).filter(
    ({ metadata }) => metadata.labels?.[LABEL_COLOR] === color && metadata.deletionTimestamp === undefined,
  );
  return {
    color,
    deployment,
    autoscaler: autoscaler && autoscalerView(autoscaler, release, color),
    budget: budget && budgetView(budget, release, color),
    pods: pods.map(podView),
    copies: copyViews(cache, release, color),
  };
}

/** Those that would select pods of a colour: of one that stands, or of one that would be made of what is wished for. */
export function foreignBudgets(cache: Cache, release: ReleaseRef, wished: Deployment | undefined): string[] {
  if (release.spec.podDisruptionBudget === undefined) return [];
  const own = COLORS.map((color) => colorName(release.name, color));
  const others = cache.budgets
    .list(release.namespace)
    .filter(({ metadata, spec }) => spec.selector !== undefined && !own.includes(metadata.name));
  // Mostly there are none, and what is wished for need not be rendered.
  if (others.length === 0) return [];
  const pods = COLORS.flatMap((color) => {
    const key = { namespace: release.namespace, name: colorName(release.name, color) };
    const standing = cache.deployments.get(key)?.spec.template.metadata?.labels;
    const made =
      wished && renderColor(release, color, '', contentOf(wished), 0).spec.template.metadata?.labels;
    return [standing, made].filter((labels) => labels !== undefined);
  });
  return others
    .filter(({ spec: { selector = {} } }) => pods.some((labels) => matchesSelector(selector, labels)))
    .map(({ metadata }) => metadata.name)
    .sort();
}

function deploymentOf(cache: Cache, release: ReleaseRef, color: Color): SideView['deployment'] {
  const deployment = cache.deployments.get({
    namespace: release.namespace,
    name: colorName(release.name, color),
  });
  return deployment && deploymentView(deployment, release, storedFor(cache, release, deployment));
}

function storedFor(
  cache: Cache,
  release: ReleaseRef,
  deployment: Deployment,
): ReturnType<typeof storedContent> {
  const name = revisionObjectName(release.name, deployment.metadata.labels?.[LABEL_REVISION] ?? '');
  return storedContent(cache.revisions.get({ namespace: release.namespace, name }));
}

export function podsOf(cache: Cache, release: ReleaseRef): ReturnType<Cache['pods']['list']> {
  return cache.pods.byIndex(BY_RELEASE, keyOf(release.namespace, release.name));
}
