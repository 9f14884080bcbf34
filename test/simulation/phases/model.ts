/**
 * The smallest cluster in which everything about a release can still happen: one Service, one pod a side, three
 * contents. Worlds are values; what `decide` orders is carried out at once, and only as its precondition allows.
 *
 * Left out: pods of one side that differ, autoscalers, the recycling of pods, previews, the end of the release, and input that is wrong. The simulator has those.
 */

import type { Measurement } from '../../../src/analysis/measurement.ts';
import { memo } from '../../../src/api/memo.ts';
import { LABEL_COLOR } from '../../../src/api/names.ts';
import { type ReleaseSpec, specSchema } from '../../../src/api/schema.ts';
import { COLORS, type Color, type ReleaseStatus } from '../../../src/api/status.ts';
import { formatFacts, type RevisionFacts } from '../../../src/release/facts.ts';
import { parseMark } from '../../../src/release/mark.ts';
import { rolesOf } from '../../../src/release/roles.ts';
import type {
  Endpoint,
  JobView,
  PodView,
  ServiceView,
  SideView,
  Snapshot,
  SourceView,
} from '../../../src/release/snapshot.ts';
import { preflightKey } from '../../../src/release/start.ts';
import { endpointsOf as listed, world } from '../../unit/release/world.ts';

const UID = 'uid';
const RELEASE = 'checkout';
const SERVICE = 'checkout';
export const START: number = Date.UTC(2026, 0, 1);

export const SPEC: ReleaseSpec = specSchema.parse({
  workload: { deploymentRef: { name: RELEASE } },
  traffic: { services: [{ name: SERVICE }], convergeSeconds: 30, drainSeconds: 30 },
  preparation: { deadlineSeconds: 60 },
  gates: [
    {
      name: 'smoke',
      job: { spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'smoke' }] } } } },
    },
  ],
  observation: {
    durationSeconds: 90,
    checks: [
      { name: 'errors', intervalSeconds: 30, failureLimit: 1, prometheus: { query: 'errors', max: '0.01' } },
    ],
  },
  rollback: { windowSeconds: 120 },
  historyLimit: 2,
});

const SUSPENDED: ReleaseSpec = { ...SPEC, suspend: true };

/** What the model has no say in stands as the rules' own tests have it. */
const BASE: Snapshot = world();

export interface Pod {
  readonly revision: string;
  readonly content: string;
  readonly ready: boolean;
}

export interface Side {
  readonly revision: string;
  readonly desired: number;
  /** At most one of each revision, which stands for all of it: they become ready, and die, together. */
  readonly pods: readonly Pod[];
}

export interface Revision {
  readonly number: number;
  readonly content: string;
  readonly facts: RevisionFacts;
}

export interface World {
  readonly now: number;
  /** What people wish for. */
  readonly wish: string;
  readonly suspend: boolean;
  readonly action: string | undefined;
  readonly finalizer: boolean;
  readonly source: {
    readonly replicas: number;
    readonly ready: boolean;
    readonly paused: boolean;
    readonly claimed: boolean;
    readonly parkedAt: number | undefined;
    /** The content of its pods. */
    readonly runs: string;
  };
  readonly service: {
    readonly color: Color | undefined;
    readonly mark: string | undefined;
    readonly switchedAt: number | undefined;
    readonly reason: string | undefined;
    readonly claimed: boolean;
    /** The selector that its endpoints follow as yet. */
    readonly followed: Color | undefined;
  };
  readonly sides: Readonly<Record<Color, Side | undefined>>;
  readonly revisions: readonly Revision[];
  readonly jobs: readonly Pick<JobView, 'revision' | 'attempt' | 'state' | 'deadlineExceeded'>[];
  readonly measured: Measurement | undefined;
  readonly status: ReleaseStatus;
}

/** The source serves, and a release of it has just been created. */
export const FRESH: World = {
  now: START,
  wish: 'v1',
  suspend: false,
  action: undefined,
  finalizer: false,
  source: { replicas: 1, ready: true, paused: false, claimed: false, parkedAt: undefined, runs: 'v1' },
  service: {
    color: undefined,
    mark: undefined,
    switchedAt: undefined,
    reason: undefined,
    claimed: false,
    followed: undefined,
  },
  sides: { blue: undefined, green: undefined },
  revisions: [],
  jobs: [],
  measured: undefined,
  status: {},
};

/** Worlds share them. */
export const rawFacts: (facts: RevisionFacts) => string = memo(formatFacts);

export function nameOf({ number }: Revision): string {
  return `r${number}`;
}

export function revisionNamed(world: World, name: string | undefined): Revision | undefined {
  return world.revisions.find((revision) => nameOf(revision) === name);
}

/** Each pod by its uid: of the revision that the side is to run as many as are desired, of older ones the last. */
function podsOf(world: World, color: Color): [string, Pod][] {
  const side = world.sides[color];
  return (side?.pods ?? []).flatMap((pod) => {
    const size = pod.revision === side?.revision ? side.desired : 1;
    return Array.from({ length: size }, (_, index): [string, Pod] => [
      `${color}-${pod.revision}-${index}`,
      pod,
    ]);
  });
}

