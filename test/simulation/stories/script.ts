/** Plays one story: no faults but those that it tells of. What comes out is read line by line, and kept as a file. */
import { ANNOTATION_ACTION } from '../../../src/api/names.ts';
import { RELEASES } from '../../../src/api/resource.ts';
import type { ReleaseSpecInput } from '../../../src/api/schema.ts';
import type { KubeObject } from '../../../src/kube/ports.ts';
import {
  DEPLOYMENTS,
  type Deployment,
  PODS,
  type Pod,
  SERVICES,
  type Service,
} from '../../../src/kube/types.ts';
import { templateOf } from '../content.ts';
import type { Faults } from '../faults.ts';
import type { Random } from '../random.ts';
import { RELEASE, SERVICE } from '../scenario.ts';
import { createStage, type Stage } from '../stage.ts';
import type { Version } from '../versions.ts';
import { begin, createRelease } from '../world.ts';
import { startWitness } from './witness.ts';

const CALM: Faults = {
  callFails: 0,
  answerLost: 0,
  crash: 0,
  latency: 5,
  lag: 20,
  relist: 0,
  mishapEvery: 0,
  deedEvery: 0,
  foreign: 0,
  worst: 0,
  clockJump: 0,
  controllers: 30,
  endpoints: 60,
};

/** Nothing is left to chance: a story must not change because something else draws once more. */
const STEADY: Random = {
  next: () => 0.5,
  between: (low, high) => Math.floor((low + high) / 2),
  chance: (probability) => probability >= 1,
  pick: (items) => items[0] as (typeof items)[number],
  fork: () => STEADY,
};

const IDLE = {
  meddle: () => undefined,
  wishNext: () => undefined,
  rest: () => undefined,
  touch: () => undefined,
};

export interface Story {
  readonly name: string;
  /** What a reader should look at. */
  readonly about: string;
  /** The adoption is told too. */
  readonly fromTheStart?: boolean;
  readonly spec?: Partial<ReleaseSpecInput>;
  /** v1 is good and runs already; these are v2, v3 and so on. */
  readonly versions?: readonly Partial<Version>[];
  readonly play: (actor: Actor) => Promise<void>;
}

export interface Actor {
  /** What people had before, and the operator. */
  begin(): Promise<void>;
  /** The release exists, and v1 is adopted. */
  adopt(): Promise<void>;
  wait(seconds: number): Promise<void>;
  /** Plays until this is so: a story that waits in vain is broken. */
  until(what: string, is: (stage: Stage) => boolean): Promise<void>;
  /** Until the status names this phase. */
  reach(phase: string): Promise<void>;
  /** People change the Deployment in Git. */
  wish(version: number): void;
  /** With the attempt that the status tells. */
  order(verb: string): void;
  edit(what: string, change: (service: Service) => Service): void;
  editSpec(what: string, change: object): void;
  deleteRelease(propagation: 'Foreground' | 'Background'): void;
  /** The pods of a colour stop being ready, for good. */
  die(what: string, color: 'blue' | 'green'): void;
  happens(what: string, run: (stage: Stage) => void): void;
}

export async function tell(story: Story): Promise<string> {
  const touchedAt = new Map<string, number>();
  const orders: { at: number; text: string }[] = [];
  const people = { wished: 0, wishedAt: 0, suspended: false, touchedAt, orders, ...IDLE };
  const stage = createStage(STEADY, { ...CALM }, scenarioOf(story), () => people);
  const { world, timeline, say } = stage;
  const { api } = world;
  const change = <T extends KubeObject>(type: typeof RELEASES, name: string, edit: (object: T) => T) =>
    api.update<T>(type, name, edit);

  async function until(what: string, is: (stage: Stage) => boolean): Promise<void> {
    for (let steps = 0; !is(stage) && stage.broken === undefined; steps++) {
      if (steps === 200_000) throw new Error(`story "${story.name}" waits in vain for ${what}`);
      await stage.play(5);
    }
  }

  const actor: Actor = {
    async begin() {
      begin(world);
      startWitness(stage);
      stage.operators.start();
      await stage.play(10_000);
      stage.trace.splice(0);
    },
    async adopt() {
      await actor.begin();
      say('the release is created');
      createRelease(world);
      await stage.play(50_000);
      if (!story.fromTheStart) stage.trace.splice(0);
    },
    wait: (seconds) => stage.play(seconds * 1000),
    until,
    reach: (phase) => until(`phase ${phase}`, ({ status }) => status().phase === phase),
    wish(version) {
      say(`somebody: wishes for v${version}`);
      people.wished = version - 1;
      people.wishedAt = timeline.now;
      change<Deployment>(DEPLOYMENTS, 'checkout', (object) => ({
        ...object,
        spec: { ...object.spec, template: templateOf(`shop/checkout:v${version}`) },
      }));
    },
    order(verb) {
      const text = `${verb}@${stage.status().attempt}`;
      say(`somebody: annotates the release with ${ANNOTATION_ACTION}=${text}`);
      orders.push({ at: timeline.now, text });
      change(RELEASES, RELEASE, (object) => ({
        ...object,
        metadata: {
          ...object.metadata,
          annotations: { ...object.metadata.annotations, [ANNOTATION_ACTION]: text },
        },
      }));
    },
    edit(what, edit) {
      say(`somebody: ${what}`);
      touchedAt.set('service', timeline.now);
      change<Service>(SERVICES, SERVICE, edit);
    },
    editSpec(what, members) {
      say(`somebody: ${what}`);
      Object.assign(people, members);
      change<KubeObject & { spec?: object }>(RELEASES, RELEASE, (object) => ({
        ...object,
        spec: { ...object.spec, ...members },
      }));
    },
    deleteRelease(propagation) {
      say(`somebody: deletes the release (${propagation})`);
      api.delete(RELEASES, RELEASE, { propagation });
    },
    die(what, color) {
      say(`it happens: ${what}`);
      for (const pod of api.list<Pod>(PODS, `bluegreen.dev/color=${color}`))
        change(PODS, pod.metadata.name, unready);
    },
    happens(what, run) {
      say(`it happens: ${what}`);
      run(stage);
    },
  };

  await story.play(actor);
  return `${story.name}\n${story.about}\n\n${stage.trace.map(withoutMilliseconds).join('\n')}\n`;
}

function unready(pod: Pod): Pod {
  return { ...pod, status: { ...pod.status, conditions: [{ type: 'Ready', status: 'False' }] } };
}

function scenarioOf({ spec, versions = [] }: Story): Parameters<typeof createStage>[2] {
  const good: Version = { image: '', startMs: [2000, 2000], smoke: 'pass', errors: 'none' };
  return {
    replicas: 3,
    lively: 0,
    versions: [{}, ...versions].map((version, index) => ({
      ...good,
      ...version,
      image: `shop/checkout:v${index + 1}`,
    })),
    spec: {
      workload: { deploymentRef: { name: 'checkout' } },
      traffic: { services: [{ name: SERVICE }] },
      observation: { durationSeconds: 60 },
      rollback: { windowSeconds: 3600 },
      ...spec,
    },
  };
}

/** The order tells, and a change of speed is no change of the story. */
function withoutMilliseconds(line: string): string {
  return line.replace(/^(\d\d:\d\d:\d\d)\.\d\d\d/, '$1').replaceAll('2026-01-01T', '');
}
