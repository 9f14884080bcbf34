/**
 * Sees what the API server sees, past the proxy: every state of the Services, colours and endpoints, in the order of
 * their resourceVersion, which is one order for all of them. What it concludes owes nothing to the operator's code.
 */
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
      ...(type === SERVICES ? {} : { labelSelector: RELEASE }),
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
  readonly replicas: Map<string, number | undefined>;
  readonly slices: Map<string, { service: string; ready: number }>;
  /** When a twin last had a ready endpoint. */
  readonly readyAt: Map<string, number>;
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

  function seeService(place: Place, sight: Of<'service'>): void {
    hold('a selector is never empty', Object.keys(sight.selector).length > 0, sight, 'empty');
    const [from, to] = [place.selector?.[COLOR], sight.selector[COLOR]];
    if (place.selector !== undefined && to !== undefined && to !== from) {
      const twin = `${release}-${to}`;
      const ago = sight.at - (place.readyAt.get(twin) ?? Number.NEGATIVE_INFINITY);
      const serves = ready(place, twin) > 0 || ago < STALE_MS;
      hold('production moves to a side with ready endpoints', serves, sight, `to ${to}`);
    }
    place.selector = sight.selector;
  }

  function seeColor(place: Place, sight: Of<'color'>): void {
    const { color, replicas } = sight;
    const before = place.replicas.get(color) ?? 0;
    const kept = replicas !== undefined && replicas >= before;
    if (color === place.selector?.[COLOR])
      hold(
        'what production selects is not scaled down',
        kept,
        sight,
        `${color} from ${before} to ${replicas}`,
      );
    place.replicas.set(color, replicas);
  }

  for (const sight of [...sights].sort((one, other) => one.version - other.version)) {
    const place = placeOf(places, sight.namespace);
    if (sight.kind === 'service') seeService(place, sight);
    else if (sight.kind === 'color') seeColor(place, sight);
    else seeSlice(place, sight);
  }
  return { checks, violations };
}

function placeOf(places: Map<string, Place>, namespace: string): Place {
  const known = places.get(namespace);
  if (known !== undefined) return known;
  const fresh: Place = { selector: undefined, replicas: new Map(), slices: new Map(), readyAt: new Map() };
  places.set(namespace, fresh);
  return fresh;
}

function seeSlice(place: Place, { name, service, ready: count, at }: Of<'slice'>): void {
  // Until now there were some; from now on there may be none.
  if (ready(place, service) > 0) place.readyAt.set(service, at);
  place.slices.set(name, { service, ready: count });
}

function ready({ slices }: Place, service: string): number {
  return [...slices.values()].reduce((sum, slice) => sum + (slice.service === service ? slice.ready : 0), 0);
}
