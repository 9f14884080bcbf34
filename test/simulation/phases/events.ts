/** Everything that can happen around the operator, each as one step from a world to the next. */
import { judge } from '../../../src/analysis/threshold.ts';
import { COLORS } from '../../../src/api/status.ts';
import type { Plan } from '../../../src/release/plan.ts';
import { withSide } from './carry-out.ts';
import { readyOn, type World } from './model.ts';

export interface Event {
  /** As the page about the phases has it. */
  readonly name: string;
  readonly next: World;
  /** Of the pods that it happens to. */
  readonly content?: string;
}

const CONTENTS = ['v1', 'v2', 'v3'];
const BOUNDS = { max: '0.01' };

/** `plan`: what the operator would do next; it has nothing left to do. */
export function eventsOf(world: World, plan: Plan): Event[] {
  return [
    ...kubernetes(world),
    ...jobs(world),
    ...measurements(world, plan),
    ...time(world, plan),
    ...people(world, plan),
    ...strangers(world),
  ];
}

export function kubernetes(world: World): Event[] {
  const { service, source, wish } = world;
  const isRollingOut = !source.paused && source.replicas > 0 && source.runs !== wish;
  const rolledOut = { name: 'the source rolls out', next: { ...world, source: { ...source, runs: wish } } };
  const pods = COLORS.flatMap((color): Event[] => {
    const side = world.sides[color];
    const own = side?.pods.find(({ revision }) => revision === side.revision);
    if (side === undefined || own === undefined) return [];
    const turned = { ...own, ready: !own.ready };
    const next = withSide(world, color, {
      ...side,
      pods: side.pods.map((pod) => (pod === own ? turned : pod)),
    });
    return [{ name: own.ready ? 'pods die' : 'pods get ready', next, content: own.content }];
  });
  const followed = { ...service, followed: service.color };
  return [
    ...(isRollingOut ? [rolledOut] : []),
    ...pods,
    ...(service.followed === service.color
      ? []
      : [{ name: 'endpoints follow', next: { ...world, service: followed } }]),
  ];
}

export function jobs(world: World): Event[] {
  const running = world.jobs.find(({ state }) => state === 'Running');
  if (running === undefined) return [];
  const ended = (name: string, state: 'Complete' | 'Failed', deadlineExceeded: boolean): Event => ({
    name,
    next: {
      ...world,
      jobs: world.jobs.map((job) => (job === running ? { ...job, state, deadlineExceeded } : job)),
    },
  });
  return [
    ended('Job completes', 'Complete', false),
    ended('Job fails', 'Failed', false),
    ended('Job times out', 'Failed', true),
  ];
}

export function measurements(world: World, plan: Plan): Event[] {
  if (!plan.requests.some(({ kind }) => kind === 'Measure')) return [];
  const at = world.now;
  const value = (number: number) => judge({ kind: 'value', value: number }, BOUNDS, at);
  const unknown = judge({ kind: 'unknown', reason: 'NoData', message: 'no data' }, BOUNDS, at);
  return [
    { name: 'measured good', next: { ...world, measured: value(0.001) } },
    { name: 'measured bad', next: { ...world, measured: value(0.2) } },
    { name: 'measured unknown', next: { ...world, measured: unknown } },
  ];
}

/** Up to when the operator wants to look again. */
export function time(world: World, { lookAgainAt }: Plan): Event[] {
  return lookAgainAt === undefined ? [] : [{ name: 'time passes', next: { ...world, now: lookAgainAt } }];
}

function people(world: World, { status }: Plan): Event[] {
  const verbs = ['promote', 'abort', 'rollback', 'retry'].map((verb) => `${verb}@${status.attempt ?? 0}`);
  return [
    ...CONTENTS.filter((content) => content !== world.wish).map((wish) => ({
      name: 'the Deployment changes',
      next: { ...world, wish },
    })),
    { name: world.suspend ? 'resume' : 'suspend', next: { ...world, suspend: !world.suspend } },
    ...verbs
      .filter((action) => action !== world.action)
      .map((action) => ({ name: action.split('@')[0] ?? '', next: { ...world, action } })),
  ];
}

/** Git puts the Service back as it was, or somebody points it elsewhere: the endpoints may follow before anybody looks. */
function strangers(world: World): Event[] {
  const { service } = world;
  const stripped = {
    ...service,
    color: undefined,
    mark: undefined,
    switchedAt: undefined,
    reason: undefined,
  };
  const elsewhere = COLORS.filter((color) => color !== service.color && readyOn(world, color).length > 0);
  return service.color === undefined
    ? []
    : [
        { name: 'selector stripped', next: { ...world, service: stripped } },
        ...elsewhere.map((color) => ({
          name: 'selector moved',
          next: { ...world, service: { ...service, color, followed: color } },
        })),
      ];
}
