/**
 * Many releases at once, beside a script that does the least that moves traffic. Both work on fresh colours of
 * applications with one pod; the script, 32 at a time: write the colour's Deployment, wait for its endpoints, patch
 * the Service, wait for its endpoints.
 */
import { type BlueGreenReleaseObject, RELEASES } from '../../src/api/resource.ts';
import type { ReleaseStatus } from '../../src/api/status.ts';
import { parseTime } from '../../src/api/time.ts';
import { createReflector } from '../../src/kube/reflector.ts';
import { DEPLOYMENTS } from '../../src/kube/types.ts';
import { eventually } from '../../test/support/eventually.ts';
import type { Benchmark, Say } from '../benchmark.ts';
import type { Copy } from '../copies.ts';
import type { Lab } from '../lab.ts';
import { median, wallClock } from '../numbers.ts';
import { PlainScript } from '../plain-script.ts';
import { below, plain, type Row } from '../row.ts';
import { sideBySide } from '../side-by-side.ts';

const AT_ONCE = 32;

export const crowd: Benchmark = {
  name: 'crowd',
  async run(lab, { crowd: size }, say) {
    const fixture = await lab.fixture('to be released', say);
    await fixture.grow(size, say);
    const script = await PlainScript.prepare(lab, size, say);
    say(`the plain script releases ${size}`);
    const scriptSeconds = await script.run(AT_ONCE);
    script.stop();
    const operator = await lab.operator();
    await eventually('an idle operator', 120_000, async () => {
      const done = await operator.metric('controller_runtime_reconcile_total');
      return (done >= fixture.copies.length && (await operator.metric('workqueue_depth')) === 0) || undefined;
    });
    const cpuBefore = operator.cpuSeconds();
    const times = await releaseAll(lab, fixture.copies.slice(0, size), say);
    const cpuPerRelease = (operator.cpuSeconds() - cpuBefore) / size;
    await operator.end();
    return rowsOf(size, scriptSeconds, times, cpuPerRelease);
  },
};

interface Times {
  /** From the first change of a Deployment until the last release was verified. */
  readonly seconds: number;
  /** Of each release, from the answer to the change of its Deployment. */
  readonly each: readonly number[];
}

async function releaseAll(lab: Lab, copies: readonly Copy[], say: Say): Promise<Times> {
  const from = wallClock();
  const begun = new Map<string, number>();
  const verified = new Map<string, number>();
  const committed = new Set<string>();
  const note = ({ metadata, status }: BlueGreenReleaseObject): void => {
    const key = `${metadata.namespace}/${metadata.name}`;
    const { switch: last, phase } = (status ?? {}) as ReleaseStatus;
    if (!begun.has(key) || (parseTime(last?.decidedAt) ?? 0) < from || last?.convergedAt === undefined)
      return;
    if (!verified.has(key)) verified.set(key, wallClock());
    if (phase === 'Committed' || phase === 'Idle') committed.add(key);
  };
  const stopFollowing = follow(lab, note);
  await sideBySide(AT_ONCE, copies, async (copy) => {
    begun.set(`${copy.namespace}/${copy.name}`, wallClock());
    await changeSource(lab, copy, 'crowd');
  });
  const count = copies.length;
  await eventually(
    `${count} releases to be verified`,
    1_200_000,
    () => {
      say(`${verified.size} of ${count} verified, ${committed.size} committed`);
      return (verified.size === count && committed.size === count) || undefined;
    },
    500,
  );
  await stopFollowing();
  const each = [...verified].map(([key, at]) => (at - (begun.get(key) ?? from)) / 1000);
  return { seconds: (Math.max(...verified.values()) - from) / 1000, each };
}

/** Calls back with every state of every release; a watch that breaks is begun anew. */
function follow({ client }: Lab, onRelease: (release: BlueGreenReleaseObject) => void): () => Promise<void> {
  const silent = { debug() {}, info() {}, warn() {}, error() {} };
  const reflector = createReflector<BlueGreenReleaseObject>({
    client,
    type: RELEASES,
    onChange: (_change, object) => onRelease(object),
    log: silent,
  });
  reflector.start();
  return () => reflector.stop();
}

/** What people do to release. */
export async function changeSource(
  { client }: Lab,
  { namespace, name }: Copy,
  version: string,
): Promise<void> {
  const value = `${name}:${version}`;
  const operations = [{ op: 'replace' as const, path: '/spec/template/spec/containers/0/image', value }];
  await client.patch(DEPLOYMENTS, { namespace, name }, { type: 'json', operations });
}

function rowsOf(size: number, scriptSeconds: number, { seconds, each }: Times, cpuPerRelease: number): Row[] {
  const name = (what: string): string => `${size} releases at once: ${what}`;
  return [
    plain(name('the plain script'), scriptSeconds, 's'),
    plain(name('the operator, all switched and verified'), seconds, 's'),
    below(name('the operator as a multiple of the script'), seconds / scriptSeconds, '', 2),
    below(name('slowest as a multiple of the median'), Math.max(...each) / median(each), '', 3),
    below(name('CPU of the operator for each, until the commit'), cpuPerRelease, 's', 0.12),
  ];
}
