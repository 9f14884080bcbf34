/** Many situations, each with a sentence for a name: variations of what `situations.ts` has. */
import {
  built,
  committed,
  FORWARD_1,
  FORWARD_2,
  fresh,
  idle,
  observed,
  r1,
  r2,
  r2Committed,
  r2Verified,
  returning,
  rolledBack,
  SITUATIONS,
  started,
  switched,
  validated,
} from './situations.ts';
import { endpointsOf, HOUR, MINUTE, NOON, type Picture, SECOND, UID } from './world.ts';

const hpa = { autoscaling: { spec: { minReplicas: 2, maxReplicas: 10 } } };
const gates = {
  gates: [{ name: 'smoke', job: { spec: { template: { spec: { containers: [] } } } }, timeoutSeconds: 60 }],
};
const checks = {
  observation: {
    durationSeconds: 300,
    checks: [
      { name: 'errors', intervalSeconds: 10, failureLimit: 2, prometheus: { query: 'q', max: '0.01' } },
    ],
  },
};
const measured = (...verdicts: ('Good' | 'Bad' | 'Unknown')[]): NonNullable<Picture['observations']> => ({
  measurements: {
    errors: verdicts.map((verdict, index) => ({
      at: NOON - (verdicts.length - index) * SECOND,
      verdict,
      reason: verdict === 'Bad' ? 'AboveMax' : verdict === 'Good' ? 'WithinBounds' : 'NoData',
      message: `measured ${verdict}`,
    })),
  },
});
const act = (action: string, more: Picture['release'] = {}): Pick<Picture, 'release'> => ({
  release: { action, ...more },
});
const suspend = { suspend: true };
const none = { ready: 0, desired: 3 };
const later = NOON + 10 * MINUTE;
const adoption = {
  color: 'blue' as const,
  attempt: 1,
  startedAt: NOON - MINUTE,
  adoption: true,
  sourceReplicas: 3,
};
const source = { replicas: 3, paused: true, live: { fingerprint: 'v1', replicaSet: 'checkout-abc' } };
const adopting: Picture = { source, revisions: { r1: adoption } };
const adoptingBuilt: Picture = { ...adopting, blue: { revision: 'r1', ready: 3 } };
const adoptingReady: Picture = {
  ...adoptingBuilt,
  revisions: { r1: { ...adoption, validatedAt: NOON - SECOND } },
};
const adoptingSwitched: Picture = { ...adoptingReady, route: 'blue', mark: FORWARD_1 };
const adoptingProven: Picture = {
  ...adoptingSwitched,
  revisions: {
    r1: { ...adoption, validatedAt: NOON - 9 * SECOND, verifiedAt: NOON - 5 * SECOND, verifiedReady: 3 },
  },
};
const returnWanted = { at: NOON - 10 * SECOND, reason: 'CheckFailed', message: 'too many errors' };

