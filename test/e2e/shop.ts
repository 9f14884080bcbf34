/** The shop of one story: a namespace with the application, its release, its load, and witnesses from outside. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { ReleaseSpecInput } from '../../src/api/schema.ts';
import type { ReleaseStatus } from '../../src/api/status.ts';
import { type Switch, switchesIn } from '../support/audit.ts';
import { type EndpointsWatch, watchEndpoints } from '../support/endpoints.ts';
import { eventually } from '../support/eventually.ts';
import { type Following, watch } from '../support/follow.ts';
import { type Load, type LoadOptions, type LoadResult, startLoad } from '../support/load.ts';
import { applyRelease, deployShop, SHOP, type ShopOptions, setVersion, steer } from '../support/shop.ts';
import type { Stage } from '../support/stage.ts';
import type { ImageRef } from '../support/target.ts';
import { auditLines, isWrite, type Request, requestsIn } from './audit-log.ts';

/** Long, because it costs nothing where all is well, and machines differ. */
export const PATIENCE_MS = 120_000;

const example = parse(
  readFileSync(join(import.meta.dirname, '../../examples/demo/release.yaml'), 'utf8'),
) as { spec: ReleaseSpecInput };

/** The observation of examples/demo with another duration; what it checks stays. */
export function observationOf(durationSeconds: number): ReleaseSpecInput['observation'] {
  return { ...example.spec.observation, durationSeconds };
}

/** The gate of examples/demo with another command. */
export function gatesOf(image: ImageRef, command: readonly string[]): ReleaseSpecInput['gates'] {
  const gates = structuredClone(example.spec.gates ?? []) as any[];
  for (const { job } of gates) {
    for (const container of job.spec.template.spec.containers)
      Object.assign(container, { command, image: image.name, imagePullPolicy: image.pullPolicy });
  }
  return gates;
}

export interface OpenOptions {
  /** What is put under load. Default: the Deployment of the shop. */
  readonly deploy?: typeof deployShop;
  readonly shop?: Pick<ShopOptions, 'replicas' | 'env' | 'unnamedPort'>;
  readonly load?: Pick<LoadOptions, 'rate' | 'maxSeconds' | 'maxRequests'>;
}

export interface StatusAt {
  readonly at: number;
  readonly status: ReleaseStatus;
}

export class Shop {
  readonly stage: Stage;
  readonly namespace: string;
  /** Every status that was seen, by a watch from outside. */
  readonly statuses: StatusAt[] = [];
  #watch: Following | undefined;
  #endpoints: EndpointsWatch | undefined;
  #load: Load | undefined;
  #result: LoadResult | undefined;

  constructor(stage: Stage, namespace: string) {
    this.stage = stage;
    this.namespace = namespace;
  }

  /** v1, serving under load, and nobody releases it yet. */
  async open(options: OpenOptions = {}): Promise<void> {
    const { target, image } = this.stage;
    const { namespace } = this;
    // Whatever else the machine does: a request that waits for a processor would be counted as lost.
    const cpu = '100m';
    const { deploy = deployShop } = options;
    await deploy(target, { image, namespace, cpu, ...options.shop });
    this.#endpoints = watchEndpoints(target, namespace, SHOP);
    this.#load = await startLoad(target, { image, namespace, rate: 60, ...options.load });
  }

  async adopt(spec: Parameters<typeof applyRelease>[1]['spec'] = {}): Promise<void> {
    const { namespace } = this;
    const { target, image } = this.stage;
    await applyRelease(target, { image, namespace, spec: { observation: observationOf(7), ...spec } });
    await this.follow(SHOP);
  }

