/** What happens in the demo, in order. Each wait has a deadline and a sentence that says what was waited for. */
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Switch, switchesIn } from '../support/audit.ts';
import { watchEndpoints } from '../support/endpoints.ts';
import { eventually } from '../support/eventually.ts';
import type { Following } from '../support/follow.ts';
import { type Load, type LoadResult, startLoad } from '../support/load.ts';
import { deployOperator } from '../support/operator.ts';
import { deployPrometheus, prometheusUrl } from '../support/prometheus.ts';
import { applyRelease, deployShop, SHOP, setVersion } from '../support/shop.ts';
import type { Place } from './place.ts';
import { type Report, reportOf } from './report.ts';
import { addRow, type Scene } from './scene.ts';
import type { Screen } from './screen.ts';
import { BAD_ERROR_RATE, BAD_VERSION } from './traffic.ts';
import { type Watching, watchRelease, watchScene } from './watching.ts';

export const RATE = 100;
const VERSIONS: readonly string[] = ['v1', 'v2', BAD_VERSION];
const RELEASE_DEADLINE_MS = 240_000;
const STEADY_MS = 3_000;
const MAX_SILENT_MS = 20_000;
const KEPT_RATE = 20;
const KEPT_SECONDS = 3_600;
/** After the rollback, so that its effect is counted too. */
const AFTERMATH_MS = 6_000;

export interface Told {
  readonly report: Report;
  readonly load: LoadResult;
}

export class Story {
  readonly #place: Place;
  readonly #scene: Scene;
  readonly #screen: Screen;
  readonly #following: Following[] = [];
  #load: Load | undefined;

  constructor(place: Place, scene: Scene, screen: Screen) {
    this.#place = place;
    this.#scene = scene;
    this.#screen = screen;
  }

