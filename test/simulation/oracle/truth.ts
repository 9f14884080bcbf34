/** What is so in the cluster, read from its objects and its endpoints: never from what operator code thinks. */
import { memo } from '../../../src/api/memo.ts';
import { LABEL_REVISION } from '../../../src/api/names.ts';
import { type BlueGreenReleaseObject, RELEASES } from '../../../src/api/resource.ts';
import { COLORS, type Color } from '../../../src/api/status.ts';
import {
  CONTROLLER_REVISIONS,
  type ControllerRevision,
  DEPLOYMENTS,
  type Deployment,
  PODS,
  type Pod,
  SERVICES,
  type Service,
} from '../../../src/kube/types.ts';
import { parseFacts, type RevisionFacts } from '../../../src/release/facts.ts';
import type { Api } from '../cluster/api.ts';
import { isReady } from '../cluster/deployments.ts';
import { nameOfRevision } from '../content.ts';
import { RELEASE, SERVICE } from '../scenario.ts';
import { imageOfDeployment, LABEL, readyEndpoints, type World } from '../world.ts';

export interface RevisionTruth {
  readonly name: string;
  /** All of its content, as `nameOfRevision` has it. */
  readonly image: string;
  readonly facts: RevisionFacts;
  readonly frozen: {
    gates?: { name: string }[];
    preparation?: { warmUp?: { requests: number } };
    observation?: {
      checks?: { onUnknown?: string }[];
      availability?: { minReadyPercent?: number };
    };
  };
}

export interface Truth {
  release(): BlueGreenReleaseObject | undefined;
  service(): Service | undefined;
  /** The colour that production selects. */
  selected(): string | undefined;
  deployment(color: Color): Deployment | undefined;
  readyPods(color: Color): Pod[];
  /** The revision that could take over on this colour: committed, not rejected, and all ready pods are its own. */
  keptOn(color: Color): string | undefined;
  revisions(): readonly RevisionTruth[];
  hasRevisions(): boolean;
  /** Ready endpoints behind a Service. */
  ready(service: string): number;
}

export function createTruth(world: World): Truth {
  const { api } = world;
  const service = (): Service | undefined => api.get<Service>(SERVICES, SERVICE);
  let known: { version: number; uid: string | undefined; revisions: readonly RevisionTruth[] } | undefined;

  function revisions(): readonly RevisionTruth[] {
    const version = api.versionOf(CONTROLLER_REVISIONS);
    const uid = ownerOf(api);
    if (known?.version !== version || known.uid !== uid)
      known = { version, uid, revisions: ownRevisions(api).flatMap(readRevision) };
    return known.revisions;
  }

  const readyPods = (color: Color): Pod[] =>
    api
      .list<Pod>(PODS)
      .filter(
        (pod) =>
          pod.metadata.labels?.[LABEL] === color &&
          pod.metadata.deletionTimestamp === undefined &&
          isReady(pod),
      );

  function keptOn(color: Color): string | undefined {
    const deployment = api.get<Deployment>(DEPLOYMENTS, `${RELEASE}-${color}`);
    const name = deployment?.metadata.labels?.[LABEL_REVISION];
    const held = newestFirst(revisions()).find(
      ({ facts }) =>
        facts.color === color && facts.outcome?.kind === 'Committed' && facts.rejected === undefined,
    );
    const pods = readyPods(color);
    const own = pods.filter((pod) => pod.metadata.labels?.[LABEL_REVISION] === name);
    const serves = pods.length > 0 && own.length === pods.length;
    return serves && held?.name === name && imageOfDeployment(world, deployment) === held?.image
      ? name
      : undefined;
  }

  return {
    release: () => api.get<BlueGreenReleaseObject>(RELEASES, RELEASE),
    service,
    selected: () => service()?.spec.selector?.[LABEL],
    deployment: (color) => api.get<Deployment>(DEPLOYMENTS, `${RELEASE}-${color}`),
    readyPods,
    keptOn,
    revisions,
    hasRevisions: () => ownRevisions(api).length > 0,
    ready: (name) => readyEndpoints(api, name).length,
  };
}

/** Those of an earlier release of this name tell of another life. */
export function ownRevisions(api: Api): ControllerRevision[] {
  const uid = ownerOf(api);
  return api
    .list<ControllerRevision>(CONTROLLER_REVISIONS)
    .filter(({ metadata }) => metadata.ownerReferences?.some((owner) => owner.uid === uid));
}

const ownerOf = (api: Api): string | undefined => api.get(RELEASES, RELEASE)?.metadata.uid;

export const readRevision: (revision: ControllerRevision) => readonly RevisionTruth[] = memo(readAnew);

function readAnew({ metadata, data }: ControllerRevision): RevisionTruth[] {
  const facts = parseFacts(metadata.annotations?.['bluegreen.dev/facts']);
  if (facts === undefined) return [];
  const { spec } = data as any;
  const image = nameOfRevision(data as never);
  return [{ name: metadata.labels?.[LABEL_REVISION] ?? '', image, facts, frozen: spec }];
}

/** By attempt; of two that were begun at once, the one with the higher number. */
export const newestFirst: (all: readonly RevisionTruth[]) => readonly RevisionTruth[] = memo((all) =>
  all.toSorted(isNewerThan),
);

function isNewerThan(a: RevisionTruth, b: RevisionTruth): number {
  return b.facts.attempt - a.facts.attempt || Number(b.name.slice(1)) - Number(a.name.slice(1));
}

/** What the facts say is active, where no release is under way. */
export function recorded(revisions: readonly RevisionTruth[]): RevisionTruth | undefined {
  const all = newestFirst(revisions);
  return all[0]?.facts.outcome === undefined ? undefined : lastKept(all);
}

/** The last that was committed, and not rejected since. */
export function lastKept(revisions: readonly RevisionTruth[]): RevisionTruth | undefined {
  return newestFirst(revisions).find(
    ({ facts }) => facts.outcome?.kind === 'Committed' && facts.rejected === undefined,
  );
}

export function isColor(text: string | undefined): text is Color {
  return COLORS.some((color) => color === text);
}
