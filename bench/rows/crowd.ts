/**
 * Many releases at once, beside a script that does the least that moves traffic. Both work on applications with one pod
 * whose idle colour is at 0 with an earlier version; the script, 32 at a time: write the colour's Deployment, wait for
 * its endpoints, patch the Service, wait for its endpoints. A Deployment that people edit is rolled out too, with no pods,
 * which the script has nothing like; a release that has its Deployment in it has not either.
 */
import { ANNOTATION_FACTS, LABEL_RELEASE } from '../../src/api/names.ts';
import { type BlueGreenReleaseObject, RELEASES } from '../../src/api/resource.ts';
import type { ReleaseStatus } from '../../src/api/status.ts';
import { parseTime } from '../../src/api/time.ts';
import { CONTROLLER_REVISIONS, type ControllerRevision, DEPLOYMENTS } from '../../src/kube/types.ts';
import { parseFacts } from '../../src/release/facts.ts';
import { eventually } from '../../test/support/eventually.ts';
import { count, type Request, type Sort } from '../audit.ts';
import type { Benchmark, Say } from '../benchmark.ts';
import type { Copy } from '../copies.ts';
import { deployedImage, type Fixture, type State, statedImage } from '../fixture.ts';
import { follow } from '../follow.ts';
import { type Lab, ofOperator } from '../lab.ts';
import { median, wallClock } from '../numbers.ts';
import { PlainScript } from '../plain-script.ts';
import { below, plain, type Row } from '../row.ts';
import { sideBySide } from '../side-by-side.ts';
import { parts } from './parts.ts';

const AT_ONCE = 32;
const MOST_MS = 1_200_000;

export const crowd: Benchmark = {
  name: 'crowd',
  async run(lab, { crowd: size }, say) {
    const rows: Row[] = [];
    for (const form of FORMS) {
      const fixture = await lab.fixture(form.state, say);
      await fixture.grow(size, say);
      const script = await runScript(lab, size, form, say);
      rows.push(...rowsOf(size, form, script, await measure(lab, fixture, size, form, say)));
    }
    return rows;
  },
};

/** With the releases of the crowd there already: in a cluster that holds less, all that the script asks for is cheaper. */
async function runScript(lab: Lab, size: number, form: Form, say: Say): Promise<Cost> {
  const script = await PlainScript.prepare(lab, size, form.script, say);
  await lab.calm(say);
  say(`the plain script releases ${size}`);
  const cpuBefore = lab.clusterCpuSeconds();
  const seconds = await script.run(AT_ONCE);
  const clusterCpu = lab.clusterCpuSeconds() - cpuBefore;
  script.stop();
  return { seconds, clusterCpu };
}

/** Where people write what is to be released. */
interface Form {
  readonly state: State;
  /** What the names of the script's applications begin with. */
  readonly script: string;
  /** What stands behind the number of releases in the names of the rows. */
  readonly words: string;
  /** What people do to release. */
  change(lab: Lab, copy: Copy, version: string): Promise<unknown>;
}

const FORMS: readonly Form[] = [
  { state: 'to be released', script: 'plain', words: 'releases at once', change: changeSource },
  {
    state: 'stated, to be released',
    script: 'plain-stated',
    words: 'releases at once, their Deployments stated in them',
    change: ({ client }, copy, version) =>
      client.patch(RELEASES, copy, statedImage(`${copy.name}:${version}`)),
  },
];

/** What people do to release where a Deployment of theirs says what runs. */
export function changeSource({ client }: Lab, copy: Copy, version: string): Promise<unknown> {
  return client.patch(DEPLOYMENTS, copy, deployedImage(`${copy.name}:${version}`));
}

async function measure(lab: Lab, { copies }: Fixture, size: number, form: Form, say: Say): Promise<Crowded> {
  const operator = await lab.operator();
  await operator.idle(copies.length);
  await lab.calm(say);
  const cpuBefore = operator.cpuSeconds();
  const crowded = await releaseAll(lab, copies.slice(0, size), form, say);
  const operatorCpu = operator.cpuSeconds() - cpuBefore;
  await operator.end();
  return { ...crowded, operatorCpu };
}

interface Cost {
  readonly seconds: number;
  /** Seconds of CPU of everything in the cluster but the operator. */
  readonly clusterCpu: number;
}

