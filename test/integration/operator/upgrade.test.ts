/**
 * A release that an older operator began is finished by this one. UPDATE_FIXTURES=1 writes what this version leaves
 * behind, for those that come; what is written stays as it is.
 */
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { ANNOTATION_SWITCH } from '../../../src/api/names.ts';
import { SERVICES } from '../../../src/kube/types.ts';
import { VERSION } from '../../../src/version.ts';
import { auditLines } from '../../e2e/audit-log.ts';
import { type Asked, describeAsked, isWrite } from '../../faults/asked.ts';
import { startFaultProxy } from '../../faults/proxy.ts';
import { parseMark, switchesIn } from '../../support/audit.ts';
import { ERRORS, Metrics } from './prometheus.ts';
import { history, SHOP, type Shop } from './shop.ts';
import { together } from './together.ts';
import { record, restore } from './upgrade.ts';
import { World } from './world.ts';

const FIXTURES = join(import.meta.dirname, '../../fixtures/upgrade');

interface State {
  /** The older operator ended when this was done. */
  readonly after: string;
  /** In this attempt. */
  readonly attempt: 1 | 2;
  /** Its metrics were bad then. */
  readonly bad?: boolean;
  /** What must become of it. */
  readonly history: readonly string[];
  /** Switches that are still to come. */
  readonly switches: readonly string[];
}

const STATES: Readonly<Record<string, State>> = {
  'an adoption with its colour written': {
    after: 'create deployments',
    attempt: 1,
    history: ['r1 Committed'],
    switches: ['Forward r1'],
  },
  'an adoption that has just switched': {
    after: 'the switch',
    attempt: 1,
    history: ['r1 Committed'],
    switches: [],
  },
  'a candidate that is prepared': {
    after: 'create deployments',
    attempt: 2,
    history: ['r1 Committed', 'r2 Committed'],
    switches: ['Forward r2'],
  },
  'a gate that runs': {
    after: 'create jobs',
    attempt: 2,
    history: ['r1 Committed', 'r2 Committed'],
    switches: ['Forward r2'],
  },
  'a switch that nobody was told of': {
    after: 'the switch',
    attempt: 2,
    history: ['r1 Committed', 'r2 Committed'],
    switches: [],
  },
  'a revision that is watched': {
    after: 'status Observing',
    attempt: 2,
    history: ['r1 Committed', 'r2 Committed'],
    switches: [],
  },
  'a way back that is under way': {
    after: 'the switch back',
    attempt: 2,
    bad: true,
    history: ['r1 Committed', 'r2 RolledBack'],
    switches: [],
  },
  'a revision that was rejected': {
    after: 'status RolledBack',
    attempt: 2,
    bad: true,
    history: ['r1 Committed', 'r2 RolledBack'],
    switches: [],
  },
};

const smoke: any = {
  name: 'smoke',
  job: {
    spec: { template: { spec: { containers: [{ name: 'a', image: 'a:1' }], restartPolicy: 'Never' } } },
  },
};
const spec: any = {
  autoscaling: { spec: { minReplicas: 2, maxReplicas: 5 } },
  gates: [smoke],
  observation: {
    durationSeconds: 3,
    checks: [
      { name: 'errors', intervalSeconds: 1, failureLimit: 2, prometheus: { query: ERRORS, max: '0.1' } },
    ],
  },
};

const fileOf = (state: string): string => `${state.replaceAll(' ', '-')}.yaml`;

