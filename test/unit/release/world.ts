/**
 * Builds Snapshots for tests: a picture with sensible defaults goes in, a consistent cluster comes out. The endpoints
 * follow from the selector and the pods, as in a cluster at rest; `edit…` helpers then break what a test wants broken.
 */
import type { ReleaseSpecInput } from '../../../src/api/schema.ts';
import { specSchema } from '../../../src/api/schema.ts';
import { COLORS, type Color } from '../../../src/api/status.ts';
import type { RevisionFacts } from '../../../src/release/facts.ts';
import { formatFacts } from '../../../src/release/facts.ts';
import { parseMark } from '../../../src/release/mark.ts';
import { pairWish } from '../../../src/release/pair.ts';
import { rolesOf } from '../../../src/release/roles.ts';
import type {
  AutoscalerView,
  BudgetView,
  ColorDeploymentView,
  Endpoint,
  JobView,
  Observations,
  PairedView,
  PairView,
  PodView,
  ReleaseView,
  RevisionView,
  ServiceView,
  SideView,
  Snapshot,
  SourceView,
  WishView,
} from '../../../src/release/snapshot.ts';
import { preflightKey } from '../../../src/release/start.ts';

export const UID = 'uid-1';
export const LABEL = 'bluegreen.dev/color';
/** Noon, 1 June 2026. */
export const NOON: number = Date.UTC(2026, 5, 1, 12);
export const SECOND = 1000;
export const MINUTE: number = 60 * SECOND;
export const HOUR: number = 60 * MINUTE;

/** One colour: what its Deployment holds and how many pods of it are ready. */
export interface SidePicture {
  readonly revision?: string;
  readonly desired?: number;
  readonly ready?: number;
  readonly deployment?: Partial<ColorDeploymentView>;
  readonly pods?: readonly Partial<PodView>[];
  readonly autoscaler?: Partial<AutoscalerView>;
  readonly budget?: Partial<BudgetView>;
  readonly copies?: SideView['copies'];
}

export interface Picture {
  readonly now?: number;
  readonly spec?: Partial<ReleaseSpecInput>;
  readonly release?: Partial<ReleaseView>;
  readonly previous?: Snapshot['previous'];
  /** null: there is no such Deployment. */
  readonly source?: Partial<SourceView> | null;
  readonly config?: Partial<Snapshot['config']>;
  /** Absent: what the source says. */
  readonly wish?: WishView;
  /** The colour in the selector of every Service; undefined: as before the adoption. */
  readonly route?: Color | undefined;
  /** The switch annotation, as it stands. */
  readonly mark?: string | undefined;
  readonly switchedAt?: number;
  readonly switchReason?: string;
  readonly services?: readonly string[];
  readonly service?: Partial<ServiceView>;
  readonly previews?: Snapshot['previews'];
  readonly foreignBudgets?: readonly string[];
  /** The sides are people's: labelled and fit to take turns, unless it says otherwise. */
  readonly pair?: {
    readonly [Each in Color]?: Partial<PairedView>;
  } & { readonly leftovers?: PairView['leftovers'] };
  readonly leftovers?: Snapshot['leftovers'];
  readonly blue?: SidePicture;
  readonly green?: SidePicture;
  /** By name; the content of rN is vN unless `contents` says otherwise. */
  readonly revisions?: Readonly<Record<string, RevisionFacts | undefined>>;
  readonly contents?: Readonly<Record<string, string>>;
  readonly rejectedContent?: string;
  readonly jobs?: readonly Partial<JobView>[];
  readonly observations?: Partial<Observations>;
}

export function world(picture: Picture = {}): Snapshot {
  const spec = specOf(picture.spec);
  const source = sourceOf(picture.source);
  const sides = { blue: sideOf('blue', picture.blue), green: sideOf('green', picture.green) };
  const snapshot: Snapshot = {
    now: picture.now ?? NOON,
    release: {
      namespace: 'shop',
      name: 'checkout',
      uid: UID,
      generation: 1,
      deleting: false,
      deletedAt: undefined,
      namespaceEnding: false,
      onDelete: undefined,
      hasFinalizer: true,
      spec,
      action: undefined,
      ...picture.release,
    },
    previous: picture.previous ?? {},
    source,
    config: { found: undefined, missing: [], bytes: 0, ...picture.config },
    wish: picture.wish ?? (source && wishOf(source)),
    services: (picture.services ?? ['checkout']).map((name) => serviceOf(name, picture, sides, source)),
    previews: picture.previews ?? [],
    leftovers: picture.leftovers ?? [],
    sides,
    pair: picture.pair && pairOf(picture.pair, spec),
    foreignBudgets: picture.foreignBudgets ?? [],
    revisions: Object.entries(picture.revisions ?? {}).map(([name, facts]) =>
      revisionOf(name, facts, picture.contents?.[name] ?? name.replace('r', 'v'), spec),
    ),
    jobs: (picture.jobs ?? []).map(jobOf),
    observations: {
      measurements: {},
      warmUps: {},
      scrapes: {},
      preflight: undefined,
      refusals: {},
      patches: {},
      ...picture.observations,
    },
  };
  const wishing = snapshot.pair === undefined ? snapshot : { ...snapshot, wish: pairWish(snapshot) };
  return wishing.observations.preflight === undefined ? accepted(wishing) : wishing;
}