interface Crowded extends Cost {
  /** Seconds of CPU of the operator, until the last commit. */
  readonly operatorCpu: number;
  /** Seconds until the last status told of it, too. */
  readonly told: number;
  /** Seconds of each release, from the answer to the change of its Deployment until it was verified. */
  readonly each: readonly number[];
  /** What the operator asked until the last one was verified, watches and all. */
  readonly requests: readonly Request[];
}

/** Verified is what the facts of a revision say is: a status tells of it, and may be written later. */
async function releaseAll(
  lab: Lab,
  copies: readonly Copy[],
  form: Form,
  say: Say,
): Promise<Omit<Crowded, 'operatorCpu'>> {
  const from = wallClock();
  const cpuBefore = lab.clusterCpuSeconds();
  const begun = new Map<string, number>();
  const verified = new Map<string, number>();
  const told = new Map<string, number>();
  const committed = new Set<string>();
  const audit = lab.audit();
  const count = copies.length;
  let clusterCpu = 0;
  const first = (seen: Map<string, number>, key: string): void => {
    if (begun.has(key) && !seen.has(key)) seen.set(key, wallClock());
  };
  const until = (all: string, isSo: () => boolean): Promise<unknown> =>
    eventually(
      all,
      MOST_MS,
      () => {
        say(`${verified.size} of ${count} verified, ${told.size} told, ${committed.size} committed`);
        return isSo() || undefined;
      },
      500,
    );
  const witness = new AbortController();
  const scope = { signal: witness.signal };
  follow<ControllerRevision>(lab.client, CONTROLLER_REVISIONS, scope, ({ metadata }) => {
    const { verifiedAt = 0 } = parseFacts(metadata.annotations?.[ANNOTATION_FACTS]) ?? {};
    if (verifiedAt < from) return;
    first(verified, `${metadata.namespace}/${metadata.labels?.[LABEL_RELEASE]}`);
    if (verified.size === count) clusterCpu ||= lab.clusterCpuSeconds() - cpuBefore;
  });
  await sideBySide(AT_ONCE, copies, async (copy) => {
    begun.set(`${copy.namespace}/${copy.name}`, wallClock());
    await form.change(lab, copy, 'crowd');
  });
  await until(`${count} releases to be verified`, () => verified.size === count);
  // Not before: to read every status of a crowd takes time that is measured, and nobody but the operator has to.
  follow<BlueGreenReleaseObject>(lab.client, RELEASES, scope, ({ metadata, status }) => {
    const key = `${metadata.namespace}/${metadata.name}`;
    const { switch: last, phase } = (status ?? {}) as ReleaseStatus;
    if ((parseTime(last?.decidedAt) ?? 0) < from || last?.convergedAt === undefined) return;
    first(told, key);
    if (phase === 'Committed' || phase === 'Idle') committed.add(key);
  });
  await until(`${count} releases to tell of it`, () => told.size === count && committed.size === count);
  witness.abort();
  const requests = audit.read().filter(ofOperator);
  audit.close();
  const last = (seen: Map<string, number>): number => (Math.max(...seen.values()) - from) / 1000;
  const each = [...verified].map(([key, at]) => (at - (begun.get(key) ?? from)) / 1000);
  const end = Math.max(...verified.values());
  return {
    seconds: last(verified),
    told: last(told),
    each,
    clusterCpu,
    requests: requests.filter(({ at }) => at < end),
  };
}

const SORTS: readonly Sort[] = ['write', 'dry run', 'read', 'event'];

function rowsOf(size: number, { words }: Form, script: Cost, operator: Crowded): Row[] {
  const name = (what: string): string => `${size} ${words}: ${what}`;
  const { seconds, told, each, clusterCpu, requests, operatorCpu } = operator;
  return [
    plain(name('the plain script'), script.seconds, 's'),
    plain(name('the operator, all switched and verified'), seconds, 's'),
    plain(name('the operator, all statuses tell of it'), told, 's'),
    below(name('the operator as a multiple of the script'), seconds / script.seconds, '', 2),
    plain(name('CPU of the cluster for each, the plain script'), script.clusterCpu / size, 's'),
    plain(name('CPU of the cluster for each, until all are verified'), clusterCpu / size, 's'),
    ...SORTS.flatMap((sort) => [
      plain(name(`${sort}s for each, until all are verified`), count(requests, sort) / size, ''),
      ...parts(requests, sort, { per: size, name }),
    ]),
    below(name('slowest as a multiple of the median'), Math.max(...each) / median(each), '', 3),
    below(name('CPU of the operator for each, until the commit'), operatorCpu / size, 's', 0.12),
  ];
}
