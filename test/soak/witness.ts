/**
 * Sees what the API server sees, past the proxy: every state of the Services, colours and endpoints, in the order of
 * their resourceVersion, which is one order for all of them. What it concludes owes nothing to the operator's code.
 */
import { RELEASES } from '../../src/api/resource.ts';
import type { Logger } from '../../src/kube/log.ts';
import type { KubeObject, ResourceType } from '../../src/kube/ports.ts';
import { createReflector, type Reflector } from '../../src/kube/reflector.ts';
import type { KubeTransport } from '../../src/kube/transport.ts';
import { DEPLOYMENTS, ENDPOINT_SLICES, SERVICES } from '../../src/kube/types.ts';

const COLOR = 'bluegreen.dev/color';
const RELEASE = 'bluegreen.dev/release';
const SERVICE_NAME = 'kubernetes.io/service-name';
/** As long as a watch may be silent before its reader leaves it: so old can be what a decision was made from. */
const STALE_MS = 95_000;

export type Sight = { readonly version: number; readonly at: number; readonly namespace: string } & (
  | { readonly kind: 'wish'; readonly replicas: number | undefined }
  | { readonly kind: 'service'; readonly selector: Readonly<Record<string, string>> }
  | { readonly kind: 'color'; readonly color: string; readonly replicas: number | undefined }
  | { readonly kind: 'slice'; readonly name: string; readonly service: string; readonly ready: number }
);

export interface Findings {
  /** How often each promise was looked at. */
  readonly checks: Readonly<Record<string, number>>;
  readonly violations: readonly string[];
}

export interface Witness {
  /** Judges all that was seen so far. */
  findings(): Findings;
  stop(): Promise<void>;
}

const silent: Logger = { debug() {}, info() {}, warn() {}, error() {} };

/** `release`: the name of release and production Service, in each namespace. */
export async function startWitness(client: KubeTransport, release: string): Promise<Witness> {
  const sights: Sight[] = [];
  const watch = (
    type: ResourceType,
    see: (object: any, gone: boolean) => object | undefined,
  ): Reflector<KubeObject> =>
    createReflector<KubeObject>({
      client,
      type,
      log: silent,
      ...(type === SERVICES || type === RELEASES ? {} : { labelSelector: RELEASE }),
      onChange: (change, object) => {
        const seen = see(object, change === 'deleted');
        const { namespace = '', resourceVersion } = object.metadata;
        if (seen !== undefined)
          sights.push({
            version: Number(resourceVersion),
            at: performance.now(),
            namespace,
            ...seen,
          } as Sight);
      },
    });
  const reflectors = [
    watch(RELEASES, ({ metadata, spec }) =>
      metadata.name === release ? { kind: 'wish', replicas: spec.replicas } : undefined,
    ),
    watch(SERVICES, ({ metadata, spec }) =>
      metadata.name === release ? { kind: 'service', selector: spec.selector ?? {} } : undefined,
    ),
    watch(DEPLOYMENTS, ({ metadata, spec }, gone) => {
      const color = metadata.labels?.[COLOR];
      return color && { kind: 'color', color, replicas: gone ? undefined : spec.replicas };
    }),
    watch(ENDPOINT_SLICES, ({ metadata, endpoints }, gone) => ({
      kind: 'slice',
      name: metadata.name,
      service: metadata.labels?.[SERVICE_NAME],
      ready: gone ? 0 : (endpoints ?? []).filter(({ conditions }: any) => conditions?.ready !== false).length,
    })),
  ];
  for (const reflector of reflectors) reflector.start();
  await Promise.all(reflectors.map(({ whenSynced }) => whenSynced));
  return {
    findings: () => judge(sights, release),
    stop: async () => void (await Promise.all(reflectors.map((reflector) => reflector.stop()))),
  };
}

/** One namespace, as it was at one moment. */
interface Place {
  selector: Readonly<Record<string, string>> | undefined;
  /** Replicas that people ask for in the release. */
  asked: number | undefined;
  readonly replicas: Map<string, number | undefined>;
  readonly slices: Map<string, { service: string; ready: number }>;
  /** When a Service last had a ready endpoint, and when it last had none. */
  readonly litAt: Map<string, number>;
  readonly darkAt: Map<string, number>;
}

type Of<K extends Sight['kind']> = Extract<Sight, { kind: K }>;

/** What is wrong with what was seen. */
export function judge(sights: readonly Sight[], release: string): Findings {
  const checks: Record<string, number> = {};
  const violations: string[] = [];
  const places = new Map<string, Place>();

  function hold(promise: string, holds: boolean, { namespace, version }: Sight, what: string): void {
    checks[promise] = (checks[promise] ?? 0) + 1;
    if (!holds) violations.push(`${promise}: ${namespace} at ${version}: ${what}`);
  }

  /** With nothing ready anywhere it is moved to where something is to come. */
  function seeService(place: Place, sight: Of<'service'>): void {
    hold('a selector is never empty', Object.keys(sight.selector).length > 0, sight, 'empty');
    const [from, to] = [place.selector?.[COLOR], sight.selector[COLOR]];
    if (place.selector !== undefined && to !== undefined && to !== from) {
      const [had, serving] = [ready(place, `${release}-${to}`), ready(place, release)];
      const wasLit = had > 0 || isFresh(place.litAt.get(`${release}-${to}`), sight);
      const wasDark = serving === 0 || isFresh(place.darkAt.get(release), sight);
      const what = `from ${from ?? 'no colour'}, where ${serving} are ready, to ${to}`;
      hold('production moves to a side with ready endpoints', wasLit || wasDark, sight, what);
    }
    place.selector = sight.selector;
  }

  /** What stood beside pods that were replaced goes when they are: people have their wish, and never less. */
  function seeColor(place: Place, sight: Of<'color'>): void {
    const { color, replicas } = sight;
    const before = place.replicas.get(color) ?? 0;
    const kept = replicas !== undefined && (replicas >= before || replicas === place.asked);
    if (color === place.selector?.[COLOR])
      hold(
        'what production selects is not scaled down',
        kept,
        sight,
        `${color} from ${before} to ${replicas}`,
      );
    place.replicas.set(color, replicas);
  }

  const see = {
    wish: seeWish,
    service: seeService,
    color: seeColor,
    slice: seeSlice,
  } satisfies { [K in Sight['kind']]: (place: Place, sight: Of<K>) => void };

  for (const sight of [...sights].sort((one, other) => one.version - other.version))
    see[sight.kind](placeOf(places, sight.namespace), sight as never);
  return { checks, violations };
}

const isFresh = (then: number | undefined, { at }: Sight): boolean =>
  then !== undefined && at - then < STALE_MS;

function placeOf(places: Map<string, Place>, namespace: string): Place {
  const known = places.get(namespace);
  if (known !== undefined) return known;
  const fresh: Place = {
    selector: undefined,
    asked: undefined,
    replicas: new Map(),
    slices: new Map(),
    litAt: new Map(),
    darkAt: new Map(),
  };
  places.set(namespace, fresh);
  return fresh;
}

function seeWish(place: Place, { replicas }: Of<'wish'>): void {
  place.asked = replicas;
}

/** Until now there were some, or none: so it ends now. */
function seeSlice(place: Place, { name, service, ready: count, at }: Of<'slice'>): void {
  (ready(place, service) > 0 ? place.litAt : place.darkAt).set(service, at);
  place.slices.set(name, { service, ready: count });
}

function ready({ slices }: Place, service: string): number {
  return [...slices.values()].reduce((sum, slice) => sum + (slice.service === service ? slice.ready : 0), 0);
}
