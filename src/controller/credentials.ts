/**
 * The credentials that a release publishes. Each Secret is asked for by its name, by rights that the namespace grants by
 * name. What it holds is compared here and goes no further: the views, and with them every decision, status, event and
 * revision, know versions alone.
 */
import { ANNOTATION_COPY_OF, LABEL_CONFIG } from '../api/names.ts';
import { COLORS, type Color } from '../api/status.ts';
import { type Credentials, credentialsOf } from '../api/workload.ts';
import { isKubeError } from '../kube/errors.ts';
import type { Urgency } from '../kube/ports.ts';
import { SECRETS, type Secret } from '../kube/types.ts';
import type { CredentialSource, CredentialsView } from '../release/endpoint-view.ts';
import type { RevisionView } from '../release/snapshot.ts';
import { dataOf, publishedData } from '../traffic/endpoint.ts';
import { secretIdentity } from '../workload/config.ts';
import type { ReleaseRef } from '../workload/render.ts';
import type { Cache, Reader } from './cache.ts';
import { markedOf, switchedBy } from './switch-mark.ts';

type Data = Readonly<Record<string, string>>;
type Found = Secret | 'Absent' | 'Unreadable' | 'Unanswered';

/** So long one of them may keep every decision waiting, milliseconds. */
const READ_MS = 2000;

/** Of a side: where its credentials are, and what stands beside them. */
interface Wanted extends Credentials {
  readonly data: Data;
}

/** undefined: the release publishes none. */
export async function viewCredentials(
  reader: Reader,
  release: ReleaseRef,
  revisions: readonly RevisionView[],
  urgency: Urgency,
): Promise<CredentialsView | undefined> {
  const blue = wantedOf(release, 'blue');
  const green = wantedOf(release, 'green');
  if (blue === undefined || green === undefined) return undefined;
  const wanted = wantedBy(release, revisions);
  const names = new Set([blue, green, ...Object.values(wanted)].map(({ source }) => source));
  const read = async (name: string) =>
    [name, await readSecret(reader, release.namespace, name, urgency)] as const;
  const [published, ...found] = await Promise.all([read(blue.published), ...[...names].map(read)]);
  const held = new Map(found);
  const [, secret] = published;
  const source = (each: Wanted) => sourceOf(each, held.get(each.source) ?? 'Absent', secret);
  const sides = { blue: source(blue), green: source(green) };
  const sources = Object.fromEntries(Object.entries(wanted).map(([name, each]) => [name, source(each)]));
  const marked = markedOf(isFound(secret) ? secret : undefined, release.uid);
  const kept = revisions.find(({ name }) => name === marked.mark?.revision && sources[name]?.same);
  return {
    name: blue.published,
    ...identityOf(secret),
    ...marked,
    ...stateOf(reader.cache, release, secret, sides),
    sides,
    sources,
    versions: {
      blue: versionOf('blue', sides.blue, revisions, kept),
      green: versionOf('green', sides.green, revisions, kept),
    },
  };
}

function wantedOf({ spec }: ReleaseRef, color: Color): Wanted | undefined {
  const credentials = credentialsOf(spec, color);
  const { external } = spec.workload;
  return credentials && external && { ...credentials, data: publishedData(external, color) };
}

/**
 * As it was frozen. One that had none when it was frozen publishes what the spec names of its side now: what is left of
 * the other side must not stay there when the traffic goes back.
 */
function wantedBy(release: ReleaseRef, revisions: readonly RevisionView[]): Record<string, Wanted> {
  const entries = revisions.flatMap((revision) => {
    const data = dataOf(revision);
    const color = revision.facts?.color;
    const said = color && (credentialsOf(revision.frozen, color) ?? credentialsOf(release.spec, color));
    return data && said ? [[revision.name, { ...said, data }] as const] : [];
  });
  return Object.fromEntries(entries);
}

