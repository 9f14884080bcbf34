/** What other writers do, Helm and Argo CD among them, and people who edit by hand what is not theirs. */
import { copiesOf, type NamedConfig } from '../../src/api/config.ts';
import { FINALIZER, LABEL_CONFIG } from '../../src/api/names.ts';
import { type BlueGreenReleaseObject, RELEASES } from '../../src/api/resource.ts';
import { COLORS } from '../../src/api/status.ts';
import type { ResourceType } from '../../src/kube/ports.ts';
import {
  CONFIG_MAPS,
  type ControllerRevision,
  DEPLOYMENTS,
  type Deployment,
  HORIZONTAL_POD_AUTOSCALERS,
  JOBS,
  SECRETS,
  SERVICES,
  type Service,
} from '../../src/kube/types.ts';
import type { Api } from './cluster/api.ts';
import { createKeys, createSettings, isInline, SOURCE, templateOf } from './content.ts';
import { ownRevisions } from './oracle/truth.ts';
import type { Random } from './random.ts';
import { KEYS, RELEASE, type Scenario, SERVICE, SETTINGS } from './scenario.ts';
import type { Timeline } from './timeline.ts';
import { autoscalerOf, createService, createSource, LABEL, type World } from './world.ts';

/** What a writer works with. */
export interface Hands {
  readonly world: World;
  readonly timeline: Timeline;
  readonly random: Random;
  /** The Service as it was now and then. */
  readonly backups: readonly Service[];
  /** The image that people wish for. */
  readonly image: () => string;
  /** Notes that somebody else than an operator wrote this. */
  readonly touch: (what: string) => void;
  /** People have come to rest: nothing is done any more. */
  readonly resting: () => boolean;
}

export type Deed = (hands: Hands) => void;

const SOURCE_DEEDS = ['delete the source, which Git brings back', 'bring the autoscaler of the source back'];

/** What could be done in this life, by name. */
export function foreignOf(scenario: Scenario): Readonly<Record<string, Deed>> {
  const { config } = scenario.spec;
  const all = Object.entries({ ...FOREIGN, ...(config !== undefined && OF_CONFIG) });
  return Object.fromEntries(all.filter(([name]) => !isInline(scenario) || !SOURCE_DEEDS.includes(name)));
}

const FOREIGN: Readonly<Record<string, Deed>> = {
  'put the selector of Git back': (hands) => editService(hands, asInGit),
  'replace the Service as Git has it': (hands) =>
    editService(hands, (service) => ({
      ...asInGit(service),
      metadata: { ...service.metadata, labels: {}, annotations: {} },
    })),
  'let Argo CD put the selector back again and again': syncAgainAndAgain,
  'point the Service elsewhere': (hands) =>
    editService(hands, (service) => ({
      ...service,
      spec: { ...service.spec, selector: { app: 'checkout', [LABEL]: hands.random.pick(COLORS) } },
    })),
  'restore the Service from a backup': (hands) => {
    const { backups, random } = hands;
    if (backups.length === 0) return;
    const backup = random.pick(backups);
    editService(hands, ({ metadata }) => ({
      ...backup,
      metadata: { ...backup.metadata, resourceVersion: metadata.resourceVersion ?? '' },
    }));
  },
  'delete the Service, which Git brings back': (hands) => {
    const { world, timeline, random, touch } = hands;
    touch('service');
    remove(world.api, SERVICES, SERVICE);
    timeline.after(random.between(1000, 60_000), () => {
      touch('service');
      createService(world);
    });
  },
  'delete the source, which Git brings back': (hands) => {
    const { world, timeline, random, image, touch } = hands;
    touch('source');
    remove(world.api, DEPLOYMENTS, SOURCE);
    timeline.after(random.between(1000, 60_000), () => {
      touch('source');
      createSource(world, image());
    });
  },
  'delete a twin': ({ world, random }) => remove(world.api, SERVICES, `${SERVICE}-${random.pick(COLORS)}`),
  'delete a colour': ({ world, random, touch }) => {
    const color = random.pick(COLORS);
    touch(color);
    remove(world.api, DEPLOYMENTS, `${RELEASE}-${color}`);
  },
  'edit a colour': (hands) =>
    editColor(hands, (object) => {
      const labels = object.spec.template.metadata?.labels ?? {};
      const edited = templateOf('shop/checkout:edited');
      return { ...object, spec: { ...object.spec, template: { ...edited, metadata: { labels } } } };
    }),
  'scale a colour': (hands) => {
    const replicas = hands.random.between(0, 6);
    editColor(hands, (object) => ({ ...object, spec: { ...object.spec, replicas } }));
  },
  'delete the autoscalers': ({ world }) => {
    for (const color of COLORS) remove(world.api, HORIZONTAL_POD_AUTOSCALERS, `${RELEASE}-${color}`);
  },
  'put a second autoscaler beside ours': ({ world, timeline, random }) =>
    beside(world, timeline, random, 'another', `${RELEASE}-${random.pick(COLORS)}`),
  'bring the autoscaler of the source back': ({ world, timeline, random }) =>
    beside(world, timeline, random, SOURCE, SOURCE),
  'delete the Jobs': ({ world }) => {
    for (const { metadata } of world.api.list(JOBS)) remove(world.api, JOBS, metadata.name);
  },
  'clear the status': ({ world }) =>
    world.api.update<BlueGreenReleaseObject>(RELEASES, RELEASE, ({ status: _, ...object }) => object),
  'take the finalizer away': ({ world }) =>
    world.api.update<BlueGreenReleaseObject>(RELEASES, RELEASE, (object) => ({
      ...object,
      metadata: {
        ...object.metadata,
        finalizers: (object.metadata.finalizers ?? []).filter((each) => each !== FINALIZER),
      },
    })),
};

