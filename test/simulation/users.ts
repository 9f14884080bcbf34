/** People, and what they do at bad moments: release, revert, order, edit what is not theirs, delete. */
import { ANNOTATION_ACTION, FINALIZER } from '../../src/api/names.ts';
import { type BlueGreenReleaseObject, RELEASES } from '../../src/api/resource.ts';
import { COLORS } from '../../src/api/status.ts';
import {
  DEPLOYMENTS,
  type Deployment,
  HORIZONTAL_POD_AUTOSCALERS,
  JOBS,
  SERVICES,
  type Service,
} from '../../src/kube/types.ts';
import { type Counts, count, type Faults, nextIn } from './faults.ts';
import type { Random } from './random.ts';
import { RELEASE, SERVICE } from './scenario.ts';
import type { Timeline } from './timeline.ts';
import { LABEL, templateOf, type World } from './world.ts';

export interface Users {
  /** What people wish for now: an index into the versions. */
  readonly wished: number;
  /** Since when they wish for it. */
  readonly wishedAt: number;
  readonly suspended: boolean;
  /** When somebody last touched the Service, or a colour. */
  readonly touchedAt: ReadonlyMap<string, number>;
  /** Orders that were given, as they were written. */
  readonly orders: readonly { at: number; text: string }[];
  /** They stop, and mend what only they can. */
  rest(): void;
}

type Deed = () => void;

export function startUsers(
  world: World,
  timeline: Timeline,
  random: Random,
  faults: Faults,
  counts: Counts,
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
  const statusOf = (): { attempt?: number } => (release()?.status ?? {}) as { attempt?: number };
  const touch = (what: string): void => void touchedAt.set(what, timeline.now);

  function wish(index: number): void {
    if (wished !== index) wishedAt = timeline.now;
    wished = index;
    const image = scenario.versions[index]?.image ?? '';
    api.update<Deployment>(DEPLOYMENTS, 'checkout', (object) => ({
      ...object,
      spec: { ...object.spec, template: templateOf(image) },
    }));
  }

  const editService = (change: (service: Service) => Service): void => {
    touch('service');
    api.update<Service>(SERVICES, SERVICE, change);
  };

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

  const editSpec = (change: object): void =>
    api.update<BlueGreenReleaseObject>(RELEASES, RELEASE, (object) => ({
      ...object,
      spec: { ...(object.spec as object), ...change },
    }));

  const otherwise = (): string => random.pick(COLORS);

  const deeds: Record<string, Deed> = {
    'wish for the next version': () => {
      latest = Math.min(scenario.versions.length - 1, latest + 1);
      wish(latest);
    },
    'revert to the version before': () => wish(Math.max(0, wished - 1)),
    'give an order': () =>
      order(`${random.pick(['promote', 'abort', 'rollback', 'retry'])}@${statusOf().attempt ?? 0}`),
    'give an old order': () =>
      order(
        `${random.pick(['promote', 'abort', 'rollback', 'retry'])}@${Math.max(0, (statusOf().attempt ?? 1) - 1)}`,
      ),
    suspend: () => {
      suspended = true;
      editSpec({ suspend: true });
      timeline.after(random.between(10_000, 300_000), resume);
    },
    'sync the source from Git': () => {
      const image = scenario.versions[wished]?.image ?? '';
      api.update<Deployment>(DEPLOYMENTS, 'checkout', (object) => ({
        ...object,
        spec: { ...object.spec, replicas: scenario.replicas, template: templateOf(image) },
      }));
    },
    'change the load': () => {
      world.load = random.between(1, 6);
    },
  };

  const foreign: Record<string, Deed> = {
    'put the selector of Git back': () =>
      editService((service) => ({ ...service, spec: { ...service.spec, selector: { app: 'checkout' } } })),
    'replace the Service as Git has it': () =>
      editService((service) => ({
        ...service,
        metadata: { ...service.metadata, labels: {}, annotations: {} },
        spec: { ...service.spec, selector: { app: 'checkout' } },
      })),
    'point the Service elsewhere': () =>
      editService((service) => ({
        ...service,
        spec: { ...service.spec, selector: { app: 'checkout', [LABEL]: otherwise() } },
      })),
    'restore the Service from a backup': () => {
      const backup = backups.length === 0 ? undefined : random.pick(backups);
      if (backup === undefined) return;
      editService((service) => ({
        ...backup,
        metadata: { ...backup.metadata, resourceVersion: service.metadata.resourceVersion ?? '' },
      }));
    },
    'delete a twin': () => remove(SERVICES, `${SERVICE}-${otherwise()}`),
    'delete a colour': () => {
      const color = otherwise();
      touch(color);
      remove(DEPLOYMENTS, `${RELEASE}-${color}`);
    },
    'edit a colour': () => {
      const color = otherwise();
      touch(color);
      api.update<Deployment>(DEPLOYMENTS, `${RELEASE}-${color}`, (object) => {
        const labels = object.spec.template.metadata?.labels ?? {};
        const edited = templateOf('shop/checkout:edited');
        return { ...object, spec: { ...object.spec, template: { ...edited, metadata: { labels } } } };
      });
    },
    'scale a colour': () => {
      const color = otherwise();
      touch(color);
      api.update<Deployment>(DEPLOYMENTS, `${RELEASE}-${color}`, (object) => ({
        ...object,
        spec: { ...object.spec, replicas: random.between(0, 6) },
      }));
    },
    'delete the autoscalers': () => {
      for (const color of COLORS) remove(HORIZONTAL_POD_AUTOSCALERS, `${RELEASE}-${color}`);
    },
    'delete the Jobs': () => {
      for (const { metadata } of api.list(JOBS)) remove(JOBS, metadata.name);
    },
    'clear the status': () =>
      api.update<BlueGreenReleaseObject>(RELEASES, RELEASE, ({ status: _, ...object }) => object),
    'take the finalizer away': () =>
      api.update<BlueGreenReleaseObject>(RELEASES, RELEASE, (object) => ({
        ...object,
        metadata: {
          ...object.metadata,
          finalizers: (object.metadata.finalizers ?? []).filter((each) => each !== FINALIZER),
        },
      })),
  };

  function remove(type: Parameters<typeof api.delete>[0], name: string): void {
    if (api.get(type, name) !== undefined) api.delete(type, name, { propagation: 'Background' });
  }

  function resume(): void {
    suspended = false;
    editSpec({ suspend: false });
  }

  function act(): void {
    if (resting) return;
    timeline.after(nextIn(random, faults.deedEvery), act);
    // Nobody repairs what people do to a Service that no release looks after.
    if (release() === undefined) return;
    const bad = random.chance(faults.foreign);
    const often = bad ? [] : Array.from({ length: 5 }, () => 'wish for the next version');
    const name = random.pick([...often, ...Object.keys(bad ? foreign : deeds)]);
    say(name);
    count(counts, name);
    (bad ? foreign : deeds)[name]?.();
    const service = api.get<Service>(SERVICES, SERVICE);
    if (service !== undefined && random.chance(0.5)) backups.push(service);
  }

  timeline.after(nextIn(random, faults.deedEvery), act);
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
    orders,
    rest() {
      resting = true;
      if (suspended) resume();
    },
  };
}
