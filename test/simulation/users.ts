/** People, and what they do at bad moments: release, revert, order, edit, and what is not theirs to do. */
import { ANNOTATION_ACTION } from '../../src/api/names.ts';
import { type BlueGreenReleaseObject, RELEASES } from '../../src/api/resource.ts';
import type { ReleaseStatus } from '../../src/api/status.ts';
import type { KubeObject } from '../../src/kube/ports.ts';
import {
  DEPLOYMENTS,
  type Deployment,
  HORIZONTAL_POD_AUTOSCALERS,
  SECRETS,
  SERVICES,
  type Service,
} from '../../src/kube/types.ts';
import { isInline, SOURCE, sayWish, templateOf } from './content.ts';
import { type Faults, namesOf, nextIn } from './faults.ts';
import { type Deed, foreignOf, type Hands } from './foreign.ts';
import type { Happenings } from './happenings.ts';
import type { Random } from './random.ts';
import { KEYS, RELEASE, type Scenario, SERVICE } from './scenario.ts';
import type { Timeline } from './timeline.ts';
import type { World } from './world.ts';

export interface Users {
  /** What people wish for now: an index into the versions. */
  readonly wished: number;
  /** Since when they wish for it. */
  readonly wishedAt: number;
  readonly suspended: boolean;
  /** When somebody last touched the Service, a colour, the source or the spec. */
  readonly touchedAt: ReadonlyMap<string, number>;
  /** Notes that somebody else than an operator wrote this. */
  touch(what: string): void;
  /** Orders that were given, as they were written. */
  readonly orders: readonly { at: number; text: string }[];
  /** Somebody meddles now. */
  meddle(random: Random): void;
  /** A rollout begins that nobody waits for. */
  wishNext(): void;
  /** They stop, and mend what only they can. */
  rest(): void;
}

const VERBS = ['promote', 'abort', 'rollback', 'retry'];

/** When faults have ended a status says what is so after this time. Milliseconds. */
const LOOK_MS = 120_000;

