/** Ejection: the source takes production back with its pods ready, and in the end nothing tells of the release. */
import {
  ANNOTATION_SWITCH,
  FINALIZER,
  LABEL_POD_TEMPLATE_HASH,
  LABEL_RELEASE,
  LABEL_REVISION,
} from '../../../src/api/names.ts';
import { RELEASES } from '../../../src/api/resource.ts';
import { COLORS, type Color } from '../../../src/api/status.ts';
import type { KubeObject } from '../../../src/kube/ports.ts';
import {
  CONFIG_MAPS,
  DEPLOYMENTS,
  type Deployment,
  HORIZONTAL_POD_AUTOSCALERS,
  POD_DISRUPTION_BUDGETS,
  SERVICES,
  type Service,
} from '../../../src/kube/types.ts';
import type { Api } from '../cluster/api.ts';
import { SOURCE } from '../content.ts';
import { previewsOf, RELEASE, SERVICE, siblingsOf } from '../scenario.ts';
import { LABEL, type World } from '../world.ts';
import { isColor } from './truth.ts';
import { fail, fewestReady, isTouched, type View } from './view.ts';

/** A selector that an operator narrows to the source must leave as much as it takes away, but for a moment's change. */
export function guardHandBack(view: View, before: Service, { spec: { selector = {} } }: Service): void {
  const hash = selector[LABEL_POD_TEMPLATE_HASH];
  // Of an earlier release, whose ejection did not end, it may stand there still.
  if (hash === undefined || hash === before.spec.selector?.[LABEL_POD_TEMPLATE_HASH]) return;
  if (view.truth.release()?.metadata.deletionTimestamp === undefined)
    fail('the source got the traffic from a release that nobody had deleted');
  const serving = view.range(SERVICE).fewest;
  const ready = view.range(hash).most;
  if (serving > 0 && ready === 0)
    fail(`traffic was moved to the source, which has no ready pod, while ${serving} endpoints were ready`);
  const from = before.spec.selector?.[LABEL];
  if (!isColor(from) || isTouched(view, 'service') || isTouched(view, 'source')) return;
  const fewest = fewestReady(view, from);
  if (ready < fewest) fail(`traffic was moved to ${ready} pods of the source, from ${fewest} of ${from}`);
}

/** Connections that were made before the source took over live on where they were made. */
export function guardEjected(view: View, color: Color, after: Deployment | undefined): void {
  const { selector } = view.truth.service()?.spec ?? {};
  if (after !== undefined || selector?.[LABEL_POD_TEMPLATE_HASH] === undefined) return;
  if (isTouched(view, 'service') || isTouched(view, color) || view.clockError() > 0) return;
  const { drainSeconds = 30 } = view.world.scenario.spec.traffic;
  const leftAt = view.leftAt(SERVICE, color) ?? 0;
  if (view.timeline.now < leftAt + drainSeconds * 1000)
    fail(`${color} lost the traffic to the source less than ${drainSeconds} seconds ago and was deleted`);
}

export function checkGivenBack({ api, scenario }: World): void {
  const { metadata, spec } = api.get<Service>(SERVICES, SERVICE) ?? { metadata: {}, spec: {} };
  if (spec.selector?.[LABEL_POD_TEMPLATE_HASH] !== undefined)
    fail('at rest: the release is gone, and the Service selects by pod-template-hash still');
  const source = api.get<Deployment>(DEPLOYMENTS, 'checkout');
  if (source?.spec.paused) fail('at rest: the release is gone, and the source is paused still');
  const left = Object.keys({ ...metadata.labels, ...metadata.annotations, ...source?.metadata.labels });
  if (left.length > 0) fail(`at rest: the release is gone, and ${left.join(', ')} is left`);
  if (spec.selector?.[LABEL] !== undefined || (source?.spec.replicas ?? 0) === 0) return;
  // Beside colours that go on serving its autoscaler would switch theirs off, and itself: people scaled it.
  if (COLORS.some((color) => api.get(DEPLOYMENTS, `${RELEASE}-${color}`) !== undefined)) return;
  if (
    scenario.spec.autoscaling !== undefined &&
    api.get(HORIZONTAL_POD_AUTOSCALERS, 'checkout') === undefined
  )
    fail('at rest: the source serves again, without its autoscaler');
}