const OF_CONFIG: Readonly<Record<string, Deed>> = {
  'delete a copy': ({ world, random }) => {
    const { api } = world;
    const release = api.get(RELEASES, RELEASE);
    if (release?.metadata.deletionTimestamp !== undefined) return;
    // Nobody has another one where no revision holds it: a colour of an earlier release may read it still.
    const held = new Set(ownRevisions(api).flatMap(copiesIn));
    const copies = api.list(CONFIG_MAPS, `${LABEL_CONFIG}=copy`).map(({ metadata }) => metadata.name);
    const theirs = copies.filter((name) => held.has(name));
    if (theirs.length > 0) remove(api, CONFIG_MAPS, random.pick(theirs));
  },
  'delete the ConfigMap, which Git brings back': (hands) => {
    const { world, image } = hands;
    bringBack(hands, CONFIG_MAPS, SETTINGS, () => createSettings(world, image()));
  },
  'delete the Secret, which Git brings back': (hands) =>
    bringBack(hands, SECRETS, KEYS, () => createKeys(hands.world)),
};

function copiesIn({ data }: ControllerRevision): string[] {
  const { config } = (data as unknown as { content: { config?: NamedConfig } }).content;
  return COLORS.flatMap((color) => Object.values(copiesOf(RELEASE, color, config)));
}

function bringBack(
  { world, timeline, random, touch }: Hands,
  type: ResourceType,
  name: string,
  create: () => void,
): void {
  touch('config');
  remove(world.api, type, name);
  timeline.after(random.between(1000, 60_000), () => {
    touch('config');
    create();
  });
}

function editService({ world, touch }: Hands, change: (service: Service) => Service): void {
  touch('service');
  world.api.update<Service>(SERVICES, SERVICE, change);
}

function asInGit(service: Service): Service {
  return { ...service, spec: { ...service.spec, selector: { app: 'checkout' } } };
}

function editColor({ world, random, touch }: Hands, change: (object: Deployment) => Deployment): void {
  const color = random.pick(COLORS);
  touch(color);
  world.api.update<Deployment>(DEPLOYMENTS, `${RELEASE}-${color}`, change);
}

function remove(api: Api, type: ResourceType, name: string): void {
  if (api.get(type, name) !== undefined) api.delete(type, name, { propagation: 'Background' });
}

/** Each change of the Service is undone some seconds later, for some minutes. */
function syncAgainAndAgain(hands: Hands): void {
  const { world, timeline, random, resting } = hands;
  const until = timeline.now + random.between(20_000, 180_000);
  const sync = (): void => {
    if (timeline.now > until || resting()) return;
    editService(hands, asInGit);
    timeline.after(random.between(3000, 8000), sync);
  };
  if (world.api.get(RELEASES, RELEASE) !== undefined) sync();
}

/** A second autoscaler for the same pods switches both off, until somebody sees it. */
function beside(world: World, timeline: Timeline, random: Random, name: string, target: string): void {
  const { api, scenario } = world;
  if (api.get(HORIZONTAL_POD_AUTOSCALERS, name) !== undefined) return;
  api.create(HORIZONTAL_POD_AUTOSCALERS, autoscalerOf(name, target, { minReplicas: 1, maxReplicas: 8 }));
  const { uid } = api.get(HORIZONTAL_POD_AUTOSCALERS, name)?.metadata ?? {};
  timeline.after(random.between(20_000, 240_000), () => {
    // Where the release is gone meanwhile it is the only one, and theirs again, if they ever had one.
    const isTheirs = name === SOURCE && scenario.spec.autoscaling !== undefined;
    if (isTheirs && api.get(RELEASES, RELEASE) === undefined) return;
    if (api.get(HORIZONTAL_POD_AUTOSCALERS, name)?.metadata.uid === uid)
      remove(api, HORIZONTAL_POD_AUTOSCALERS, name);
  });
}