  /** Watches the release of this name from its first revision on, and waits for that. */
  async follow(release: string): Promise<void> {
    const what = ['bluegreenreleases', release, '-n', this.namespace];
    this.#watch = watch(this.stage.target, what, ({ status }) =>
      this.statuses.push({ at: Date.now(), status: status ?? {} }),
    );
    await this.ends('r1', 'Committed');
  }

  setVersion(version: string, errorRate = 0): Promise<void> {
    return setVersion(this.stage.target, version, { errorRate, namespace: this.namespace });
  }

  get status(): ReleaseStatus {
    return this.statuses.at(-1)?.status ?? {};
  }

  async until(
    what: string,
    holds: (status: ReleaseStatus) => boolean | undefined,
    patienceMs: number = PATIENCE_MS,
  ): Promise<ReleaseStatus> {
    try {
      const look = () => (holds(this.status) ? this.status : undefined);
      return await eventually(`waiting until ${what}`, patienceMs, look, 20);
    } catch (error) {
      const { phase = 'no phase', message = '' } = this.status;
      throw new Error(`${(error as Error).message}; the release says ${phase}: ${message}`);
    }
  }

  /** The end of a revision's attempt, as its history tells. */
  ends(revision: string, outcome: string, patienceMs?: number): Promise<ReleaseStatus> {
    const hasEnded = ({ history = [] }: ReleaseStatus): boolean =>
      history.some((each) => each.revision === revision && each.outcome === outcome);
    return this.until(`${revision} is ${outcome}`, hasEnded, patienceMs);
  }

  reaches(phase: string, revision: string): Promise<ReleaseStatus> {
    return this.until(
      `${revision} is ${phase}`,
      (status) => status.phase === phase && [status.revision, status.candidate?.revision].includes(revision),
    );
  }

  /** Each patch of the production Service's selector, whoever sent it. */
  switches(): Switch[] {
    return switchesIn(auditLines(this.stage.cluster.auditLog), { namespace: this.namespace, name: SHOP });
  }

  /** What the operator wrote in this namespace. */
  writes(): Request[] {
    return requestsIn(auditLines(this.stage.cluster.auditLog)).filter(
      (request) => isWrite(request) && request.namespace === this.namespace,
    );
  }

  get endpoints(): EndpointsWatch['history'] {
    return this.#endpoints?.history ?? [];
  }

  get load(): Load {
    if (this.#load === undefined) throw new Error('there is no load');
    return this.#load;
  }

  /** Waits until new connections get this version alone: kube-proxy follows up to a second after the endpoints. */
  async servedBy(version: string): Promise<void> {
    await eventually(`waiting until new connections reach ${version} alone`, PATIENCE_MS, () => {
      const versions = Object.keys(this.load.rows.at(-1)?.answers.new ?? {});
      return versions.length === 1 && versions[0] === version ? true : undefined;
    });
  }

  /** Waits for so many more full seconds of load: time in which something could have gone wrong. */
  async serveFor(seconds: number): Promise<void> {
    const from = this.load.rows.length;
    await eventually('waiting for more load', PATIENCE_MS, () =>
      this.load.rows.length >= from + seconds ? true : undefined,
    );
  }

  /** Ends the load, once; every request is accounted for in the result. */
  async close(): Promise<LoadResult> {
    this.#result ??= await this.load.stop();
    return this.#result;
  }

  get result(): LoadResult | undefined {
    return this.#result;
  }

  /** Looks no more. */
  leave(): void {
    this.#watch?.stop();
    this.#endpoints?.stop();
    if (this.#result === undefined) this.#load?.close();
  }

  async json(...what: string[]): Promise<any> {
    return JSON.parse(await this.stage.target.kubectl(['get', ...what, '-n', this.namespace, '-o', 'json']));
  }

  /** Of a colour, or of all. */
  async pods(color?: string): Promise<any[]> {
    const selector = `bluegreen.dev/release=${SHOP}${color === undefined ? '' : `,bluegreen.dev/color=${color}`}`;
    const { items } = await this.json('pods', '-l', `${selector},app=${SHOP}`);
    return items.filter(({ metadata }: any) => metadata.deletionTimestamp === undefined);
  }

  /** Makes every pod of a colour ill at once. */
  async steerAll(color: string, order: string): Promise<void> {
    const pods = await this.pods(color);
    await Promise.all(
      pods.map(({ metadata }) => steer(this.stage.target, metadata.name, order, this.namespace)),
    );
  }
}
