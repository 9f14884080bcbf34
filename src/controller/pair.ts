/** The two workloads of a pair, as people wrote them: from the cache once they carry our label, before that by name. */
import {
  ANNOTATION_CAPACITY_LOCK,
  LABEL_CONTROLLER_REVISION_HASH,
  LABEL_POD_TEMPLATE_HASH,
  LABEL_RELEASE,
} from '../api/names.ts';
import type { PairMember } from '../api/schema/pair.ts';
import { COLORS, type Color } from '../api/status.ts';
import {
  type Deployment,
  HORIZONTAL_POD_AUTOSCALERS,
  type HorizontalPodAutoscaler,
  type Pod,
} from '../kube/types.ts';
import { otherColor } from '../release/endpoints.ts';
import { revisionHeld } from '../release/pair.ts';
import type {
  ColorDeploymentView,
  PairedAutoscalerView,
  PairedView,
  PairView,
  RevisionView,
  SideView,
} from '../release/snapshot.ts';
import { parseLock } from '../workload/lock.ts';
import type { ReleaseRef } from '../workload/render.ts';
import { matchesSelector } from '../workload/selector.ts';
import { BY_RELEASE, type Cache, keyOf, type Reader } from './cache.ts';
import { pairedIdentity } from './identities.ts';
import { deploymentView, isAmbiguous } from './views/color.ts';
import { podView } from './views/pod.ts';
import { WORKLOADS } from './workloads.ts';

/** What the spec names, as it stands. */
export type Pair = Readonly<Record<Color, PairedObjects>>;

interface PairedObjects {
  readonly workload: Deployment | undefined;
  readonly autoscaler: HorizontalPodAutoscaler | undefined;
}

/** undefined: it is another kind of workload. */
export async function readPair(reader: Reader, release: ReleaseRef): Promise<Pair | undefined> {
  const { pair: spec } = release.spec.workload;
  if (spec === undefined) return undefined;
  const [blue, green] = await Promise.all(
    COLORS.map((color) => readMember(reader, release.namespace, spec[color])),
  );
  return { blue, green } as Pair;
}

async function readMember(
  { cache, client }: Reader,
  namespace: string,
  { kind, name, autoscalerRef }: PairMember,
): Promise<PairedObjects> {
  const key = { namespace, name };
  const { type, store } = WORKLOADS[kind];
  const [workload, autoscaler] = await Promise.all([
    store(cache).get(key) ?? client.get<Deployment>(type, key),
    autoscalerRef &&
      (cache.autoscalers.get({ namespace, name: autoscalerRef.name }) ??
        client.get<HorizontalPodAutoscaler>(HORIZONTAL_POD_AUTOSCALERS, {
          namespace,
          name: autoscalerRef.name,
        })),
  ]);
  return { workload, autoscaler };
}

export function pairView(cache: Cache, release: ReleaseRef, pair: Pair): PairView {
  const named = COLORS.map((color) => release.spec.workload.pair?.[color].autoscalerRef?.name);
  return {
    blue: pairedView(release, pair, 'blue'),
    green: pairedView(release, pair, 'green'),
    leftovers: cache.autoscalers
      .byIndex(BY_RELEASE, keyOf(release.namespace, release.name))
      .filter(({ metadata }) => !named.includes(metadata.name))
      .map(autoscalerOf),
  };
}

function pairedView(release: ReleaseRef, pair: Pair, color: Color): PairedView {
  const { workload, autoscaler } = pair[color];
  const { selectorLabel } = release.spec.traffic;
  const labels = workload?.spec.template.metadata?.labels ?? {};
  const other = pair[otherColor(color)].workload?.spec.template.metadata?.labels;
  const wanted = Object.entries({ [LABEL_RELEASE]: release.name, [selectorLabel]: color });
  return {
    claimedBy: workload?.metadata.labels?.[LABEL_RELEASE],
    lacks: wanted.filter(([key, value]) => labels[key] !== value).map(([key, value]) => `${key}: ${value}`),
    selectsOther:
      workload !== undefined && other !== undefined && matchesSelector(workload.spec.selector, other),
    colorless: workload && pairedIdentity(workload, selectorLabel).colorless,
    autoscaler: autoscaler && autoscalerOf(autoscaler),
  };
}