/** One that cannot be read keeps no way back from being published: it is told. What may pass is nobody's to mend. */
async function readSecret(
  { client }: Reader,
  namespace: string,
  name: string,
  urgency: Urgency,
): Promise<Found> {
  const options = { deadlineMs: READ_MS, urgency };
  try {
    return (await client.get<Secret>(SECRETS, { namespace, name }, options)) ?? 'Absent';
  } catch (error) {
    // The reconcile itself was broken off.
    if (!isKubeError(error) || error.reason === 'Aborted') throw error;
    return error.reason === 'Forbidden' ? 'Unreadable' : 'Unanswered';
  }
}

const isFound = (found: Found): found is Secret => typeof found !== 'string';

function identityOf(secret: Found): Pick<CredentialsView, 'uid' | 'resourceVersion' | 'copyOf'> {
  if (!isFound(secret)) return { uid: '', resourceVersion: '', copyOf: undefined };
  const { uid = '', resourceVersion = '', annotations } = secret.metadata;
  return { uid, resourceVersion, copyOf: annotations?.[ANNOTATION_COPY_OF] };
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** What the published Secret holds, with these keys of this one; base64, as Secrets are stored. */
export function credentialsData({ data = {} }: Secret, keys: readonly string[], beside: Data): Data {
  const held = keys.map((key) => [key, data[key] ?? '']);
  const said = Object.entries(beside).map(([key, value]) => [key, base64(value)]);
  return Object.fromEntries([...held, ...said]);
}

function sourceOf({ source: name, keys, data }: Wanted, found: Found, published: Found): CredentialSource {
  const stands = isFound(published) ? (published.data ?? {}) : {};
  const wanted = [...keys, ...Object.keys(data)];
  const shaped =
    Object.keys(stands).length === wanted.length &&
    wanted.every((key) => stands[key] !== undefined) &&
    Object.entries(data).every(([key, value]) => stands[key] === base64(value));
  if (!isFound(found))
    return { name, keys, state: found, version: '', lacks: undefined, shaped, same: false };
  return {
    name,
    keys,
    state: found.metadata.labels?.[LABEL_CONFIG] === undefined ? 'Unlabelled' : 'Found',
    version: secretIdentity(found),
    // An empty value lets nobody in.
    lacks: keys.find((key) => !found.data?.[key]),
    shaped,
    same: shaped && keys.every((key) => stands[key] === found.data?.[key]),
  };
}

function stateOf(
  cache: Cache,
  release: ReleaseRef,
  secret: Found,
  sides: CredentialsView['sides'],
): Pick<CredentialsView, 'state' | 'owner'> {
  if (!isFound(secret)) return { state: secret, owner: undefined };
  const { labels = {} } = secret.metadata;
  const claim = switchedBy(secret);
  if (claim === release.uid) return { state: 'Ours', owner: undefined };
  const owner = cache.releases.list(release.namespace).find(({ metadata }) => metadata.uid === claim);
  if (owner !== undefined) return { state: 'Foreign', owner: owner.metadata.name };
  if (labels[LABEL_CONFIG] === undefined) return { state: 'Foreign', owner: undefined };
  // Controllers fill the other types in, or act upon them.
  if ((secret.type ?? 'Opaque') !== 'Opaque' || secret.immutable) return { state: 'Unfit', owner: undefined };
  const isEmpty = Object.keys(secret.data ?? {}).length === 0;
  const isKept = COLORS.some((color) => sides[color].same);
  return { state: isEmpty || isKept ? 'Free' : 'InUse', owner: undefined };
}

/**
 * A Secret is another revision when its version is another, since nothing may be computed from what it holds; but as long
 * as it holds what consumers use (`kept`), what was frozen of it goes on being true, whatever else was written to it. One
 * that is not seen for a moment is no other revision either.
 */
function versionOf(
  color: Color,
  { name, state, version }: CredentialSource,
  revisions: readonly RevisionView[],
  kept: RevisionView | undefined,
): string {
  const isUnknown = state !== 'Found' && state !== 'Unlabelled';
  const frozen = (isUnknown ? revisions : revisions.filter((revision) => revision === kept))
    .filter(({ facts }) => facts?.color === color)
    .map(({ config }) => config?.secrets?.[name])
    .findLast((known) => known !== undefined);
  return frozen ?? (isUnknown ? 'unknown' : version);
}