/** The API server and the metric sources accept the release. */
export function accepted(snapshot: Snapshot): Snapshot {
  const preflight = { key: preflightKey(snapshot, rolesOf(snapshot)), at: snapshot.now, problems: [] };
  return { ...snapshot, observations: { ...snapshot.observations, preflight } };
}

/** The smallest release, with three pods. */
export function specOf(input: Partial<ReleaseSpecInput> = {}): ReleaseView['spec'] {
  return specSchema.parse({
    workload: { deploymentRef: { name: 'checkout' } },
    traffic: { services: [{ name: 'checkout' }] },
    ...input,
  });
}

export function sourceOf(picture: Partial<SourceView> | null | undefined): SourceView | undefined {
  if (picture === null) return undefined;
  const replicas = picture?.replicas ?? 0;
  return {
    name: 'checkout',
    uid: 'source-uid',
    resourceVersion: '1',
    replicas,
    ready: replicas,
    pods: replicas,
    paused: false,
    rolledOut: true,
    readyHash: replicas > 0 ? 'abc' : undefined,
    readySets: picture?.live === undefined ? [] : [picture.live.replicaSet],
    fingerprint: 'v1',
    podLabels: { app: 'checkout' },
    autoscalers: [],
    claimedBy: 'checkout',
    storedAutoscaler: false,
    parkedAt: undefined,
    ...picture,
  };
}

function pairOf(given: NonNullable<Picture['pair']>, spec: ReleaseView['spec']): PairView {
  const side = (color: Color): PairedView => {
    const { autoscalerRef, kind = 'Deployment', name = '' } = spec.workload.pair?.[color] ?? {};
    return {
      claimedBy: 'checkout',
      lacks: [],
      selectsOther: false,
      colorless: `content of ${color}`,
      autoscaler: autoscalerRef && {
        name: autoscalerRef.name,
        uid: `hpa-${color}`,
        claimedBy: 'checkout',
        target: { kind, name },
        minReplicas: 1,
        maxReplicas: 10,
        own: 1,
        note: undefined,
        overwrittenSince: undefined,
      },
      ...given[color],
    };
  };
  return { blue: side('blue'), green: side('green'), leftovers: given.leftovers ?? [] };
}

function wishOf({ fingerprint, podLabels, replicas }: SourceView): WishView {
  return { fingerprint, podLabels, replicas };
}

function sideOf(color: Color, picture: SidePicture = {}): SideView {
  return {
    color,
    deployment: picture.revision === undefined ? undefined : deploymentOf(color, picture),
    autoscaler: picture.autoscaler && {
      uid: `hpa-${color}`,
      ours: true,
      minReplicas: 1,
      maxReplicas: 10,
      matches: true,
      ambiguous: false,
      ...picture.autoscaler,
    },
    budget: picture.budget && { uid: `pdb-${color}`, ours: true, asks: undefined, ...picture.budget },
    pods: podsOf(color, picture),
    copies: picture.copies ?? [],
  };
}

function deploymentOf(color: Color, picture: SidePicture): ColorDeploymentView {
  const ready = picture.ready ?? 0;
  const desired = picture.desired ?? ready;
  return {
    uid: `${color}-uid`,
    resourceVersion: '1',
    ours: true,
    revision: picture.revision,
    matches: true,
    fingerprint: picture.revision?.replace('r', 'v') ?? '',
    config: undefined,
    carriesStated: true,
    observed: true,
    desired,
    pods: desired,
    updated: desired,
    ready,
    available: ready,
    replicaFailure: undefined,
    images: ['shop/checkout:1'],
    requests: { cpu: 0, memory: 0 },
    podLabels: { app: 'checkout', [LABEL]: color },
    ...picture.deployment,
  };
}

