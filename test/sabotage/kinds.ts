/**
 * Kinds of life in which a certain mistake shows soon: short ones, in which the acts, mishaps and versions that reach it
 * come all the time. They say what happens, never what is to be found: the promises are those of every life.
 */
import type { Level } from '../simulation/faults.ts';
import type { Focus } from '../simulation/focus.ts';

const job = { spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'smoke' }] } } } };
const GATES = { gates: [{ name: 'smoke', job, timeoutSeconds: 30 }] };
const NO_GATES = { gates: [] };
const CHECKS = {
  observation: {
    durationSeconds: 120,
    availability: { minReadyPercent: 50, forSeconds: 0 },
    checks: [
      {
        name: 'errors',
        intervalSeconds: 10,
        failureLimit: 1,
        onUnknown: 'Hold',
        prometheus: { query: 'errors{color="$(BLUEGREEN_COLOR)"}', max: '0.01' },
      },
    ],
  },
};
const QUICK = { observation: { durationSeconds: 0, checks: [] } };
const WINDOW = { capacity: { candidate: '100%', window: '100%' }, rollback: { windowSeconds: 1800 } };
const SCALED = { autoscaling: { spec: { minReplicas: 1, maxReplicas: 8 } } };
const GOOD: Focus['versions'] = [{}];

interface Kind {
  readonly level: Level;
  readonly focus: Focus;
}

const brief = (focus: Focus, level: Level = 'mild'): Kind => ({
  level,
  focus: {
    count: 4,
    replicas: 3,
    services: 1,
    previews: 0,
    deleted: false,
    ...focus,
    faults: { deedEvery: 180_000, only: [], ...focus.faults },
  },
});

const OFTEN = { worst: 1, mishapEvery: 60_000 };