export const PICTURES: Readonly<Record<string, Picture>> = {
  ...SITUATIONS,

  // Orders.
  'abort while it is prepared': { ...built, ...act('abort@2') },
  'abort in the switch': { ...switched, ...act('abort@2') },
  'abort while it is watched': { ...observed, ...act('abort@2') },
  'abort at rest does nothing': { ...committed, ...act('abort@2') },
  'rollback in the switch': { ...switched, ...act('rollback@2') },
  'rollback while it is watched': { ...observed, ...act('rollback@2') },
  'rollback inside the window': { ...committed, ...act('rollback@2') },
  'rollback after the window': { ...committed, now: NOON + 49 * HOUR, ...act('rollback@2') },
  'rollback of what went back already': { ...rolledBack, ...act('rollback@2') },
  'rollback without a target': { ...idle, ...act('rollback@1') },
  'promote while it is watched': { ...observed, spec: checks, ...act('promote@2') },
  'promote while it is prepared': { ...built, ...act('promote@2') },
  'promote at rest does nothing': { ...committed, ...act('promote@2') },
  'retry of what was rejected': { ...rolledBack, source: { fingerprint: 'v2' }, ...act('retry@2') },
  'retry of what is active does nothing': { ...idle, ...act('retry@1') },
  'retry of what stands by goes back': { ...committed, source: { fingerprint: 'v1' }, ...act('retry@2') },
  'retry while suspended does nothing': {
    ...rolledBack,
    source: { fingerprint: 'v2' },
    spec: suspend,
    ...act('retry@2'),
  },
  'an order for an earlier attempt does nothing': { ...observed, ...act('rollback@1') },
  'an order that nobody knows does nothing': { ...observed, ...act('destroy@2') },
  'an order without an attempt does nothing': { ...observed, ...act('rollback') },

  // Production is dead.
  'dead at rest, nothing stands by': { ...idle, blue: { revision: 'r1', ...none } },
  'dead inside the window, the target is ready': {
    ...committed,
    blue: { revision: 'r1', ready: 3 },
    green: { revision: 'r2', ...none },
  },
  'dead inside the window, the target as well': {
    ...committed,
    blue: { revision: 'r1', ...none },
    green: { revision: 'r2', ...none },
  },
  'dead while it is watched, the target is ready': {
    ...observed,
    green: { revision: 'r2', ...none },
  },
  'dead while it is watched, the target as well': {
    ...observed,
    blue: { revision: 'r1', ...none },
    green: { revision: 'r2', ...none },
  },
  'dead in the switch, the target is ready': { ...switched, green: { revision: 'r2', ...none } },
  'dead, held and nothing stands by': {
    ...observed,
    now: later,
    spec: checks,
    observations: measured('Unknown'),
    blue: { revision: 'r1', ...none },
    green: { revision: 'r2', ...none },
  },
  'dead while suspended': {
    ...idle,
    spec: suspend,
    source: { fingerprint: 'v2' },
    blue: { revision: 'r1', ...none },
  },
  'dead while the next one is prepared': { ...built, blue: { revision: 'r1', ...none } },
  'dead on the way back': { ...returning, blue: { revision: 'r1', ...none } },

  // Selectors and marks.
  'selector stripped at rest': { ...idle, route: undefined },
  'selector and mark stripped at rest': { ...idle, route: undefined, mark: undefined },
  'selector of the other colour at rest': { ...committed, route: 'blue' },
  'selector stripped while it is prepared': { ...built, route: undefined },
  'selector stripped while it is watched, told by whom': {
    ...observed,
    route: undefined,
    service: { selectorWriter: 'argocd' },
  },
  'selector stripped in the switch': { ...switched, route: undefined },
  'selector stripped on the way back': { ...returning, route: undefined },
  'selector stripped while it drains after the adoption': { ...adoptingProven, route: undefined },
  'mark lost at rest': { ...idle, mark: undefined },
  'mark of another release': { ...idle, mark: 'other/r1/1' },
  'mark of an attempt that never was': { ...idle, mark: `${UID}/r1/9` },
  'selector astray, and where it should point is dead': {
    ...committed,
    route: 'blue',
    green: { revision: 'r2', ...none },
  },
  'one of two Services is astray': {
    ...idle,
    services: ['checkout', 'admin'],
    spec: { traffic: { services: [{ name: 'checkout' }, { name: 'admin' }] } },
    route: undefined,
  },
  'the Service is gone': { ...idle, service: { found: false } },

  // Under way.
  'suspended while it is prepared': { ...built, spec: suspend },
  'superseded by another content': { ...built, source: { fingerprint: 'v3' } },
  'superseded by what is active': { ...built, source: { fingerprint: 'v1' } },
  'validated, and another content is wished for': { ...validated, source: { fingerprint: 'v3' } },
  'validated, and what is active is wished for': { ...validated, source: { fingerprint: 'v1' } },
  'the candidate is on the colour that serves': {
    ...started,
    revisions: { r1, r2: { ...r2, color: 'blue' } },
  },
  'the candidate waits for the drain': {
    ...started,
    green: { revision: 'r0', ready: 3 },
    revisions: { r1: { ...r1, verifiedAt: NOON - 20 * SECOND }, r2 },
  },
  'the candidate is half there': { ...built, green: { revision: 'r2', ready: 1, desired: 3 } },
  'the candidate is there, and not yet available': {
    ...built,
    green: { revision: 'r2', ready: 3, deployment: { available: 1 } },
  },
  'the candidate is late': { ...built, now: later, green: { revision: 'r2', ready: 1, desired: 3 } },
  'the candidate crashes': {
    ...built,
    green: {
      revision: 'r2',
      ...none,
      pods: [{ trouble: { container: 'app', reason: 'CrashLoopBackOff', restarts: 3 } }, {}, {}],
    },
  },
  'the candidate crashed until its deadline': {
    ...built,
    now: later,
    green: {
      revision: 'r2',
      ...none,
      pods: [{ trouble: { container: 'app', reason: 'OOMKilled', restarts: 3 } }, {}, {}],
    },
  },
  'the image of the candidate cannot be pulled until its deadline': {
    ...built,
    now: later,
    green: {
      revision: 'r2',
      ...none,
      pods: [{ trouble: { container: 'app', reason: 'ImagePullBackOff', restarts: 0 } }, {}, {}],
    },
  },
  'no node has room for the candidate': {
    ...built,
    green: { revision: 'r2', ...none, pods: [{ unschedulable: 'insufficient cpu' }, {}, {}] },
  },
  'the quota is used up': {
    ...built,
    green: { revision: 'r2', ...none, deployment: { replicaFailure: 'exceeded quota' } },
  },
  'a gate is asked': { ...built, spec: gates },
  'a gate runs': { ...built, spec: gates, jobs: [{}] },
  'a gate passed': { ...built, spec: gates, jobs: [{ state: 'Complete' }] },
  'a gate failed': { ...built, spec: gates, jobs: [{ state: 'Failed', message: 'no checkout' }] },
  'a gate hung': { ...built, spec: gates, jobs: [{ state: 'Failed', deadlineExceeded: true }] },
  'no longer ready while a gate runs': {
    ...built,
    spec: gates,
    jobs: [{}],
    green: { revision: 'r2', ready: 1, desired: 3 },
  },
  'ready again while a gate runs': {
    ...built,
    spec: gates,
    jobs: [{}],
    revisions: { r1, r2: { ...r2, unreadySince: NOON - 5 * SECOND } },
  },
  'validated, and no longer ready': { ...validated, green: { revision: 'r2', ready: 1, desired: 3 } },
  'validated, and production has grown': { ...validated, blue: { revision: 'r1', ready: 5 } },
  'with an autoscaler the candidate is built': { ...started, spec: hpa, blue: { revision: 'r1', ready: 4 } },
  'with an autoscaler the candidate gets its lock': {
    ...built,
    spec: hpa,
    blue: { revision: 'r1', ready: 4, autoscaler: { minReplicas: 2 } },
    green: { revision: 'r2', ready: 4, autoscaler: { minReplicas: 2 } },
  },

  // The switch, the watch, the way back.
  'the endpoints do not follow': { ...switched, service: { endpoints: [] } },
  'the endpoints have not followed in time': {
    ...switched,
    switchedAt: NOON - MINUTE,
    service: { endpoints: [{ podUid: 'blue-pod-0', ready: true, serving: true, group: 'IPv4/http' }] },
  },
  'watched, and a check is due': { ...observed, now: NOON + 10 * SECOND, spec: checks },
  'watched, and a check is good': { ...observed, spec: checks, observations: measured('Good') },
  'watched, and a check is bad once': { ...observed, spec: checks, observations: measured('Bad') },
  'watched, and a check failed': { ...observed, spec: checks, observations: measured('Bad', 'Bad') },
  'watched to the end, and a check is good': {
    ...observed,
    now: NOON + 295 * SECOND,
    spec: checks,
    observations: measured('Good'),
  },
  'watched to the end, and a check is unknown': {
    ...observed,
    now: NOON + 295 * SECOND,
    spec: checks,
    observations: measured('Unknown'),
  },
  'watched, and too few pods are ready': { ...observed, green: { revision: 'r2', ready: 1, desired: 3 } },
  'watched, and too few pods are ready for long': {
    ...observed,
    green: { revision: 'r2', ready: 1, desired: 3 },
    previous: {
      checks: [{ name: 'availability', state: 'Bad', since: '2026-06-01T11:00:00Z', message: 'few' }],
    },
  },
  'watched, and the old side is too small': { ...observed, blue: { revision: 'r1', ready: 1 } },
  'watched, and the locks are over': {
    ...observed,
    now: NOON + 2 * MINUTE,
    spec: { ...hpa, observation: { durationSeconds: 600 } },
    blue: { revision: 'r1', ready: 3, autoscaler: { minReplicas: 3 } },
    green: { revision: 'r2', ready: 3, autoscaler: { minReplicas: 3 } },
  },
  'watched, and people have gone back': { ...observed, source: { fingerprint: 'v1' } },
  'a way back is wanted, and the target is too small': {
    ...observed,
    blue: { revision: 'r1', ready: 1 },
    revisions: { r1, r2: { ...r2Verified, returnWanted } },
  },
  'a way back was wanted a minute ago, and the target is too small': {
    ...observed,
    now: NOON + MINUTE,
    blue: { revision: 'r1', ready: 1 },
    revisions: { r1, r2: { ...r2Verified, returnWanted } },
  },
  'a way back is wanted, and the target is not there': {
    ...observed,
    now: NOON + MINUTE,
    blue: { revision: 'r1', ...none },
    revisions: { r1, r2: { ...r2Verified, returnWanted } },
  },
  'a way back is shut, and a fix is wished for': {
    ...observed,
    now: NOON + MINUTE,
    source: { fingerprint: 'v3' },
    blue: { revision: 'r1', ...none },
    revisions: { r1, r2: { ...r2Verified, returnWanted } },
  },
  'on the way back the endpoints do not follow': { ...returning, service: { endpoints: [] } },
  'back, and the reason was lost': { ...returning, switchReason: '' },
  'back, since the endpoints did not follow': { ...returning, switchReason: 'SwitchNotConverged: too late' },
  'rolled back, and still wished for': { ...rolledBack, source: { fingerprint: 'v2' } },
  'rolled back, and the proxies have followed': { ...rolledBack, now: NOON + 5 * SECOND },

  // At rest.
  'committed, and the window is over': { ...committed, now: NOON + 49 * HOUR },
  'committed, and a standby is kept': {
    ...committed,
    now: NOON + 49 * HOUR,
    spec: { capacity: { standby: 1 } },
  },
  'committed, and production has grown': { ...committed, green: { revision: 'r2', ready: 5 } },
  'committed, and people have gone back': { ...committed, source: { fingerprint: 'v1' } },
  'committed, and the standby was edited': {
    ...committed,
    blue: { revision: 'r1', ready: 3, deployment: { matches: false } },
  },
  'committed, and the standby is not ready': { ...committed, blue: { revision: 'r1', ...none } },
  'the active side was edited': {
    ...idle,
    blue: { revision: 'r1', ready: 3, deployment: { matches: false } },
  },
  'inconclusive, and not yet tried again': {
    ...idle,
    source: { fingerprint: 'v2' },
    revisions: {
      r1,
      r2: {
        ...r2,
        outcome: { kind: 'Inconclusive', at: NOON, reason: 'GateTimedOut', message: 'it took too long' },
        inconclusive: { count: 1, retryAt: NOON + 30 * SECOND },
      },
    },
  },
  'inconclusive, and tried again': {
    ...idle,
    now: NOON + 30 * SECOND,
    source: { fingerprint: 'v2' },
    revisions: {
      r1,
      r2: {
        ...r2,
        outcome: { kind: 'Inconclusive', at: NOON, reason: 'GateTimedOut', message: 'it took too long' },
        inconclusive: { count: 1, retryAt: NOON + 30 * SECOND },
      },
    },
  },
  'failed before the switch': {
    ...idle,
    source: { fingerprint: 'v2' },
    revisions: {
      r1,
      r2: {
        ...r2,
        outcome: { kind: 'Failed', at: NOON, reason: 'GateFailed', message: 'no checkout' },
        rejected: { at: NOON, reason: 'GateFailed', message: 'no checkout' },
      },
    },
  },
  'another content is wished for': { ...committed, source: { fingerprint: 'v3' } },
  'another content is wished for, and the answer is awaited': {
    ...committed,
    source: { fingerprint: 'v3' },
    observations: { preflight: { key: 'old', at: NOON, problems: [] } },
  },
  'another content is wished for, and refused': {
    ...committed,
    source: { fingerprint: 'v3' },
    observations: {
      preflight: {
        key: '1/v3/2',
        at: NOON,
        problems: [{ reason: 'Refused', message: 'the API server says no' }],
      },
    },
  },
  'another content is wished for, and nobody answered': {
    ...committed,
    source: { fingerprint: 'v3' },
    observations: { preflight: { key: '1/v3/2', at: NOON, problems: [], unanswered: 'the webhook is down' } },
  },
  'the source was scaled up by another writer': { ...idle, source: { replicas: 2 } },
  'the source was scaled up again a moment ago': {
    ...idle,
    source: { replicas: 2, parkedAt: NOON - 10 * SECOND },
  },
  'an autoscaler is no longer wanted': {
    ...idle,
    blue: { revision: 'r1', ready: 3, autoscaler: { minReplicas: 2 } },
  },
  'an autoscaler belongs to a stranger': {
    ...idle,
    spec: hpa,
    blue: { revision: 'r1', ready: 3, autoscaler: { ours: false } },
  },
  'the revisions are gone': { ...idle, revisions: {} },
  'only a candidate is left of the revisions': { ...built, mark: undefined, revisions: { r2 } },

  'another content is wished for, and was refused long ago': {
    ...committed,
    source: { fingerprint: 'v3' },
    observations: {
      preflight: { key: '1/v3/2', at: NOON - 15 * SECOND, problems: [{ reason: 'Refused', message: 'no' }] },
    },
  },

  // What others took away or wrote over.
  'the finalizer was taken away': { ...idle, release: { hasFinalizer: false } },
  'the source lost our label': { ...idle, source: { claimedBy: undefined } },
  'the source was paused': { ...idle, source: { paused: true } },
  'the source was scaled up again, and may be parked': {
    ...idle,
    source: { replicas: 2, parkedAt: NOON - MINUTE, scaledBy: 'kubectl-scale' },
  },
  'the Service lost its label': { ...idle, service: { labelled: false } },
  'the Service lost its claim': { ...idle, service: { claimedBy: undefined } },
  'the Service lost its claim, and could not be written a moment ago': {
    ...idle,
    service: { claimedBy: undefined },
    observations: { refusals: { checkout: { at: NOON - SECOND, message: 'no', final: true } } },
  },
  'a twin is gone': {
    ...idle,
    service: {
      twins: {
        blue: { found: true, ours: true, matches: true, endpoints: endpointsOf([{ uid: 'b', ready: true }]) },
        green: { found: false, ours: false, matches: false, endpoints: [] },
      },
    },
  },
  'a twin was edited': {
    ...idle,
    service: {
      twins: {
        blue: {
          found: true,
          ours: true,
          matches: false,
          endpoints: endpointsOf([{ uid: 'b', ready: true }]),
        },
        green: { found: true, ours: true, matches: true, endpoints: [] },
      },
    },
  },
  'the active Deployment is gone': { ...idle, blue: {} },
  'the active Deployment is gone, and replicas are stated': { ...idle, blue: {}, spec: { replicas: 5 } },
  'the active Deployment was scaled to 0': { ...idle, blue: { revision: 'r1', desired: 0, ready: 0 } },
  'more replicas are stated': { ...idle, spec: { replicas: 5 } },
  'fewer replicas are stated': { ...idle, spec: { replicas: 2 } },
  'fewer replicas are stated while it is watched': { ...observed, spec: { replicas: 2 } },
  'the Deployment lacks the labels that are stated': {
    ...idle,
    blue: { revision: 'r1', ready: 3, deployment: { carriesStated: false } },
  },

  // Capacity locks.
  'an autoscaler is wanted since': { ...idle, spec: hpa },
  'the autoscaler was edited': {
    ...idle,
    spec: hpa,
    blue: { revision: 'r1', ready: 3, autoscaler: { minReplicas: 2, matches: false } },
  },
  'the switch is proven, with autoscalers': {
    ...switched,
    spec: hpa,
    green: { revision: 'r2', ready: 3, autoscaler: { minReplicas: 3 } },
    blue: { revision: 'r1', ready: 3, autoscaler: { minReplicas: 2 } },
  },
  'production may scale in while its candidate is prepared': {
    ...built,
    spec: hpa,
    green: { revision: 'r2', ready: 3, autoscaler: { minReplicas: 3 } },
    blue: { revision: 'r1', ready: 3, autoscaler: { minReplicas: 3 } },
  },
  'production keeps its lock while it is watched, for a minute': {
    ...observed,
    spec: hpa,
    green: { revision: 'r2', ready: 3, autoscaler: { minReplicas: 2 } },
    blue: { revision: 'r1', ready: 3, autoscaler: { minReplicas: 2 } },
  },
  'the lock of production ends while it is watched': {
    ...observed,
    now: NOON + 55 * SECOND,
    spec: hpa,
    green: { revision: 'r2', ready: 3, autoscaler: { minReplicas: 3 } },
    blue: { revision: 'r1', ready: 3, autoscaler: { minReplicas: 3 } },
  },
  'the old side has its lock inside the window': {
    ...committed,
    spec: hpa,
    green: { revision: 'r2', ready: 5, autoscaler: { minReplicas: 2 } },
    blue: { revision: 'r1', ready: 3, autoscaler: { minReplicas: 2 } },
  },
  'the autoscaler cannot have as many as production has': {
    ...committed,
    spec: { autoscaling: { spec: { maxReplicas: 4 } } },
    green: { revision: 'r2', ready: 9, autoscaler: { minReplicas: 1 } },
    blue: { revision: 'r1', ready: 3, autoscaler: { minReplicas: 1 } },
  },
  'after the window the lock of a standby is what is kept': {
    ...committed,
    now: NOON + 49 * HOUR,
    spec: { ...hpa, capacity: { standby: 3 } },
    green: { revision: 'r2', ready: 3, autoscaler: { minReplicas: 2 } },
    blue: { revision: 'r1', ready: 3, autoscaler: { minReplicas: 2 } },
  },

  // Sizes.
  'a share of production is asked of the candidate': {
    ...started,
    spec: { capacity: { candidate: '50%' } },
  },
  'a number is asked of the candidate': { ...started, spec: { capacity: { candidate: 2 } } },
  'production was scaled to 0 while its candidate is built': {
    ...started,
    blue: { revision: 'r1', ready: 0, desired: 0 },
  },
  'production is half ready while its candidate is built': {
    ...started,
    blue: { revision: 'r1', ready: 2, desired: 4 },
  },
  'the candidate stood there with more pods': { ...built, green: { revision: 'r2', ready: 5 } },
  'a share of production is asked of the old side': {
    ...committed,
    spec: { capacity: { window: '50%' } },
    green: { revision: 'r2', ready: 10 },
  },
  'what never was kept has no standby': {
    ...idle,
    spec: { capacity: { standby: 2 } },
    green: { revision: 'r2', ready: 3 },
    revisions: { r1, r2: { ...r2, outcome: { kind: 'Failed', at: NOON, reason: 'Aborted', message: 'no' } } },
  },

  // Times that people read.
  'the way back takes as long as the endpoints took': {
    ...committed,
    revisions: { r1, r2: { ...r2Committed, decidedAt: NOON - 9 * SECOND } },
  },
  'the way back takes as long as the pods take as well': {
    ...committed,
    blue: { revision: 'r1', ready: 1, desired: 3 },
    revisions: {
      r1: { ...r1, startUpSeconds: 400 },
      r2: { ...r2Committed, decidedAt: NOON - 9 * SECOND },
    },
  },
  'the way back takes as long as the pods take where none is there': {
    ...committed,
    blue: { revision: 'r1', ready: 0, desired: 3 },
    revisions: {
      r1: { ...r1, startUpSeconds: 400 },
      r2: { ...r2Committed, decidedAt: NOON - 9 * SECOND },
    },
  },
  'a side that requests something is counted': {
    ...committed,
    blue: { revision: 'r1', ready: 3, deployment: { requests: { cpu: 0.5, memory: 2 ** 30 } } },
  },
  'the times of a switch are kept as they were seen first': {
    ...observed,
    previous: {
      switch: {
        direction: 'Forward',
        to: 'green',
        revision: 'r2',
        decidedAt: '2026-06-01T11:59:55.000Z',
        patchedAt: '2026-06-01T11:59:56.000Z',
        convergedAt: '2026-06-01T11:59:57.000Z',
        services: [
          {
            name: 'checkout',
            inSync: true,
            converged: true,
            ready: 3,
            decidedAt: '2026-06-01T11:59:55.000Z',
            patchedAt: '2026-06-01T11:59:56.000Z',
            convergedAt: '2026-06-01T11:59:57.000Z',
          },
        ],
      },
    },
  },
  'the times of an earlier switch are not those of this one': {
    ...observed,
    previous: {
      switch: {
        direction: 'Forward',
        to: 'blue',
        revision: 'r1',
        decidedAt: '2026-06-01T11:00:00.000Z',
        convergedAt: '2026-06-01T11:00:01.000Z',
      },
    },
  },
  'the patch was answered': {
    ...switched,
    observations: { patches: { checkout: { mark: FORWARD_2, at: NOON - 4 * SECOND } } },
  },
  'the patch of an earlier order was answered': {
    ...switched,
    observations: { patches: { checkout: { mark: FORWARD_1, at: NOON - 4 * SECOND } } },
  },

  // Adoption.
  'adoption: the finalizer comes first': { ...fresh, release: { hasFinalizer: false } },
  'adoption: suspended': { ...fresh, spec: suspend },
  'adoption: the Service is claimed': { ...fresh, service: { claimedBy: undefined, labelled: false } },
  'adoption: no pod is ready': { ...fresh, source: { replicas: 3, claimedBy: undefined } },
  'adoption: a colour serves already': {
    ...idle,
    revisions: {},
    mark: undefined,
    blue: { revision: 'r4', ready: 3 },
  },
  'adoption: the source is held': { ...adopting, source: { ...source, paused: false } },
  'adoption: the source has an autoscaler': {
    ...adopting,
    spec: hpa,
    source: { ...source, paused: false, autoscalers: [{ name: 'web', uid: 'hpa-uid' }] },
  },
  'adoption: its autoscaler is stored': {
    ...adopting,
    spec: hpa,
    source: { ...source, storedAutoscaler: true, autoscalers: [{ name: 'web', uid: 'hpa-uid' }] },
  },
  'adoption: the colour is built': adopting,
  'adoption: the colour is too small': { ...adopting, blue: { revision: 'r1', ready: 1 } },
  'adoption: the colour is awaited': { ...adopting, blue: { revision: 'r1', ready: 1, desired: 3 } },
  'adoption: the colour is late': {
    ...adopting,
    now: later,
    blue: { revision: 'r1', ready: 1, desired: 3 },
  },
  'adoption: the colour is ready': adoptingBuilt,
  'adoption: the key goes in': adoptingReady,
  'adoption: the endpoints do not follow': { ...adoptingSwitched, service: { endpoints: [] } },
  'adoption: the endpoints prove it': adoptingSwitched,
  'adoption: it drains': adoptingProven,
  'adoption: it has drained': { ...adoptingProven, now: NOON + 25 * SECOND },
  'adoption: the source is parked': {
    ...adoptingProven,
    now: NOON + 25 * SECOND,
    source: { ...source, replicas: 0, paused: false },
  },
  'adoption: the colour died': { ...adoptingProven, blue: { revision: 'r1', ...none } },
  'adoption: the proof is lost': { ...adoptingProven, route: undefined, mark: undefined },
  'adoption: the source is gone': { ...adopting, source: null },
  'adoption: the source belongs to another release': {
    ...adopting,
    source: { ...source, claimedBy: 'another' },
  },

  // What is wrong with the input.
  'wrong: there is no Deployment': { ...fresh, source: null },
  'wrong: the Deployment belongs to another release': {
    ...fresh,
    source: { ...fresh.source, claimedBy: 'another' },
  },
  'wrong: there is no Service': { ...fresh, service: { found: false } },
  'wrong: the Service is an ExternalName': { ...fresh, service: { type: 'ExternalName' } },
  'wrong: the Service is headless': { ...fresh, service: { headless: true } },
  'wrong: the Service publishes what is not ready': { ...fresh, service: { publishNotReadyAddresses: true } },
  'wrong: the Service lacks the port at which pods are warmed up': {
    ...fresh,
    spec: { preparation: { warmUp: { requests: 10, port: 8080 } } },
  },
  'wrong: the Service has no selector': { ...fresh, service: { selector: {} } },
  'wrong: the Service belongs to another release': { ...fresh, service: { claimedBy: 'uid-9' } },
  'wrong: the Service does not select the Deployment': { ...fresh, service: { selector: { app: 'other' } } },
  'wrong: a twin belongs to a stranger': {
    ...fresh,
    service: {
      twins: {
        blue: { found: true, ours: false, matches: false, endpoints: [] },
        green: { found: false, ours: false, matches: false, endpoints: [] },
      },
    },
  },
  'wrong: a colour belongs to a stranger': {
    ...fresh,
    blue: { revision: 'r1', ready: 1, deployment: { ours: false } },
  },
  'wrong: the autoscaler is not stated': {
    ...fresh,
    source: { ...fresh.source, autoscalers: [{ name: 'web', uid: 'hpa-uid' }] },
  },
  'wrong: the autoscaler is too small for production': {
    ...started,
    spec: { autoscaling: { spec: { minReplicas: 1, maxReplicas: 2 } } },
    blue: { revision: 'r1', ready: 4 },
    revisions: { r1 },
  },
  'wrong: the autoscaler is ambiguous': {
    ...idle,
    spec: hpa,
    blue: { revision: 'r1', ready: 3, autoscaler: { ambiguous: true, minReplicas: 2 } },
  },
  'wrong: the pods of a gate would get traffic': {
    ...fresh,
    spec: {
      gates: [
        {
          name: 'smoke',
          job: {
            spec: { template: { metadata: { labels: { app: 'checkout' } }, spec: { containers: [] } } },
          },
        },
      ],
    },
  },

  // Deletion.
  'deleted at rest': { ...idle, ...act('', { deleting: true }) },
  'deleted inside the window, and it drains': {
    ...committed,
    switchedAt: NOON,
    ...act('', { deleting: true }),
  },
  'deleted inside the window': { ...committed, ...act('', { deleting: true }) },
  'deleted while it is adopted': { ...adoptingBuilt, ...act('', { deleting: true }) },
  'deleted while the colours serve with the source': {
    ...committed,
    route: undefined,
    ...act('', { deleting: true }),
  },
  'deleted, with a capacity lock': {
    ...idle,
    spec: hpa,
    blue: { revision: 'r1', ready: 3, autoscaler: { minReplicas: 3 } },
    ...act('', { deleting: true }),
  },
  'deleted, and let go already': { ...idle, ...act('', { deleting: true, hasFinalizer: false }) },
  'deleted, and the Service is gone': { ...idle, service: { found: false }, ...act('', { deleting: true }) },
};