export function startUsers(
  world: World,
  timeline: Timeline,
  random: Random,
  faults: Faults,
  happenings: Happenings,
  say: (what: string) => void,
): Users {
  const { api, scenario } = world;
  const touchedAt = new Map<string, number>();
  const orders: { at: number; text: string }[] = [];
  const backups: Service[] = [];
  let wished = 0;
  let wishedAt = timeline.now;
  let latest = 0;
  let suspended = false;
  let resting = false;

  const release = (): BlueGreenReleaseObject | undefined => api.get(RELEASES, RELEASE);
  const attempt = (): number => ((release()?.status ?? {}) as { attempt?: number }).attempt ?? 0;
  const imageOf = (index: number): string => scenario.versions[index]?.image ?? '';
  const touch = (what: string): void => void touchedAt.set(what, timeline.now);

  function wish(index: number): void {
    if (wished !== index) wishedAt = timeline.now;
    wished = index;
    sayWish(world, imageOf(index));
  }

  const order = (text: string): void => {
    orders.push({ at: timeline.now, text });
    api.update<BlueGreenReleaseObject>(RELEASES, RELEASE, (object) => ({
      ...object,
      metadata: {
        ...object.metadata,
        annotations: { ...object.metadata.annotations, [ANNOTATION_ACTION]: text },
      },
    }));
  };

  const editSpec = (change: object): void => {
    touch('spec');
    api.update<BlueGreenReleaseObject>(RELEASES, RELEASE, (object) => ({
      ...object,
      spec: { ...(object.spec as object), ...change },
    }));
  };

  const own: Record<string, Deed> = {
    'revert to the version before': () => wish(Math.max(0, wished - 1)),
    'give an order': (hands) => order(`${hands.random.pick(VERBS)}@${attempt()}`),
    'give an old order': (hands) => order(`${hands.random.pick(VERBS)}@${Math.max(0, attempt() - 1)}`),
    suspend: (hands) => {
      suspended = true;
      editSpec({ suspend: true });
      timeline.after(hands.random.between(10_000, 300_000), resume);
    },
    'edit the spec': (hands) => editSpec(anotherSpec(hands.random, scenario.spec.gates, release())),
    ...(!isInline(scenario) && { 'sync the source from Git': syncSource }),
    'change the load': (hands) => {
      world.load = hands.random.between(1, 6);
    },
    ...(scenario.spec.config?.secrets?.length && { 'write to the Secret': writeSecret }),
  };
  const foreign = foreignOf(scenario);

  /** What a release waits for with an autoscaler that came to the source, or back to it, while there was none. */
  const remedies: Readonly<Record<string, () => void>> = {
    AutoscalerAmbiguous: () => api.delete(HORIZONTAL_POD_AUTOSCALERS, SOURCE, { propagation: 'Background' }),
    AutoscalingUnstated: () => editSpec({ replicas: scenario.replicas }),
  };

  /** Only they can, and the release tells them what. */
  function doAsTold(): void {
    const { conditions } = (release()?.status ?? {}) as Partial<ReleaseStatus>;
    const { reason = '' } = conditions?.find(({ type }) => type === 'Ready') ?? {};
    const remedy = remedies[reason];
    if (remedy === undefined || api.get(HORIZONTAL_POD_AUTOSCALERS, SOURCE) === undefined) return;
    say(`somebody: does what the status asks for (${reason})`);
    remedy();
  }

  /** Another content than before, although nothing that can be seen of it is. */
  function writeSecret(): void {
    wishedAt = timeline.now;
    api.update<KubeObject & { data?: object }>(SECRETS, KEYS, (object) => ({
      ...object,
      data: { key: String(timeline.now) },
    }));
  }

  function syncSource(): void {
    touch('source');
    api.update<Deployment>(DEPLOYMENTS, SOURCE, (object) => ({
      ...object,
      spec: { ...object.spec, replicas: scenario.replicas, template: templateOf(imageOf(wished)) },
    }));
  }

  function resume(): void {
    suspended = false;
    editSpec({ suspend: false });
  }

  function act(name: string, deed: Deed | undefined, drawn: Random): void {
    // Nobody repairs what people do to a Service that no release looks after.
    if (resting || release() === undefined || !happenings.happens(name)) return;
    say(`somebody: ${name}`);
    deed?.(handsOf(drawn));
    const service = api.get<Service>(SERVICES, SERVICE);
    if (service !== undefined && drawn.chance(0.5)) backups.push(service);
  }

  function handsOf(drawn: Random): Hands {
    const image = (): string => imageOf(wished);
    return { world, timeline, random: drawn, backups, image, touch, resting: () => resting };
  }

  function meddle(drawn: Random): void {
    const deeds = drawn.chance(faults.foreign) ? foreign : own;
    const names = namesOf(deeds, faults);
    if (names.length === 0) return;
    const name = drawn.pick(names);
    act(name, deeds[name], drawn);
  }

  function wishNext(): void {
    latest = Math.min(scenario.versions.length - 1, latest + 1);
    wish(latest);
  }

  function wishOn(drawn: Random): void {
    act('wish for the next version', wishNext, drawn);
  }

  function next(): void {
    timeline.after(nextIn(random, faults.deedEvery), () => {
      if (resting) return;
      const drawn = random.fork();
      if (drawn.chance(0.65)) wishOn(drawn);
      else meddle(drawn);
      next();
    });
  }

  next();
  return {
    get wished() {
      return wished;
    },
    get wishedAt() {
      return wishedAt;
    },
    get suspended() {
      return suspended;
    },
    touchedAt,
    touch,
    orders,
    meddle,
    wishNext,
    rest() {
      resting = true;
      if (suspended) resume();
      // Left at 0 by a release that was deleted while its colours served: only what runs can be adopted again.
      const source = api.get<Deployment>(DEPLOYMENTS, SOURCE);
      if (source?.spec.replicas === 0 && attempt() === 0) syncSource();
      // Not what failed in the moment before, but what it waits for.
      timeline.after(LOOK_MS, doAsTold);
    },
  };
}

/** In place, at any moment: a release that is under way has its own frozen. */
function anotherSpec(
  random: Random,
  gates: Scenario['spec']['gates'],
  now: BlueGreenReleaseObject | undefined,
): object {
  const asked = (now?.spec as Partial<Scenario['spec']> | undefined)?.gates ?? [];
  return random.pick<object>([
    { rollback: { windowSeconds: random.pick([0, 120, 900]) } },
    { observation: { durationSeconds: random.pick([0, 30, 120]) } },
    { preparation: { deadlineSeconds: random.pick([90, 300]) } },
    { historyLimit: random.pick([2, 3, 10]) },
    { gates: asked.length > 0 ? [] : (gates ?? []) },
  ]);
}
