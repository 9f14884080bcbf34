/**
 * Releases on fake nodes, operators that share them and are killed at random, a proxy that fails in every way, people
 * who change things; then peace, and the question whether every promise was kept.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { auditLines } from '../e2e/audit-log.ts';
import { isWrite } from '../faults/asked.ts';
import { type FaultProxy, startFaultProxy } from '../faults/proxy.ts';
import { createWeather } from '../faults/weather.ts';
import { condition, SHOP, type Shop } from '../integration/operator/shop.ts';
import { World } from '../integration/operator/world.ts';
import { createRandom, type Random } from '../simulation/random.ts';
import { switchesIn } from '../support/audit.ts';
import { eventually } from '../support/eventually.ts';
import { type Operators, startOperators } from './operators.ts';
import { pause } from './pause.ts';
import { actOn, makePeace } from './users.ts';
import { type Findings, startWitness, type Witness } from './witness.ts';

export interface SoakOptions {
  readonly seed: number;
  readonly releases: number;
  /** How long everything goes wrong; milliseconds. */
  readonly troubleMs: number;
  readonly progress: (line: string) => void;
}

export interface SoakReport {
  readonly seed: number;
  readonly releases: number;
  readonly troubleSeconds: number;
  readonly kills: number;
  /** How often an operator ended by itself, and was started again. */
  readonly ends: number;
  readonly faults: Readonly<Record<string, number>>;
  readonly acts: Readonly<Record<string, number>>;
  /** Production patches that were carried out, by the audit log. */
  readonly switches: { readonly forward: number; readonly back: number };
  readonly checks: Readonly<Record<string, number>>;
  readonly violations: readonly string[];
}

const PATIENCE_MS = 300_000;
/** No write for so long is rest: the slowest of what comes by itself, a drain, is over in 5 seconds. */
const QUIET_MS = 12_000;

export async function soak(options: SoakOptions): Promise<SoakReport> {
  const world = await World.start(Math.ceil((options.releases * 10) / 250) + 1);
  const proxy = await startFaultProxy(world.cluster);
  try {
    await world.useBundle();
    return await run(options, world, proxy);
  } finally {
    await world.stop();
    await proxy.stop();
  }
}

async function run(options: SoakOptions, world: World, proxy: FaultProxy): Promise<SoakReport> {
  const witness = await startWitness(world.client, SHOP);
  const operators = await startOperators(world, proxy);
  try {
    return await report(options, { world, proxy, witness, operators });
  } finally {
    operators.leave();
    await witness.stop();
  }
}

interface Cast {
  readonly world: World;
  readonly proxy: FaultProxy;
  readonly witness: Witness;
  readonly operators: Operators;
}

async function report(
  { seed, releases, troubleMs, progress }: SoakOptions,
  { world, proxy, witness, operators }: Cast,
): Promise<SoakReport> {
  const random = createRandom(seed);
  progress(`adopting ${releases} releases`);
  const shops = await adopt(world, releases);

  progress(`${troubleMs / 1000} s of trouble, seed ${seed}`);
  proxy.board.weather = createWeather({ seed: random.between(0, 2 ** 31), share: 0.2, watchMs: 20_000 });
  const over = new AbortController();
  const acts: Record<string, number> = {};
  const trouble = Promise.all([
    operators.killAtRandom(random.fork(), over.signal),
    people(shops, random.fork(), over.signal, acts),
  ]);
  await sleep(troubleMs);
  over.abort();
  const [kills] = await trouble;
  proxy.board.weather = undefined;

  progress(`${kills} kills; peace`);
  // What went silent stays so for a minute and a half: not what is waited for here.
  await operators.restart();
  const version = 'peace';
  await Promise.all(shops.map((shop) => makePeace(shop, version)));
  await Promise.all(shops.map((shop) => endsOn(shop, version)));
  const stray = await rest(proxy, progress);
  const findings = merge(witness.findings(), marks(world, shops), atRest(shops.length, stray));
  return {
    seed,
    releases,
    troubleSeconds: troubleMs / 1000,
    kills,
    ends: operators.ends,
    faults: proxy.board.counts,
    acts,
    switches: countSwitches(world, shops),
    ...findings,
  };
}

async function adopt(world: World, count: number): Promise<Shop[]> {
  const shops: Shop[] = [];
  // Some at a time: what is measured here is not how many namespaces a cluster makes in a second.
  while (shops.length < count) {
    const some = Array.from({ length: Math.min(20, count - shops.length) }, () => world.shop());
    shops.push(...(await Promise.all(some)));
  }
  for (const shop of shops) shop.patienceMs = PATIENCE_MS;
  await Promise.all(shops.map((shop) => shop.release()));
  await Promise.all(shops.map((shop) => shop.settledOn('r1')));
  return shops;
}

async function people(
  shops: readonly Shop[],
  random: Random,
  signal: AbortSignal,
  acts: Record<string, number>,
): Promise<void> {
  // Each release is met every ten seconds or so.
  while (await pause(random.between(0, 20_000 / shops.length), signal)) {
    const act = await actOn(random.pick(shops), random);
    if (act !== undefined) acts[act] = (acts[act] ?? 0) + 1;
  }
}

/** The last wish serves, verified, and nothing is under way. */
function endsOn(shop: Shop, version: string): Promise<unknown> {
  return shop.until(`end on ${version}`, async (release) => {
    const isReady = condition(release, 'Ready')?.status === 'True';
    const images: string[] = release.status?.active?.images ?? [];
    return isReady && images.some((image) => image.endsWith(`:${version}`));
  });
}

/** The writes that came although nothing was to be done; none, where the operators rest. */
async function rest(proxy: FaultProxy, progress: (line: string) => void): Promise<string[]> {
  let last = performance.now();
  const writes: string[] = [];
  proxy.onSeen = ({ asked }) => {
    if (!isWrite(asked)) return;
    last = performance.now();
    writes.push(`${asked.verb} ${asked.resource} in ${asked.namespace}`);
  };
  try {
    await eventually('no more writes', PATIENCE_MS, () => performance.now() - last > QUIET_MS || undefined);
    progress('at rest');
    return [];
  } catch {
    return writes.slice(-10);
  }
}

function atRest(releases: number, stray: readonly string[]): Findings {
  const promise = 'at rest nothing is written';
  return { checks: { [promise]: releases }, violations: stray.map((write) => `${promise}: ${write}`) };
}

/** Each switch carries the mark in the same patch. */
function marks(world: World, shops: readonly Shop[]): Findings {
  const promise = 'a switch carries its mark in the same patch';
  const violations: string[] = [];
  const all = switchesOf(world, shops).filter(({ user }) => user.startsWith('system:serviceaccount:'));
  for (const { namespace, color, mark, user } of all)
    if (mark === undefined) violations.push(`${promise}: ${namespace} to ${color} by ${user}`);
  return { checks: { [promise]: all.length }, violations };
}

function countSwitches(world: World, shops: readonly Shop[]): SoakReport['switches'] {
  const all = switchesOf(world, shops);
  const count = (direction: string): number => all.filter(({ mark }) => mark?.direction === direction).length;
  return { forward: count('Forward'), back: count('Back') };
}

function switchesOf({ cluster }: World, shops: readonly Shop[]) {
  const lines = auditLines(cluster.auditLog);
  return shops.flatMap(({ namespace }) =>
    switchesIn(lines, { namespace, name: SHOP }).map((each) => ({ namespace, ...each })),
  );
}

function merge(...findings: readonly Findings[]): Findings {
  return {
    checks: Object.assign({}, ...findings.map(({ checks }) => checks)),
    violations: findings.flatMap(({ violations }) => violations),
  };
}