const table = {
  /** Nothing goes wrong. */
  calm: brief({ versions: GOOD, spec: { ...QUICK, ...NO_GATES, ...WINDOW } }),
  /** Gates that pass, fail and hang. */
  gates: brief({ versions: [{ smoke: 'fail' }, {}, { smoke: 'hang' }], spec: { ...QUICK, ...GATES } }),
  /** Pods of one side are ready at very different times. */
  uneven: brief({
    replicas: 5,
    versions: [{ startMs: [500, 40_000] }, { startMs: [500, 40_000], flaps: 'probe' }],
    spec: { ...QUICK, ...NO_GATES, ...WINDOW },
  }),
  /** Pods are ready later than the preparation may take. */
  late: brief({
    versions: [{ startMs: [80_000, 90_000] }, {}],
    spec: { ...QUICK, ...NO_GATES, preparation: { deadlineSeconds: 60 } },
  }),
  /** The spec is edited after each change of phase, gates among it. */
  edits: brief({
    versions: GOOD,
    spec: { ...QUICK, ...GATES },
    faults: { only: ['edit the spec'], worst: 1, foreign: 0 },
  }),
  /** People change their minds while a candidate is prepared. */
  wishes: brief({
    count: 8,
    versions: [{ startMs: [5000, 20_000] }],
    spec: { ...QUICK, ...GATES },
    faults: { deedEvery: 15_000, only: ['revert to the version before'], foreign: 0 },
  }),
  suspended: brief({
    versions: GOOD,
    spec: { ...QUICK, ...GATES },
    faults: { only: ['suspend'], worst: 1, foreign: 0 },
  }),
  /** Orders of every kind, for this attempt and earlier ones. */
  orders: brief({
    count: 6,
    versions: GOOD,
    spec: { ...GATES, ...WINDOW, ...CHECKS },
    faults: { only: ['give an order', 'give an old order'], worst: 1, foreign: 0 },
  }),
  /** What was committed is put back, by orders and by breaches. */
  regrets: brief({
    count: 6,
    versions: [{}, { errors: 'many' }],
    spec: { ...CHECKS, ...NO_GATES, ...WINDOW, rollback: { windowSeconds: 1800, afterCommit: 'Rollback' } },
    faults: { only: ['give an order'], worst: 0.7, foreign: 0 },
  }),
  /** Windows that are over soon, and people who want to go back. */
  windows: brief({
    count: 6,
    versions: GOOD,
    spec: { ...QUICK, ...NO_GATES, rollback: { windowSeconds: 30 } },
    faults: {
      deedEvery: 60_000,
      only: ['give an order', 'revert to the version before'],
      foreign: 0,
      worst: 0,
    },
  }),
  /** The deployment in Git says something newer than what runs when the release is created. */
  rollouts: brief({
    rollout: true,
    versions: [{ broken: 'pull' }, { startMs: [60_000, 90_000] }],
    spec: { ...QUICK, ...NO_GATES },
    faults: { only: ['the registry is away'], mishapEvery: 30_000 },
  }),
  /** Other writers move the selectors. */
  drift: brief({
    versions: GOOD,
    services: 2,
    spec: { ...QUICK, ...NO_GATES, ...WINDOW },
    faults: {
      only: [
        'put the selector of Git back',
        'point the Service elsewhere',
        'restore the Service from a backup',
        'replace the Service as Git has it',
      ],
      foreign: 1,
      worst: 1,
    },
  }),
  /** Services come back from a backup, as they were releases ago. */
  backups: brief({
    count: 6,
    versions: GOOD,
    spec: { ...QUICK, ...NO_GATES, ...WINDOW },
    faults: { only: ['restore the Service from a backup', 'change the load'], foreign: 0.5, worst: 1 },
  }),
  /** Other writers move the selectors while what served dies. */
  dying: brief({
    count: 6,
    versions: [{ diesAfterMs: 60_000 }, {}, { diesAfterMs: 5000 }],
    spec: { ...QUICK, ...NO_GATES, ...WINDOW },
    faults: {
      only: ['point the Service elsewhere', 'restore the Service from a backup'],
      foreign: 1,
      worst: 1,
    },
  }),
  /** A side that stands by after its window, to which people point when what served has died, and the operator is away. */
  pointed: brief({
    count: 2,
    versions: [{ diesAfterMs: 60_000 }],
    spec: {
      ...QUICK,
      ...NO_GATES,
      capacity: { candidate: '100%', window: '100%', standby: '100%' },
      rollback: { windowSeconds: 30 },
    },
    faults: {
      deedEvery: 200_000,
      only: [
        'point the Service elsewhere',
        'put the selector of Git back',
        'the operator is killed',
        'the status is lost',
      ],
      foreign: 1,
      worst: 1,
      mishapEvery: 10_000,
    },
  }),
  /** Versions that die under traffic, watched and not. */
  deaths: brief({
    count: 6,
    versions: [{ diesAfterMs: 20_000 }, {}, { diesAfterMs: 150_000 }],
    spec: { ...CHECKS, ...NO_GATES, ...WINDOW },
  }),
  /** Versions that die when they have been committed, and nobody wishes for another one. */
  lateDeaths: brief({
    count: 3,
    versions: [{ diesAfterMs: 30_000 }],
    spec: { ...QUICK, ...NO_GATES, ...WINDOW, rollback: { windowSeconds: 1800, afterCommit: 'Alert' } },
    faults: { deedEvery: 400_000 },
  }),
  /** What serves dies while the next version is built, which dies as well: no side can serve. The one after it is good. */
  bothDead: brief({
    count: 4,
    versions: [{ diesAfterMs: 100_000 }, { diesAfterMs: 5000, startMs: [40_000, 60_000] }, {}],
    spec: {
      ...NO_GATES,
      ...WINDOW,
      observation: { durationSeconds: 60, availability: { minReadyPercent: 50, forSeconds: 0 }, checks: [] },
    },
  }),
  /** Versions that answer with errors, and are watched. */
  breaches: brief({
    count: 6,
    versions: [{ errors: 'many' }, {}],
    spec: { ...CHECKS, ...NO_GATES, ...WINDOW },
  }),
  /** Of the side that is gone back to a pod is missing, and takes minutes to come back. */
  thin: brief({
    versions: [{ startMs: [200_000, 240_000] }, { errors: 'many' }],
    spec: { ...CHECKS, ...NO_GATES, ...WINDOW, preparation: { deadlineSeconds: 600 } },
    faults: { deedEvery: 360_000, only: ['a pod is evicted'], worst: 1, mishapEvery: 120_000 },
  }),
  /** A metric source that is away most of the time. */
  blind: brief({
    versions: [{}, { errors: 'many' }],
    spec: { ...CHECKS, ...NO_GATES, ...WINDOW },
    faults: { only: ['the metric source is away'], ...OFTEN, mishapEvery: 20_000 },
  }),
  /** Observed for a shorter time than a measurement takes to come. */
  unseen: brief({
    versions: GOOD,
    spec: {
      ...CHECKS,
      ...NO_GATES,
      observation: { ...CHECKS.observation, durationSeconds: 1 },
    },
    faults: { only: ['the metric source is away'], mishapEvery: 20_000 },
  }),
  /** Endpoints follow slowly. */
  sluggish: brief({
    versions: [{}, { errors: 'many' }],
    spec: { ...CHECKS, ...NO_GATES, ...WINDOW, traffic: { convergeSeconds: 60 } },
    faults: { endpoints: 8000 },
  }),
  /** Endpoints follow slowly, on a way back that comes late. */
  sluggishBack: brief({
    versions: [{ errors: 'many' }],
    spec: {
      ...NO_GATES,
      ...WINDOW,
      traffic: { convergeSeconds: 60 },
      observation: {
        ...CHECKS.observation,
        checks: CHECKS.observation.checks.map((check) => ({ ...check, failureLimit: 4 })),
      },
    },
    faults: { endpoints: 6000 },
  }),
  /** Endpoints follow later than they may. */
  unfollowed: brief({
    versions: GOOD,
    spec: { ...QUICK, ...GATES, ...WINDOW, traffic: { convergeSeconds: 5 } },
    faults: { endpoints: 20_000 },
  }),
  /** Connections take minutes to drain, and the next release comes sooner. */
  draining: brief({
    count: 6,
    versions: GOOD,
    spec: { ...QUICK, ...NO_GATES, rollback: { windowSeconds: 0 }, traffic: { drainSeconds: 120 } },
    faults: { deedEvery: 40_000 },
  }),
  /** Connections take minutes to drain, and the side that they are on stands by for longer. */
  recycled: brief({
    versions: GOOD,
    spec: { ...QUICK, ...NO_GATES, ...WINDOW, traffic: { drainSeconds: 90 } },
    faults: { deedEvery: 400_000 },
  }),
  /** The release is deleted soon after a switch. */
  deleted: brief({
    versions: GOOD,
    deleted: true,
    spec: { ...QUICK, ...NO_GATES, ...WINDOW, traffic: { drainSeconds: 600 } },
  }),
  /** The release is deleted while the source runs something else than what serves, or nothing. */
  deletedApart: brief(
    {
      versions: [{}, { broken: 'crash' }],
      count: 3,
      deleted: true,
      spec: { ...QUICK, ...NO_GATES, ...WINDOW },
    },
    'harsh',
  ),
  /** An autoscaler, and traffic that comes and goes. */
  load: brief({
    versions: [{ startMs: [500, 30_000] }],
    spec: { ...CHECKS, ...GATES, ...WINDOW, ...SCALED },
    faults: { only: ['change the load'], worst: 1, foreign: 0 },
  }),
  /** A candidate of some of the pods, to which an autoscaler adds the others when it has the traffic. */
  growing: brief({
    replicas: 6,
    versions: [{ startMs: [20_000, 40_000] }],
    spec: {
      ...CHECKS,
      ...NO_GATES,
      ...WINDOW,
      ...SCALED,
      capacity: { candidate: '30%', window: '100%' },
      preparation: { deadlineSeconds: 180 },
    },
  }),
  /** An autoscaler and people scale, and the operator hears of it late. */
  lateNews: brief({
    versions: GOOD,
    spec: { ...QUICK, ...NO_GATES, ...WINDOW, ...SCALED },
    faults: { only: ['change the load', 'scale a colour'], worst: 1, foreign: 0.5, lag: 8000 },
  }),
  /** An autoscaler, and traffic that grows while a side stands by. */
  windowLoad: brief({
    count: 3,
    versions: GOOD,
    spec: { ...QUICK, ...NO_GATES, ...WINDOW, ...SCALED },
    faults: { deedEvery: 500_000, only: ['change the load'], worst: 1, foreign: 0 },
  }),
  /** A colour is deleted or scaled by hand. */
  hands: brief({
    versions: GOOD,
    spec: { ...QUICK, ...NO_GATES, rollback: { windowSeconds: 0 } },
    faults: { only: ['delete a colour', 'scale a colour'], worst: 1, foreign: 1 },
  }),
  /** The colour loses its pods while the source is adopted, and new ones take their time. */
  adoption: brief({
    count: 3,
    versions: [{ startMs: [40_000, 60_000] }],
    spec: { ...QUICK, ...NO_GATES, traffic: { drainSeconds: 300 } },
    faults: { only: ['delete a colour'], foreign: 1, worst: 1, deedEvery: 30_000 },
  }),
  /** The operator dies at every other write. */
  crashes: brief({
    versions: GOOD,
    spec: { ...QUICK, ...NO_GATES, ...WINDOW },
    faults: { crash: 0.15, answerLost: 0.1 },
  }),
  /** Calls fail. */
  errors: brief({ versions: GOOD, spec: { ...QUICK, ...NO_GATES, ...WINDOW }, faults: { callFails: 0.2 } }),
  /** Two operators with old caches, and selectors that drift. */
  two: brief(
    {
      count: 6,
      versions: [{}, { errors: 'many' }],
      spec: { ...CHECKS, ...NO_GATES, ...WINDOW },
      faults: {
        only: [
          'two operators work at once',
          'put the selector of Git back',
          'point the Service elsewhere',
          'edit a colour',
          'give an order',
        ],
        worst: 0.3,
        mishapEvery: 60_000,
        lag: 5000,
      },
    },
    'harsh',
  ),
  /** Two operators, one of which hears late of what the other one does. */
  stale: brief({
    count: 5,
    versions: [{}, { errors: 'many' }],
    spec: { ...CHECKS, ...NO_GATES, ...WINDOW },
    faults: { only: ['two operators work at once', 'give an order'], worst: 0.5, foreign: 0, lag: 12_000 },
  }),
  /** The status is lost or old. */
  forgotten: brief({
    versions: [{}, { errors: 'many' }],
    spec: { ...CHECKS, ...NO_GATES, ...WINDOW },
    faults: {
      only: ['the status is lost', 'clear the status', 'the operator is killed'],
      ...OFTEN,
      foreign: 1,
    },
  }),
  /** Many revisions, of which few are kept. */
  history: brief({
    count: 8,
    versions: GOOD,
    spec: { ...QUICK, ...NO_GATES, ...WINDOW, historyLimit: 2 },
    faults: { only: ['edit the spec'], foreign: 0, worst: 0 },
  }),
  /** What serves is older than many that failed, of which few are kept. */
  failing: brief({
    count: 8,
    versions: [{}, { smoke: 'fail' }, { smoke: 'fail' }, { smoke: 'fail' }],
    spec: { ...QUICK, ...GATES, ...WINDOW, historyLimit: 2 },
    faults: { deedEvery: 90_000 },
  }),
  /** Several Services, of which a policy keeps one or another. */
  services: brief({
    services: 3,
    versions: [{}, { errors: 'many' }],
    spec: { ...CHECKS, ...NO_GATES, ...WINDOW, traffic: { convergeSeconds: 60 } },
    faults: { only: ['a policy keeps a Service'], mishapEvery: 60_000, endpoints: 2000 },
  }),
  /** A preview, and candidates that are good, slow and bad. */
  previews: brief({
    previews: 1,
    versions: [{}, {}, { smoke: 'fail', startMs: [5000, 20_000] }],
    spec: { ...QUICK, ...GATES, ...WINDOW },
  }),
  warmUps: brief({
    versions: [{ startMs: [500, 20_000] }],
    spec: { ...QUICK, ...NO_GATES, preparation: { deadlineSeconds: 180, warmUp: { requests: 5 } } },
  }),
  /** Budgets that ask for more than a small side has. */
  budgets: brief({
    replicas: 2,
    versions: [{}, { errors: 'many' }],
    spec: {
      ...CHECKS,
      ...NO_GATES,
      ...WINDOW,
      capacity: { candidate: '100%', window: '50%', standby: 1 },
      rollback: { windowSeconds: 300 },
      podDisruptionBudget: { minAvailable: 2 },
    },
  }),
  /** The release is deleted while the source says what serves: production goes back to it. */
  ejected: brief({
    replicas: 5,
    count: 2,
    versions: [{ startMs: [500, 30_000] }],
    deleted: true,
    spec: { ...QUICK, ...NO_GATES, ...WINDOW, traffic: { drainSeconds: 120 } },
  }),
  ejectedScaled: brief({
    count: 2,
    versions: GOOD,
    deleted: true,
    spec: { ...QUICK, ...NO_GATES, ...WINDOW, ...SCALED },
  }),
  /** Several Services, whose endpoints follow slowly. */
  slowServices: brief({
    services: 3,
    versions: [{ errors: 'many' }],
    spec: {
      ...NO_GATES,
      ...WINDOW,
      traffic: { convergeSeconds: 60 },
      observation: {
        ...CHECKS.observation,
        checks: CHECKS.observation.checks.map((check) => ({ ...check, failureLimit: 4 })),
      },
    },
    faults: { endpoints: 6000 },
  }),
  /** A budget for a side that is emptied when its window is over. */
  emptied: brief({
    versions: GOOD,
    spec: {
      ...QUICK,
      ...NO_GATES,
      capacity: { candidate: '100%', window: '100%', standby: 0 },
      rollback: { windowSeconds: 300 },
      podDisruptionBudget: { minAvailable: 1 },
    },
  }),
  /** The metric source goes away when the traffic has come. */
  dark: brief({
    versions: GOOD,
    spec: { ...CHECKS, ...NO_GATES, ...WINDOW },
    faults: { only: ['the metric source is away'], worst: 1, mishapEvery: 3_600_000 },
  }),
  /** An autoscaler, and candidates that are ready after minutes. */
  slowLoad: brief({
    replicas: 5,
    count: 3,
    versions: [{ startMs: [80_000, 110_000] }],
    spec: { ...QUICK, ...NO_GATES, ...WINDOW, ...SCALED, preparation: { deadlineSeconds: 180 } },
    faults: { deedEvery: 300_000 },
  }),
} satisfies Readonly<Record<string, Kind>>;

export type KindName = keyof typeof table;

export const KINDS: Readonly<Record<KindName, Kind>> = table;