describe('A release that an older operator left', function () {
  this.timeout(600_000);
  let world: World;
  let metrics: Metrics;
  let config: string;

  before(async function () {
    this.timeout(1_800_000); // the first run on a machine fetches or builds Kubernetes
    world = await World.start();
    await world.useBundle();
    metrics = await Metrics.start();
    config = await metrics.config(world.cluster.workDir);
    if (process.env.UPDATE_FIXTURES) await writeFixtures();
  });
  after(async () => {
    await world?.stop();
    await metrics?.stop();
  });

  const args = (shop: Shop): string[] => [
    '--no-leader-elect',
    '--config',
    config,
    '--namespace',
    shop.namespace,
  ];

  async function writeFixtures(): Promise<void> {
    const folder = join(FIXTURES, VERSION);
    mkdirSync(folder, { recursive: true });
    const missing = Object.entries(STATES).filter(([name]) => !existsSync(join(folder, fileOf(name))));
    await Promise.all(missing.map(([name, state]) => leaveIn(state, join(folder, fileOf(name)))));
  }

  async function leaveIn(state: State, file: string): Promise<void> {
    const shop = await world.shop();
    const proxy = await startFaultProxy(world.cluster);
    const operator = world.spawnOperator(await proxy.kubeconfig(world.kubeconfig), ...args(shop));
    await operator.isWorking();
    const begin = async (): Promise<void> => {
      if (state.attempt === 1) return shop.release(spec);
      if (state.bad) metrics.set(shop.namespace, '0.5');
      return shop.version('v2');
    };
    if (state.attempt === 2) {
      await shop.release(spec);
      await shop.settledOn('r1');
    }
    const left = new Promise<void>((resolve) => {
      proxy.onAnswer = async (asked, status) => {
        if (status >= 300 || !isWrite(asked) || !(await isOver(asked, state, shop))) return;
        await operator.end();
        resolve();
      };
    });
    await begin();
    await left;
    await proxy.stop();
    await record(shop, file);
  }

  async function isOver(asked: Asked, state: State, shop: Shop): Promise<boolean> {
    const [, phase] = /^status (.+)$/.exec(state.after) ?? [];
    if (state.after.startsWith('the switch'))
      return (await lastSwitch(shop)) === `${state.after} in ${state.attempt}`;
    if (phase === undefined) return describeAsked(asked) === state.after;
    return asked.resource === 'bluegreenreleases/status' && (await shop.read()).status.phase === phase;
  }

  async function lastSwitch(shop: Shop): Promise<string> {
    const { metadata } = await shop.get(SERVICES, SHOP);
    const mark = parseMark(metadata.annotations?.[ANNOTATION_SWITCH]);
    return `the switch${mark?.direction === 'Back' ? ' back' : ''} in ${mark?.attempt}`;
  }

  async function finish(version: string, name: string, state: State): Promise<void> {
    const shop = await world.emptyShop();
    if (state.bad) metrics.set(shop.namespace, '0.5');
    await restore(shop, join(FIXTURES, version, fileOf(name)));
    await world.operator(...args(shop));
    await shop.until(`end as ${state.history.at(-1)}`, (release) => {
      return String(history(release)) === String(state.history) && release.status.phase !== 'RollingBack';
    });
    const lines = auditLines(world.cluster.auditLog);
    const switches = switchesIn(lines, { namespace: shop.namespace, name: SHOP });
    expect(switches.map(({ mark }) => `${mark?.direction} ${mark?.revision}`)).to.deep.equal(state.switches);
    const [revision, outcome] = state.history.at(-1)?.split(' ') ?? [];
    const { status } = await shop.read();
    expect(status.revision).to.equal(outcome === 'Committed' ? revision : 'r1');
    expect(status.rejected?.map((each: any) => each.revision)).to.deep.equal(
      outcome === 'Committed' ? undefined : [revision],
    );
  }

  const isWritten = (version: string, name: string): boolean =>
    existsSync(join(FIXTURES, version, fileOf(name))) ||
    (version === VERSION && process.env.UPDATE_FIXTURES !== undefined);
  const found = [...new Set([...readdirSync(FIXTURES), VERSION])].flatMap((version) =>
    Object.entries(STATES)
      .filter(([name]) => isWritten(version, name))
      .map(([name, state]) => [`${version}: ${name}`, () => finish(version, name, state)]),
  );
  together(Object.fromEntries(found));
});
