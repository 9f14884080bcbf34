/** Snapshots of an external workload. */
import { specSchema } from '../../../src/api/schema.ts';
import type { Color } from '../../../src/api/status.ts';
import type {
  ConsumerView,
  CredentialSource,
  CredentialsView,
  EndpointView,
} from '../../../src/release/endpoint-view.ts';
import type { RevisionFacts } from '../../../src/release/facts.ts';
import { parseMark } from '../../../src/release/mark.ts';
import type { Snapshot } from '../../../src/release/snapshot.ts';
import { type Decided, decidedOn } from './decided.ts';
import { accepted, HOUR, MINUTE, NOON, revisionOf, SECOND, UID, world } from './world.ts';

const BLUE = 'https://blue.example.com';
const GREEN = 'https://green.example.com';
const smoke = { name: 'smoke', job: { spec: { template: { spec: { containers: [] } } } } };

export interface ExternalPicture {
  readonly now?: number;
  readonly active?: Color;
  readonly blue?: string;
  readonly restart?: readonly string[];
  readonly spec?: object;
  readonly traffic?: object;
  readonly release?: Partial<Snapshot['release']>;
  readonly previous?: Snapshot['previous'];
  readonly jobs?: Snapshot['jobs'];
  readonly revisions?: Readonly<Record<string, RevisionFacts>>;
  readonly mark?: string;
  readonly switchedAt?: number;
  readonly reason?: string;
  /** What it says; undefined: it does not exist. */
  readonly says?: Color | undefined;
  readonly endpoint?: Partial<EndpointView>;
  /** By name: the revision that each runs with; `!`: not yet complete. */
  readonly runs?: Readonly<Record<string, string>>;
  readonly consumer?: Partial<ConsumerView>;
  /** By name: what is different of one of them. */
  readonly consumers?: Readonly<Record<string, Partial<ConsumerView>>>;
  readonly observations?: Partial<Snapshot['observations']>;
  /** Credentials are published as well. */
  readonly secret?: SecretPicture;
}

export interface SecretPicture extends Partial<Pick<CredentialsView, 'state' | 'owner' | 'copyOf'>> {
  /** Its mark; absent: none. */
  readonly mark?: string;
  /** What is different of the Secrets of the two sides. */
  readonly blue?: Partial<CredentialSource>;
  readonly green?: Partial<CredentialSource>;
  /** Revisions that were frozen before credentials were published. */
  readonly without?: readonly string[];
}

const VERSIONS = { blue: 'blue-uid/1', green: 'green-uid/1' };

const versionsOf = ({ blue, green }: SecretPicture): CredentialsView['versions'] => ({
  blue: blue?.version || VERSIONS.blue,
  green: green?.version || VERSIONS.green,
});

function credentialsView(
  picture: SecretPicture,
  revisions: Readonly<Record<string, RevisionFacts>>,
): CredentialsView {
  const { mark, blue, green, ...secret } = picture;
  const marked = parseMark(mark, UID);
  const held = marked && revisions[marked.revision]?.color;
  const source = (color: Color): CredentialSource => ({
    name: `search-${color}`,
    keys: ['password'],
    state: 'Found',
    version: VERSIONS[color],
    lacks: undefined,
    shaped: held === color,
    same: held === color,
    ...(color === 'blue' ? blue : green),
  });
  return {
    name: 'search-login',
    uid: 'secret-uid',
    resourceVersion: '1',
    state: marked === undefined ? 'Free' : 'Ours',
    owner: undefined,
    rawMark: mark,
    mark: marked,
    switchedAt: undefined,
    switchReason: undefined,
    copyOf: held && `search-${held}/${VERSIONS[held]}`,
    sides: { blue: source('blue'), green: source('green') },
    sources: Object.fromEntries(Object.entries(revisions).map(([name, { color }]) => [name, source(color)])),
    versions: versionsOf(picture),
    ...secret,
  };
}

export const data = (color: Color): Record<string, string> => ({
  url: color === 'blue' ? BLUE : GREEN,
  color,
});

