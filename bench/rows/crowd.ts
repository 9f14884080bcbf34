/**
 * Many releases at once, beside a script that does the least that moves traffic. Both work on applications with one pod
 * whose idle colour is at 0 with an earlier version; the script, 32 at a time: write the colour's Deployment, wait for
 * its endpoints, patch the Service, wait for its endpoints. A Deployment that people edit is rolled out too, with no pods,
 * which the script has nothing like; a release that has its Deployment in it has not either.
 */
import { RELEASES } from '../../src/api/resource.ts';
import { DEPLOYMENTS } from '../../src/kube/types.ts';
import { count, type Request, type Sort } from '../audit.ts';
import type { Benchmark, Say } from '../benchmark.ts';
import type { Copy } from '../copies.ts';
import { type Witnessed, witnessCrowd } from '../crowd-witness.ts';
import { deployedImage, type Fixture, type State, statedImage } from '../fixture.ts';
import { type Lab, ofOperator } from '../lab.ts';
import { median } from '../numbers.ts';
import { PlainScript } from '../plain-script.ts';
import { below, plain, type Row } from '../row.ts';
import { sideBySide } from '../side-by-side.ts';
import { parts } from './parts.ts';

const AT_ONCE = 32;

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

interface Crowded extends Witnessed {
  /** Seconds of CPU of the operator, until the last commit. */
  readonly operatorCpu: number;
  /** What the operator asked until the last one was verified, watches and all. */
  readonly requests: readonly Request[];
}

async function releaseAll(
  lab: Lab,
  copies: readonly Copy[],
  form: Form,
  say: Say,
): Promise<Omit<Crowded, 'operatorCpu'>> {
  const audit = lab.audit();
  const witness = witnessCrowd(lab, copies.length, say);
  await sideBySide(AT_ONCE, copies, async (copy) => {
    witness.begins(copy);
    await form.change(lab, copy, 'crowd');
  });
  await witness.allVerified();
  await witness.allCommitted();
  const seen = witness.end();
  const requests = audit.read().filter(ofOperator);
  audit.close();
  return { ...seen, requests: requests.filter(({ at }) => at < seen.verifiedAt) };
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