  async tell(): Promise<Told> {
    await this.#install();
    const { target, namespace } = this.#place;
    const note: Screen['tell'] = (kind, text) => this.#screen.tell(kind, text);
    const endpoints = watchEndpoints(target, namespace, SHOP);
    const watching = watchScene(target, namespace, this.#scene, note);
    this.#following.push(endpoints, watching, watchRelease(target, namespace, this.#scene, note));
    await this.#steadyLoad();
    await this.#adopt();
    await this.#releaseGood();
    await this.#releaseBad();
    const load = await this.#stopLoad();
    const report = reportOf({
      cluster: this.#place.cluster,
      measuredBy: this.#place.auditLog === undefined ? 'watch of the Service' : 'audit log',
      release: SHOP,
      versions: VERSIONS,
      switches: await this.#switches(watching),
      endpoints: endpoints.history,
      load,
    });
    return { report, load };
  }

  /** For people who go on by themselves: without traffic a check measures nothing, and a release is held. */
  async keepTraffic(): Promise<void> {
    const { target, images, namespace } = this.#place;
    const load = await startLoad(target, {
      image: images.app,
      namespace,
      name: 'visitors',
      rate: KEPT_RATE,
      maxSeconds: KEPT_SECONDS,
    });
    load.close();
  }

  close(): void {
    for (const each of this.#following) each.stop();
    this.#load?.close();
  }

  #step(text: string): void {
    this.#scene.step = text;
    this.#scene.progress = '';
    this.#screen.tell('step', text);
  }

  async #install(): Promise<void> {
    const { target, images, namespace, metricsNamespace, workDir } = this.#place;
    this.#step('Installing the operator, a Prometheus, and the application in version v1');
    const metrics = prometheusUrl(metricsNamespace);
    await this.#together({
      Prometheus: deployPrometheus(target, { image: images.prometheus, namespace: metricsNamespace }),
      'the operator': deployOperator(target, {
        image: images.operator,
        workDir,
        metricSources: { default: metrics },
      }),
      'the application': deployShop(target, { image: images.app, namespace }),
    });
  }

  async #together(works: Readonly<Record<string, Promise<void>>>): Promise<void> {
    const pending = new Set(Object.keys(works));
    const tell = (): void => this.#screen.progress(`waiting for the pods of ${[...pending].join(', ')}`);
    tell();
    const each = Object.entries(works).map(async ([name, work]) => {
      await work;
      pending.delete(name);
      if (pending.size > 0) tell();
    });
    await Promise.all(each);
  }

  async #steadyLoad(): Promise<void> {
    const { target, images, namespace } = this.#place;
    this.#step(`Sending ${RATE} requests a second to the Service`);
    const onRow = (row: Load['rows'][number]): void => addRow(this.#scene, row);
    this.#load = await startLoad(target, { image: images.app, namespace, rate: RATE, onRow });
    await sleep(STEADY_MS);
  }

  async #adopt(): Promise<void> {
    const { target, images, namespace } = this.#place;
    this.#step('Handing the running application over to a BlueGreenRelease');
    await applyRelease(target, { image: images.app, namespace });
    await this.#ended('v1', 'Committed', 0);
    this.#screen.tell('good', 'v1 was adopted as it ran');
  }

  async #releaseGood(): Promise<void> {
    this.#step('Releasing v2, a good version: the Deployment is changed, as a commit to Git would');
    await this.#change('v2', 0, 'Committed');
    this.#screen.tell('good', 'v2 took over, was watched, and is kept');
  }

  async #releaseBad(): Promise<void> {
    this.#step(
      `Releasing ${BAD_VERSION}, a bad version: it passes its smoke test, but fails every fifth request`,
    );
    await this.#change(BAD_VERSION, BAD_ERROR_RATE, 'RolledBack');
    this.#screen.tell('good', `${BAD_VERSION} was put back by the operator; v2 has the traffic`);
    await sleep(AFTERMATH_MS);
  }

  async #change(version: string, errorRate: number, outcome: 'Committed' | 'RolledBack'): Promise<void> {
    const { target, namespace } = this.#place;
    const before = this.#scene.release.attempt ?? 0;
    await setVersion(target, version, { errorRate, namespace });
    await this.#ended(version, outcome, before);
  }

  /** Waits until an attempt after `before` has ended, as the release's history tells. */
  async #ended(version: string, wanted: 'Committed' | 'RolledBack', before: number): Promise<void> {
    const what = `waiting until ${version} is ${wanted}`;
    const ended = await eventually(what, RELEASE_DEADLINE_MS, () => {
      const { history = [] } = this.#scene.release;
      // An inconclusive attempt is tried again by the operator itself.
      return history.find(
        ({ attempt, outcome }) => attempt > before && ['Committed', 'RolledBack', 'Failed'].includes(outcome),
      );
    }).catch((error: Error) => {
      const { phase, message } = this.#scene.release;
      throw new Error(`${error.message}; the release says ${phase ?? 'nothing'}: ${message ?? ''}`);
    });
    if (ended.outcome === wanted) return;
    throw new Error(`${version} should be ${wanted}, but it is ${ended.outcome}: ${ended.message ?? ''}`);
  }

  async #stopLoad(): Promise<LoadResult> {
    this.#step('Stopping the load, and adding up');
    if (this.#load === undefined) throw new Error('there is no load to stop');
    const silentMs = Date.now() - 1000 * (this.#load.rows.at(-1)?.second ?? 0);
    // It ends by itself when nobody ends it: a demo that took so long has not counted to its end.
    if (silentMs > MAX_SILENT_MS)
      throw new Error(`the load generator has said nothing for ${Math.round(silentMs / 1000)} seconds`);
    return await this.#load.stop();
  }

  async #switches(watching: Watching): Promise<readonly Switch[]> {
    const { auditLog, namespace } = this.#place;
    if (auditLog === undefined) return watching.switches;
    return switchesIn((await readFile(auditLog, 'utf8')).split('\n'), { namespace, name: SHOP });
  }
}