function podsOf(color: Color, picture: SidePicture): PodView[] {
  const ready = picture.ready ?? 0;
  const count = picture.pods?.length ?? picture.desired ?? ready;
  return Array.from({ length: count }, (_, index) => ({
    uid: `${color}-pod-${index}`,
    name: `checkout-${color}-${index}`,
    createdAt: NOON,
    readySince: undefined,
    revision: picture.revision,
    ready: index < ready,
    trouble: undefined,
    unschedulable: undefined,
    ...picture.pods?.[index],
  }));
}

export function endpointsOf(pods: readonly { uid: string; ready: boolean }[]): Endpoint[] {
  return pods.map(({ uid, ready }) => ({ podUid: uid, ready, serving: ready, group: 'IPv4/http' }));
}

function serviceOf(
  name: string,
  picture: Picture,
  sides: Snapshot['sides'],
  source: SourceView | undefined,
): ServiceView {
  const { route, mark } = picture;
  const twin = (color: Color) => ({
    found: true,
    ours: true,
    matches: true,
    endpoints: endpointsOf(sides[color].pods),
  });
  return {
    name,
    found: true,
    uid: `${name}-uid`,
    resourceVersion: '1',
    type: 'ClusterIP',
    headless: false,
    ports: [80, 9090],
    locality: undefined,
    publishNotReadyAddresses: false,
    selector: { app: 'checkout', ...(route && { [LABEL]: route }) },
    rawMark: mark,
    mark: parseMark(mark, UID),
    switchedAt: mark === undefined ? undefined : (picture.switchedAt ?? NOON - MINUTE),
    switchReason: mark === undefined ? undefined : (picture.switchReason ?? 'Validated: all gates passed'),
    claimedBy: UID,
    labelled: true,
    endpoints: selected(route, sides, source),
    twins: { blue: twin('blue'), green: twin('green') },
    selectorWriter: undefined,
    ...picture.service,
  };
}

/** What the endpoints controller would list: with a key one colour's pods, without it everybody's. */
function selected(
  route: Color | undefined,
  sides: Snapshot['sides'],
  source: SourceView | undefined,
): Endpoint[] {
  if (route !== undefined) return endpointsOf(sides[route].pods);
  const sourcePods = Array.from({ length: source?.ready ?? 0 }, (_, index) => ({
    uid: `source-pod-${index}`,
    ready: true,
  }));
  return endpointsOf([...sourcePods, ...COLORS.flatMap((color) => sides[color].pods)]);
}

export function revisionOf(
  name: string,
  facts: RevisionFacts | undefined,
  fingerprint: string,
  frozen: ReleaseView['spec'],
): RevisionView {
  return {
    name,
    number: Number(name.slice(1)),
    objectName: `checkout-${name}`,
    resourceVersion: '1',
    fingerprint,
    config: undefined,
    frozen,
    rawFacts: facts && formatFacts(facts),
    facts,
  };
}

function jobOf(picture: Partial<JobView>): JobView {
  return {
    name: 'checkout-smoke-2',
    uid: 'job-uid',
    gate: 'smoke',
    revision: 'r2',
    attempt: 2,
    state: 'Running',
    deadlineExceeded: false,
    message: undefined,
    ...picture,
  };
}

/** Another writer changed something about every Service. */
export function editServices(snapshot: Snapshot, change: Partial<ServiceView>): Snapshot {
  return { ...snapshot, services: snapshot.services.map((service) => ({ ...service, ...change })) };
}

export function editDeployment(
  snapshot: Snapshot,
  color: Color,
  change: Partial<ColorDeploymentView>,
): Snapshot {
  const side = snapshot.sides[color];
  if (side.deployment === undefined) throw new Error(`there is no ${color} Deployment`);
  const deployment = { ...side.deployment, ...change };
  return { ...snapshot, sides: { ...snapshot.sides, [color]: { ...side, deployment } } };
}

/** Replaces the facts of one revision. */
export function editFacts(snapshot: Snapshot, name: string, facts: RevisionFacts | undefined): Snapshot {
  return {
    ...snapshot,
    revisions: snapshot.revisions.map((revision) =>
      revision.name === name ? { ...revision, facts, rawFacts: facts && formatFacts(facts) } : revision,
    ),
  };
}

/** A value that nobody can change: a rule that tried would throw. */
export function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const member of Object.values(value)) frozen(member);
  }
  return value;
}