export function external(picture: ExternalPicture): Snapshot {
  const { active = 'blue', restart = ['api', 'worker'], secret } = picture;
  const named = (color: Color): object | undefined => secret && { secretRef: { name: `search-${color}` } };
  const spec = specSchema.parse({
    workload: {
      external: {
        active,
        blue: { url: picture.blue ?? BLUE, ...named('blue') },
        green: { url: GREEN, ...named('green') },
      },
    },
    traffic: {
      endpoint: {
        configMapRef: { name: 'search' },
        restart: restart.map((name) => ({ kind: 'Deployment', name })),
        ...(secret && { secretRef: { name: 'search-login', keys: ['password'] } }),
      },
    },
    gates: [smoke],
    ...picture.spec,
  });
  const versions = versionsOf(secret ?? {});
  const written = (color: Color): string => (versions[color] === VERSIONS[color] ? '' : versions[color]);
  const fingerprints = {
    blue: `blue ${spec.workload.external?.blue.url}${written('blue')}`,
    green: `green ${GREEN}${written('green')}`,
  };
  const found = secret && { secrets: { [`search-${active}`]: versions[active] } };
  const blue = { url: BLUE, ...named('blue') };
  const frozen = { ...spec, workload: { external: { ...spec.workload.external, blue } } };
  const base = world({
    ...(picture.now !== undefined && { now: picture.now }),
    source: null,
    services: [],
    wish: { fingerprint: fingerprints[active], podLabels: {}, replicas: 0 },
    ...(picture.previous && { previous: picture.previous }),
    ...(picture.jobs && { jobs: picture.jobs }),
    release: { spec, ...picture.release },
  });
  const revisions = Object.entries(picture.revisions ?? {}).map(([name, facts]) => {
    const { color } = facts;
    const revision = revisionOf(name, facts, `${color} ${color === 'blue' ? BLUE : GREEN}`, frozen as never);
    const config = { secrets: { [`search-${color}`]: VERSIONS[color] } };
    return secret && !secret.without?.includes(name) ? { ...revision, config } : revision;
  });
  const { mark, says } = picture;
  const endpoint: EndpointView = {
    name: 'search',
    state: says === undefined ? 'Absent' : 'Ours',
    owner: undefined,
    uid: 'map-uid',
    resourceVersion: '1',
    data: says === undefined ? {} : data(says),
    rawMark: mark,
    mark: parseMark(mark, UID),
    switchedAt: mark === undefined ? undefined : (picture.switchedAt ?? NOON - MINUTE),
    switchReason: picture.reason ?? 'Validated: all gates passed',
    writer: undefined,
    digests: Object.fromEntries(revisions.map(({ name }) => [name, `digest-${name}`])),
    fingerprints,
    credentials: secret && credentialsView(secret, picture.revisions ?? {}),
    consumers: restart.map((name) => consumerOf(name, picture)),
    ...picture.endpoint,
  };
  const observations = { ...base.observations, ...picture.observations };
  const config = { ...base.config, found };
  return accepted({ ...base, endpoint, revisions, observations, config });
}

function consumerOf(name: string, { runs = {}, consumer, consumers }: ExternalPicture): ConsumerView {
  const said = runs[name];
  return {
    kind: 'Deployment',
    name,
    found: true,
    uid: `${name}-uid`,
    digest: said && `digest-${said.replace('!', '')}`,
    restartedWith: undefined,
    restartedAt: NOON - MINUTE,
    complete: !said?.endsWith('!'),
    progress: said?.endsWith('!')
      ? '0 of 2 pods are new and available, 2 old'
      : '2 of 2 pods are new and available',
    obstacle: undefined,
    ...consumer,
    ...consumers?.[name],
  };
}

export const decide = (picture: ExternalPicture): Decided => decidedOn(external(picture));

export const r1: RevisionFacts = {
  color: 'blue',
  attempt: 1,
  startedAt: NOON - 10 * HOUR,
  adoption: true,
  validatedAt: NOON - 10 * HOUR,
  verifiedAt: NOON - 9 * HOUR,
  committedAt: NOON - 9 * HOUR,
  outcome: { kind: 'Committed', at: NOON - 9 * HOUR, reason: 'Began', message: 'begun' },
};
export const r2: RevisionFacts = { color: 'green', attempt: 2, startedAt: NOON - 5 * MINUTE };
export const valid: RevisionFacts = { ...r2, validatedAt: NOON - 2 * MINUTE };
export const verified: RevisionFacts = { ...valid, decidedAt: NOON - MINUTE, verifiedAt: NOON - 30 * SECOND };
export const kept: RevisionFacts = {
  ...verified,
  committedAt: NOON - 10 * SECOND,
  windowUntil: NOON + HOUR,
  outcome: { kind: 'Committed', at: NOON - 10 * SECOND, reason: 'Committed', message: 'good' },
};
export const FORWARD = `${UID}/r2/2`;
export const BACK = `${UID}/r1/2/back`;
export const onBlue: ExternalPicture = {
  says: 'blue',
  mark: `${UID}/r1/1`,
  revisions: { r1 },
  runs: { api: 'r1', worker: 'r1' },
};
export const ready: ExternalPicture = { ...onBlue, active: 'green', revisions: { r1, r2: valid } };
export const switched: ExternalPicture = { ...ready, says: 'green', mark: FORWARD };
export const watched: ExternalPicture = {
  ...switched,
  revisions: { r1, r2: verified },
  runs: { api: 'r2', worker: 'r2' },
};
export const committed: ExternalPicture = { ...watched, revisions: { r1, r2: kept } };
export const goingBack: ExternalPicture = {
  ...watched,
  says: 'blue',
  mark: BACK,
  reason: 'CheckFailed: too many errors',
};
