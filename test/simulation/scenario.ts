/** What one life of a release begins with: drawn from the seed. */
import type { ReleaseSpecInput } from '../../src/api/schema.ts';
import type { Faults } from './faults.ts';
import { MANY_MOMENTS } from './moments.ts';
import { createRandom, type Random } from './random.ts';
import { drawVersion, type Version, withSettings } from './versions.ts';

export interface Scenario {
  readonly replicas: number;
  readonly spec: ReleaseSpecInput;
  /** In the order in which people will wish for them; the first is what runs before the release exists. */
  readonly versions: readonly Version[];
  /** Milliseconds: how long people and mishaps go on. */
  readonly lively: number;
}

export const RELEASE = 'checkout';
export const SERVICE = 'checkout';
/** Further production Services, of which a life may have some, and a preview Service. */
const SIBLINGS = ['till', 'admin'];
const PREVIEW = 'next';
/** What people name as config of the release, where they do. */
export const SETTINGS = 'settings';
export const KEYS = 'keys';

/** Lives up to here have a Deployment in Git and no config: each of these seeds means what it always meant. */
export const PLAIN_SEEDS = 0x7fff_ffff;
export const MOST_SEED = 2 * MANY_MOMENTS - 1;

/** Lives after `PLAIN_SEEDS` state the Deployment in the release, or name config, or both. */
export function ofItsKind(seed: number, scenario: Scenario): Scenario {
  if (seed <= PLAIN_SEEDS) return scenario;
  // Of its own: what else is drawn does not depend on it.
  const random = createRandom(~seed);
  const { inline, config } = random.pick([
    { inline: true, config: false },
    { inline: false, config: true },
    { inline: true, config: true },
  ]);
  const secrets = random.chance(0.5) ? [{ name: KEYS }] : [];
  const template = { spec: { containers: [] } };
  return {
    ...scenario,
    versions: config ? withSettings(random, scenario.versions) : scenario.versions,
    spec: {
      ...scenario.spec,
      ...(inline && { workload: { deployment: { spec: { template } } } }),
      ...(config && { config: { configMaps: [{ name: SETTINGS }], secrets } }),
    },
  };
}

export function drawScenario(random: Random, { deedEvery }: Faults): Scenario {
  const count = random.between(3, 12);
  const replicas = random.pick([1, 2, 2, 3, 3, 5]);
  const spec = drawSpec(random);
  const versions = Array.from({ length: count }, (_, index) => drawVersion(random, index + 1));
  return {
    replicas,
    spec: { ...spec, traffic: { ...spec.traffic, ...drawServices(random) }, ...drawBudget(random) },
    versions,
    // People should have come to most of their versions by then.
    lively: count * deedEvery * 1.3 + 300_000,
  };
}

function drawServices(random: Random): ReleaseSpecInput['traffic'] {
  const siblings = SIBLINGS.slice(0, random.pick([0, 0, 1, 2]));
  const previews = random.chance(0.4) ? [PREVIEW] : [];
  return {
    services: [SERVICE, ...siblings].map((name) => ({ name })),
    previewServices: previews.map((name) => ({ name })),
  };
}

function drawBudget(random: Random): Pick<ReleaseSpecInput, 'podDisruptionBudget'> {
  if (!random.chance(0.3)) return {};
  const asks = random.pick([{ minAvailable: 2 }, { minAvailable: '60%' }, { maxUnavailable: 1 }] as const);
  return { podDisruptionBudget: asks };
}

/** Production Services beside the first one. */
export function siblingsOf({ spec }: Scenario): string[] {
  return (spec.traffic.services ?? []).slice(1).map(({ name }) => name);
}

export function previewsOf({ spec }: Scenario): string[] {
  return (spec.traffic.previewServices ?? []).map(({ name }) => name);
}

function drawSpec(random: Random): ReleaseSpecInput {
  const autoscaling = random.chance(0.3);
  const checks = random.chance(0.6)
    ? [
        {
          name: 'errors',
          intervalSeconds: random.pick([10, 20, 30]),
          failureLimit: random.between(1, 3),
          onUnknown: random.pick(['Hold', 'Hold', 'Ignore'] as const),
          prometheus: { query: 'errors{color="$(BLUEGREEN_COLOR)"}', max: '0.01' },
        },
      ]
    : [];
  const job = { spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'smoke' }] } } } };
  return {
    workload: { deploymentRef: { name: 'checkout' } },
    ...(autoscaling
      ? { autoscaling: { spec: { minReplicas: random.between(1, 2), maxReplicas: random.between(6, 10) } } }
      : random.chance(0.3) && { replicas: random.between(1, 4) }),
    traffic: {
      services: [{ name: SERVICE }],
      convergeSeconds: random.pick([10, 30, 60]),
      drainSeconds: random.pick([5, 30]),
    },
    capacity: {
      candidate: random.pick(['100%', '100%', '50%'] as const),
      window: random.pick(['100%', '50%', 0] as const),
      standby: random.pick([0, 0, 1, '50%'] as const),
    },
    preparation: {
      deadlineSeconds: random.pick([60, 180, 600]),
      ...(random.chance(0.2) && { warmUp: { requests: 5 } }),
    },
    gates: random.chance(0.6) ? [{ name: 'smoke', job, timeoutSeconds: random.pick([30, 120]) }] : [],
    observation: {
      durationSeconds: random.pick([0, 30, 120]),
      availability: { minReadyPercent: 50, forSeconds: random.pick([0, 10]) },
      checks,
    },
    rollback: {
      windowSeconds: random.pick([0, 300, 1800]),
      afterCommit: random.pick(['Alert', 'Rollback'] as const),
    },
    historyLimit: random.pick([2, 5, 10]),
  };
}