const OWN = [DEPLOYMENTS, HORIZONTAL_POD_AUTOSCALERS, POD_DISRUPTION_BUDGETS, CONFIG_MAPS];

/** How the last release of that name went. */
export interface End {
  /**
   * The colours that a production Service rested on in that moment, or a moment before: they go on serving, and nobody is
   * left to remove them where that Service comes to rest on something else.
   */
  readonly kept: readonly Color[];
  /** An operator took the finalizer away. */
  readonly isInOrder: boolean;
  /** An operator wrote to a release. */
  noteWrite(before: KubeObject | undefined, after: KubeObject | undefined): void;
}

/** `staleness`: as in `View`. */
export function watchEnd({ api, scenario, timeline }: World, staleness: number): End {
  const services = [SERVICE, ...siblingsOf(scenario)];
  const restedOn = new Map<Color, number>();
  let resting: readonly Color[] = [];
  let kept: readonly Color[] = [];
  let gone: string | undefined;
  let letGo: string | undefined;
  api.onChange(({ type, event, object }) => {
    if (type !== SERVICES && type !== DEPLOYMENTS && type !== RELEASES) return;
    for (const color of resting) restedOn.set(color, timeline.now);
    resting = COLORS.filter((color) => services.some((name) => restsOn(api, name, color)));
    if (type !== RELEASES || event !== 'DELETED') return;
    const from = timeline.now - staleness;
    kept = COLORS.filter((color) => resting.includes(color) || (restedOn.get(color) ?? 0) >= from);
    gone = object.metadata.uid;
  });
  return {
    get kept() {
      return kept;
    },
    get isInOrder() {
      return gone !== undefined && gone === letGo;
    },
    noteWrite(before, after) {
      const isHeld = (object: KubeObject | undefined): boolean =>
        object?.metadata.finalizers?.includes(FINALIZER) ?? false;
      if (isHeld(before) && !isHeld(after)) letGo = before?.metadata.uid;
    },
  };
}

/**
 * A Service without a key rests on the colours that are to have pods, where those have more ready than the source. Where
 * nobody has any, and the source is to have none, on what its mark names. One that is not there may point anywhere.
 */
function restsOn(api: Api, name: string, color: Color): boolean {
  const service = api.get<Service>(SERVICES, name);
  if (service === undefined) return true;
  const key = service.spec.selector?.[LABEL];
  if (key !== undefined) return key === color;
  const [source, own] = [SOURCE, `${RELEASE}-${color}`].map((each) => api.get<Deployment>(DEPLOYMENTS, each));
  if (own?.spec.replicas === 0) return false;
  const ready = readyOf(
    api,
    COLORS.map((each) => `${RELEASE}-${each}`),
  );
  if (ready > 0 || (source?.spec.replicas ?? 0) > 0) return ready > readyOf(api, [SOURCE]);
  const [, marked] = service.metadata.annotations?.[ANNOTATION_SWITCH]?.split('/') ?? [];
  return own !== undefined && own.metadata.labels?.[LABEL_REVISION] === marked;
}

const readyOf = (api: Api, names: readonly string[]): number =>
  names.reduce((sum, each) => sum + (api.get<Deployment>(DEPLOYMENTS, each)?.status?.readyReplicas ?? 0), 0);

/**
 * Nobody looks after what carries the label of a release that is gone: only a colour that goes on serving stays, with what
 * it has. `kept`: see `watchEnd`.
 */
export function checkNothingLeft({ api, scenario }: World, kept: readonly Color[]): void {
  const services = [SERVICE, ...siblingsOf(scenario)];
  const label = `${LABEL_RELEASE}=${RELEASE}`;
  const [claimed] = api.list<Service>(SERVICES, label);
  if (claimed !== undefined)
    fail(`at rest: the release is gone, and Service ${claimed.metadata.name} is labelled`);
  for (const name of [...services, ...previewsOf(scenario)]) {
    const left = Object.keys(api.get(SERVICES, name)?.metadata.annotations ?? {});
    if (left.length > 0) fail(`at rest: the release is gone, and ${left.join(', ')} is left on ${name}`);
  }
  for (const type of OWN)
    for (const { metadata } of api.list(type, label))
      if (!kept.some((color) => metadata.name.startsWith(`${RELEASE}-${color}`)))
        fail(`at rest: the release is gone, and ${type.kind} ${metadata.name} is left`);
}
