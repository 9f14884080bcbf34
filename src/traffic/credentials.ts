/**
 * The second thing that is published of an external workload: the credentials of the side that serves. The order is the
 * ConfigMap's; the Secret follows it, before anybody is restarted, so that whoever starts again reads both of one side.
 */
import { LABEL_CONFIG } from '../api/names.ts';
import type { Move } from '../release/effects.ts';
import type { CredentialSource, CredentialsView } from '../release/endpoint-view.ts';
import type { Effect } from '../release/plan.ts';
import type { Roles, StartedRevision } from '../release/roles.ts';
import { moveInForce } from '../release/services.ts';
import type { RevisionView, Snapshot } from '../release/snapshot.ts';
import { dataOf } from './endpoint.ts';

/** What is still to be published. */
export interface CredentialsDue {
  /** The next write of it; empty where that would not help. */
  readonly effects: readonly Effect[];
  /** Why it cannot be done, and what ends that: a sentence without its end. */
  readonly trouble: string | undefined;
  /** What was validated can never be published any more. */
  readonly isVoid: boolean;
}

/** A write that was refused is tried again after this time, milliseconds. */
const TRY_AGAIN_MS = 1000;

/** Under which this process remembers what became of its writes. No Service and no ConfigMap has such a name. */
export const secretKey = (name: string): string => `Secret/${name}`;

/** By the order in force. undefined: it says what it should, or there is nothing to say. */
export function credentialsDue(
  snapshot: Snapshot,
  revision: StartedRevision,
  roles: Roles,
): CredentialsDue | undefined {
  const { credentials } = snapshot.endpoint ?? {};
  const source = credentials?.sources[revision.name];
  if (credentials === undefined || source === undefined || !publishesAny(revision, credentials, source))
    return undefined;
  if (isPublished(credentials, revision, source)) return undefined;
  const move = moveInForce(snapshot, revision, roles);
  const changed = whyVoid(snapshot, revision, source.name, move);
  const trouble = changed ?? secretTrouble(credentials) ?? sourceTrouble(source);
  if (trouble !== undefined) return { effects: [], trouble, isVoid: changed !== undefined };
  const refusal = snapshot.observations.refusals[secretKey(credentials.name)];
  const isHeld = refusal !== undefined && snapshot.now < refusal.at + TRY_AGAIN_MS;
  const told = refusal && `Secret "${credentials.name}" cannot be written (${refusal.message})`;
  const effects = isHeld ? [] : publishSecret(snapshot, credentials, source, revision, move);
  return { effects, trouble: told, isVoid: false };
}

/** One that was frozen without credentials leaves the Secret alone, unless it has those of the other side. */
function publishesAny(
  revision: RevisionView,
  { mark }: CredentialsView,
  { name }: CredentialSource,
): boolean {
  const isFrozen = revision.config?.secrets?.[name] !== undefined;
  return isFrozen || (mark !== undefined && mark.revision !== revision.name);
}

/**
 * A source that was written since is not published behind anybody's back, and nothing but its own version tells whether
 * what was copied from it still stands there.
 */
function isPublished(
  { state, mark, copyOf }: CredentialsView,
  { name }: RevisionView,
  source: CredentialSource,
): boolean {
  if (state !== 'Ours' || mark?.revision !== name || !source.shaped) return false;
  return source.same || copyOf !== copied(source);
}

const copied = ({ name, version }: Pick<CredentialSource, 'name' | 'version'>): string =>
  `${name}/${version}`;

/** What this revision was frozen with stands nowhere any more. */
export function hasLostCredentials({ endpoint }: Snapshot, { name, config }: RevisionView): boolean {
  const source = endpoint?.credentials?.sources[name];
  if (source === undefined || source.version === '') return false;
  const frozen = config?.secrets?.[source.name];
  return frozen !== undefined && frozen !== source.version;
}

/** What was validated is what is switched to. The way back takes what there is: the environment knows no other. */
function whyVoid(
  snapshot: Snapshot,
  revision: RevisionView,
  source: string,
  { mark }: Move,
): string | undefined {
  const { facts } = revision;
  const isForward = mark?.direction === 'Forward' && facts?.verifiedAt === undefined && !facts?.adoption;
  if (!isForward || !hasLostCredentials(snapshot, revision)) return undefined;
  return `Secret "${source}" was written after it was validated`;
}

const FIELD = 'spec.traffic.endpoint.secretRef.name';
const KEYS = 'spec.traffic.endpoint.secretRef.keys';
const ROLE = 'by a Role of this namespace (docs/endpoint.md)';

const UNFIT: Partial<Record<CredentialsView['state'], string>> = {
  Absent: `does not exist: create it, empty and with the label ${LABEL_CONFIG}, or correct ${FIELD}`,
  Unreadable: `cannot be read: let the operator get and patch it ${ROLE}, or correct ${FIELD}`,
  Unanswered: 'could not be read just now',
  Foreign: `has no label ${LABEL_CONFIG}, and is left alone: label it to let it be taken over, or name another one in ${FIELD}`,
  Unfit: `is immutable or not of type Opaque: name another one in ${FIELD}`,
  InUse: `holds something that neither side has, and that would be lost: empty it, or name another one in ${FIELD}`,
};

/** What is wrong with the Secret that is published, and what to do. */
export function secretTrouble({ name, state, owner }: CredentialsView): string | undefined {
  if (owner !== undefined)
    return `Secret "${name}" belongs to release "${owner}": name another one in ${FIELD}, or delete that release`;
  const clause = UNFIT[state];
  return clause && `Secret "${name}" ${clause}`;
}

const UNUSABLE: Partial<Record<CredentialSource['state'], string>> = {
  Absent: `does not exist: create it, with the label ${LABEL_CONFIG}, or correct its name`,
  Unreadable: `cannot be read: let the operator get it ${ROLE}, or correct its name`,
  Unanswered: 'could not be read just now',
  Unlabelled: `has no label ${LABEL_CONFIG}, and is left alone: label it to let a release publish it, or correct its name`,
};

/** What is wrong with the Secret that a side has. */
export function sourceTrouble({ name, state, lacks }: CredentialSource): string | undefined {
  const lacking = lacks && `has no key "${lacks}", or nothing in it: add it, or correct ${KEYS}`;
  const clause = UNUSABLE[state] ?? lacking;
  return clause && `Secret "${name}" ${clause}`;
}

function publishSecret(
  { now }: Snapshot,
  { name, uid, resourceVersion }: CredentialsView,
  source: CredentialSource,
  revision: RevisionView,
  { color, mark, reason, decidedAt = now, rescue }: Move,
): Effect[] {
  const beside = dataOf(revision);
  if (color === undefined || mark === undefined || beside === undefined) return [];
  const { keys, version } = source;
  return [
    {
      kind: 'PublishSecret',
      secret: name,
      uid,
      resourceVersion,
      source: { name: source.name, version },
      keys,
      color,
      mark,
      beside,
      decidedAt,
      reason,
      rescue,
    },
  ];
}