/** A minimum that is not the one we wrote was written by people since: it is theirs from now on. */
function autoscalerOf({ metadata, spec }: HorizontalPodAutoscaler): PairedAutoscalerView {
  const { minReplicas = 1, maxReplicas, scaleTargetRef } = spec;
  const lock = parseLock(metadata.annotations);
  return {
    name: metadata.name,
    uid: metadata.uid ?? '',
    claimedBy: metadata.labels?.[LABEL_RELEASE],
    target: { kind: scaleTargetRef.kind, name: scaleTargetRef.name },
    minReplicas,
    maxReplicas,
    own: lock?.written === minReplicas ? lock.own : minReplicas,
    note: metadata.annotations?.[ANNOTATION_CAPACITY_LOCK],
    overwrittenSince: lock === undefined || lock.written === minReplicas ? undefined : lock.at,
  };
}

/** What a side of a pair is, in the words of every other workload: its revision is known by its content. */
export function pairedSide(
  cache: Cache,
  release: ReleaseRef,
  color: Color,
  { workload, autoscaler }: PairedObjects,
  revisions: readonly RevisionView[],
): SideView {
  const pods = workload === undefined ? [] : podsOn(cache, release, color, workload);
  const deployment = workload && workloadView(release, color, workload, pods, revisions);
  return {
    color,
    deployment,
    autoscaler: autoscaler && {
      uid: autoscaler.metadata.uid ?? '',
      ours: true,
      minReplicas: autoscaler.spec.minReplicas ?? 1,
      maxReplicas: autoscaler.spec.maxReplicas,
      matches: true,
      ambiguous: isAmbiguous(autoscaler),
    },
    budget: undefined,
    pods: workload === undefined ? [] : podViews(workload, pods, deployment),
    copies: [],
  };
}

function workloadView(
  release: ReleaseRef,
  color: Color,
  workload: Deployment,
  pods: readonly Pod[],
  revisions: readonly RevisionView[],
): ColorDeploymentView {
  const { fingerprint } = pairedIdentity(workload, release.spec.traffic.selectorLabel);
  const held = revisionHeld(revisions, color, fingerprint);
  const view = { ...deploymentView(workload, release, undefined), ...counted(workload, pods) };
  const matches = held !== undefined;
  return { ...view, revision: held?.name, matches, fingerprint, carriesStated: true };
}

/**
 * A StatefulSet's status counts pods that are ending among all of them, and not among those of the latest template:
 * while one ends it would look like a rollout. Its pods say themselves which template they are of.
 */
function counted(
  { status }: Deployment,
  pods: readonly Pod[],
): Partial<Pick<ColorDeploymentView, 'pods' | 'updated'>> {
  const latest = status?.updateRevision;
  if (latest === undefined) return {};
  return { pods: pods.length, updated: pods.filter((pod) => hashOf(pod) === latest).length };
}

/** The pods of a side that are not ending. */
function podsOn(cache: Cache, release: ReleaseRef, color: Color, { spec }: Deployment): Pod[] {
  const { selectorLabel } = release.spec.traffic;
  return cache.pods
    .byIndex(BY_RELEASE, keyOf(release.namespace, release.name))
    .filter(
      (pod) =>
        pod.metadata.deletionTimestamp === undefined &&
        pod.metadata.labels?.[selectorLabel] === color &&
        matchesSelector(spec.selector, pod.metadata.labels),
    );
}

/**
 * Pods carry the hash of a template, and not the name of a revision. Of a StatefulSet the status says which hash is the
 * latest. Those of a Deployment are of the revision that stands there when all of them are of one template and the
 * workload's controller says that it is that.
 */
function podViews(
  { status }: Deployment,
  pods: readonly Pod[],
  view: ColorDeploymentView | undefined,
): SideView['pods'] {
  const latest = status?.updateRevision;
  const hashes = new Set(pods.map(hashOf));
  const isAll = view?.observed && view.pods === view.updated && hashes.size <= 1;
  return pods.map((pod) => {
    const isLatest = latest === undefined ? isAll : view?.observed && hashOf(pod) === latest;
    return { ...podView(pod), revision: isLatest ? view?.revision : undefined };
  });
}

const hashOf = ({ metadata: { labels } }: Pod): string | undefined =>
  labels?.[LABEL_CONTROLLER_REVISION_HASH] ?? labels?.[LABEL_POD_TEMPLATE_HASH];
