/** A writer that puts the Service of Git onto the cluster again and again, and the policy that keeps the selector from it. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../support/eventually.ts';
import { watch } from '../support/follow.ts';
import { SHOP } from '../support/shop.ts';
import { PATIENCE_MS, type Shop } from './shop.ts';

const POLICY = join(import.meta.dirname, '../../deploy/policies/selector-keeper.yaml');
const KEY = 'bluegreen.dev/color';
const ROUND = 'example.com/round';

/** In the order in which they take turns. */
const WAYS = {
  'client-side apply': ['apply'],
  'server-side apply with --force-conflicts': [
    'apply',
    '--server-side',
    '--force-conflicts',
    '--field-manager=git',
  ],
  replace: ['replace'],
} as const;

type Way = keyof typeof WAYS;
const NAMES = Object.keys(WAYS) as Way[];

/** Resolves with what kubectl says. */
type Sync = (way: Way, round: number, ...more: string[]) => Promise<string>;

export interface Written {
  /** From the first write to the last: more than was asked for where a write takes longer than a second. */
  readonly seconds: number;
  /** Writes that succeeded, each of which changed the Service. */
  readonly writes: Readonly<Record<Way, number>>;
  /** Every selector that the Service had meanwhile, as JSON, in the order of first appearance. */
  readonly selectors: readonly string[];
  /** How often the operator wrote the Service meanwhile. */
  readonly repairs: number;
}

/** Returns when a write of what Git has would leave the selector of this Service alone. */
export async function installKeeper(shop: Shop): Promise<void> {
  const { target } = shop.stage;
  await target.kubectl(['apply', '-f', POLICY]);
  const sync = await syncOf(shop);
  const way = 'server-side apply with --force-conflicts';
  await eventually('waiting for the policy to be in force', PATIENCE_MS, async () => {
    const answer = JSON.parse(await sync(way, 0, '--dry-run=server', '-o', 'json'));
    return KEY in answer.spec.selector ? true : undefined;
  });
}

export async function removeKeeper({ stage }: Shop): Promise<void> {
  await stage.target.kubectl(['delete', '-f', POLICY, '--ignore-not-found']);
}

/** So many writes of what Git has, one a second, in one way after the other. Rejects at the first that is refused. */
export async function writeEverySecond(shop: Shop, rounds: number): Promise<Written> {
  const sync = await syncOf(shop);
  const writes = Object.fromEntries(NAMES.map((way) => [way, 0])) as Record<Way, number>;
  const selectors = new Set<string>();
  let seen = 0;
  const what = ['service', SHOP, '-n', shop.namespace];
  const witness = watch(shop.stage.target, what, ({ metadata, spec }) => {
    selectors.add(JSON.stringify(spec.selector));
    seen = Number(metadata.annotations?.[ROUND] ?? 0);
  });
  try {
    await eventually('waiting for the witness', PATIENCE_MS, () => (selectors.size > 0 ? true : undefined));
    const from = Date.now();
    for (let round = 1; round <= rounds; round++) {
      const way = NAMES[round % NAMES.length] as Way;
      await sync(way, round);
      writes[way] += 1;
      await sleep(Math.max(0, from + round * 1000 - Date.now()));
    }
    const seconds = (Date.now() - from) / 1000;
    const isSeen = () => (seen === rounds ? true : undefined);
    await eventually('waiting for the witness to see the last write', PATIENCE_MS, isSeen);
    return { seconds, writes, selectors: [...selectors], repairs: repairsSince(shop, from) };
  } finally {
    witness.stop();
  }
}

function repairsSince(shop: Shop, since: number): number {
  return shop
    .writes()
    .filter(({ resource, name, at }) => resource === 'services' && name === SHOP && at >= since).length;
}

/** What Git has: the Service without the colour and without the operator's notes. Each round has something new to say. */
async function syncOf(shop: Shop): Promise<Sync> {
  const { target, cluster } = shop.stage;
  const { namespace } = shop;
  const { spec } = await shop.json('service', SHOP);
  const { [KEY]: _, ...selector } = spec.selector;
  const ports = spec.ports.map(({ nodePort: __, ...port }: any) => port);
  const file = join(cluster.workDir, `service-of-git-${namespace}.json`);
  return async (way, round, ...more) => {
    const metadata = { name: SHOP, namespace, annotations: { [ROUND]: String(round) } };
    const service = { apiVersion: 'v1', kind: 'Service', metadata, spec: { selector, ports } };
    await writeFile(file, JSON.stringify(service));
    return target.kubectl([...WAYS[way], '-f', file, ...more]);
  };
}