export function readyOn(world: World, color: Color): readonly Pod[] {
  return world.sides[color]?.pods.filter(({ ready }) => ready) ?? [];
}

function endpointsOf(world: World, selected: Color | undefined): Endpoint[] {
  const { source } = world;
  const colors = selected === undefined ? COLORS : [selected];
  const own = colors.flatMap((color) => podsOf(world, color).map(([uid, { ready }]) => ({ uid, ready })));
  const isSource = selected === undefined && source.replicas > 0;
  return listed(isSource ? [...own, { uid: 'source', ready: source.ready }] : own);
}

function sideOf(world: World, color: Color): SideView {
  const side = world.sides[color];
  if (side === undefined)
    return { color, deployment: undefined, autoscaler: undefined, budget: undefined, pods: [], copies: [] };
  const { revision, desired } = side;
  const pods = podsOf(world, color);
  const content = revisionNamed(world, revision)?.content ?? revision;
  const ready = pods.filter(([, pod]) => pod.ready).length;
  return {
    color,
    autoscaler: undefined,
    budget: undefined,
    copies: [],
    pods: pods.map(
      ([uid, pod]): PodView => ({
        uid,
        name: uid,
        // Later than any switch: none of them is ever to be recycled.
        createdAt: Number.MAX_SAFE_INTEGER,
        revision: pod.revision,
        ready: pod.ready,
        readySince: pod.ready ? START : undefined,
        trouble: undefined,
        unschedulable: undefined,
      }),
    ),
    deployment: {
      uid: `${color}-uid`,
      resourceVersion: '1',
      ours: true,
      revision,
      matches: true,
      fingerprint: content,
      config: undefined,
      carriesStated: true,
      observed: true,
      desired,
      pods: pods.length,
      updated: pods.filter(([, pod]) => pod.revision === revision).length,
      ready,
      available: ready,
      replicaFailure: undefined,
      images: [],
      podLabels: { app: RELEASE },
      requests: { cpu: 0, memory: 0 },
    },
  };
}

export function snapshotOf(world: World): Snapshot {
  const { source, service, now } = world;
  const twin = (color: Color) => ({
    found: true,
    ours: true,
    matches: true,
    endpoints: endpointsOf(world, color),
  });
  const snapshot: Snapshot = {
    ...BASE,
    now,
    release: {
      ...BASE.release,
      namespace: 'shop',
      name: RELEASE,
      uid: UID,
      generation: 1,
      deleting: false,
      hasFinalizer: world.finalizer,
      spec: world.suspend ? SUSPENDED : SPEC,
      action: world.action,
    },
    previous: world.status,
    source: {
      ...(BASE.source as SourceView),
      name: RELEASE,
      uid: 'source-uid',
      resourceVersion: '1',
      replicas: source.replicas,
      ready: source.ready ? source.replicas : 0,
      pods: source.replicas,
      paused: source.paused,
      rolledOut: true,
      readyHash: undefined,
      readySets: source.ready && source.replicas > 0 ? [`checkout-${source.runs}`] : [],
      fingerprint: world.wish,
      podLabels: { app: RELEASE },
      ...(source.ready &&
        source.replicas > 0 && { live: { fingerprint: source.runs, replicaSet: `checkout-${source.runs}` } }),
      claimedBy: source.claimed ? RELEASE : undefined,
      parkedAt: source.parkedAt,
    },
    wish: { fingerprint: world.wish, podLabels: { app: RELEASE }, replicas: source.replicas },
    services: [
      {
        ...(BASE.services[0] as ServiceView),
        name: SERVICE,
        found: true,
        uid: 'service-uid',
        resourceVersion: '1',
        selector: selectorOf(service.color),
        rawMark: service.mark,
        mark: parseMark(service.mark, UID),
        switchedAt: service.switchedAt,
        switchReason: service.reason,
        claimedBy: service.claimed ? UID : undefined,
        labelled: service.claimed,
        endpoints: endpointsOf(world, service.followed),
        twins: { blue: twin('blue'), green: twin('green') },
      },
    ],
    sides: { blue: sideOf(world, 'blue'), green: sideOf(world, 'green') },
    foreignBudgets: [],
    revisions: world.revisions.map((revision) => ({
      name: nameOf(revision),
      number: revision.number,
      objectName: `${RELEASE}-${nameOf(revision)}`,
      resourceVersion: '1',
      fingerprint: revision.content,
      config: undefined,
      frozen: SPEC,
      rawFacts: rawFacts(revision.facts),
      facts: revision.facts,
    })),
    jobs: world.jobs.map((job) => ({
      ...job,
      name: `${RELEASE}-smoke-${job.attempt}`,
      uid: 'job-uid',
      gate: 'smoke',
      message: undefined,
    })),
    observations: {
      ...BASE.observations,
      measurements: world.measured === undefined ? {} : { errors: [world.measured] },
      preflight: undefined,
    },
  };
  const preflight = { key: preflightKey(snapshot, rolesOf(snapshot)), at: now, problems: [] };
  return { ...snapshot, observations: { ...snapshot.observations, preflight } };
}

export function selectorOf(color: Color | undefined): Record<string, string> {
  return { app: RELEASE, ...(color !== undefined && { [LABEL_COLOR]: color }) };
}
