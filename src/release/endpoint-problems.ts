/** What is wrong with the input of an external workload: what is published, and who is to be restarted. */
import { writtenSecrets } from '../api/config.ts';
import { LABEL_CONFIG } from '../api/names.ts';
import { COLORS } from '../api/status.ts';
import { type External, workloadOf } from '../api/workload.ts';
import { secretTrouble, sourceTrouble } from '../traffic/credentials.ts';
import { consumerInWords, sideOf } from '../traffic/endpoint.ts';
import type { CredentialSource, CredentialsView, EndpointView } from './endpoint-view.ts';
import { otherColor } from './endpoints.ts';
import type { Roles } from './roles.ts';
import type { Problem, Snapshot } from './snapshot.ts';

const CONFIG_MAP_FIELD = 'spec.traffic.endpoint.configMapRef.name';

/** In the order in which a person would mend them. */
export function endpointProblem(snapshot: Snapshot, roles: Roles): Problem | undefined {
  const { endpoint, release } = snapshot;
  const workload = workloadOf(release.spec);
  if (endpoint === undefined || workload.kind !== 'External') return undefined;
  return (
    capacityAsked(snapshot) ??
    foreign(snapshot, endpoint) ??
    unknownAddress(roles, endpoint, workload.external) ??
    mendable(credentialsUnfit(snapshot, roles)) ??
    changedInPlace(snapshot, roles, workload.external) ??
    unfitConsumer(snapshot, endpoint)
  );
}

/** Of what the schema fills in nothing is said. */
function capacityAsked({ release }: Snapshot): Problem | undefined {
  const { candidate, window, standby } = release.spec.capacity;
  if (candidate === '100%' && window === '100%' && standby === 0) return undefined;
  return {
    reason: 'FieldWithoutMeaning',
    message: 'spec.capacity counts pods, and workload.external has none here: remove spec.capacity',
  };
}

/** What we publish; all of `data` is replaced by it. */
const OUR_KEYS: ReadonlySet<string> = new Set(['url', 'color', 'revision']);

/** It says something that is not ours to replace, and nothing on it says that we published it. */
function inUse({ revisions }: Snapshot, { name, state, mark, data }: EndpointView): Problem | undefined {
  const isBegun = revisions.some(({ facts }) => facts?.committedAt !== undefined);
  if (mark !== undefined || (state === 'Ours' && isBegun)) return undefined;
  const key = Object.keys(data).find((each) => !OUR_KEYS.has(each));
  if (key === undefined) return undefined;
  return {
    reason: 'EndpointInUse',
    message: `ConfigMap "${name}" has the key "${key}", which would be lost, since url, color and revision replace all that it holds: name another one in ${CONFIG_MAP_FIELD}, or remove every other key from it`,
  };
}

export function foreign(snapshot: Snapshot, endpoint: EndpointView): Problem | undefined {
  const { release } = snapshot;
  const { name, state, owner } = endpoint;
  if (state !== 'Foreign') return inUse(snapshot, endpoint);
  if (owner !== undefined)
    return {
      reason: 'EndpointClaimed',
      message: `ConfigMap "${name}" belongs to release "${owner}": name another one in ${CONFIG_MAP_FIELD}, or delete that release`,
    };
  return {
    reason: 'NameTaken',
    message: `ConfigMap "${name}" exists without the label ${LABEL_CONFIG}, and is left alone: let it be taken over (kubectl label configmap ${name} ${LABEL_CONFIG}=true -n ${release.namespace}) or name another one in ${CONFIG_MAP_FIELD}`,
  };
}

/** Before the first revision: taking it for either side would move consumers without a release. */
function unknownAddress(
  { stage }: Roles,
  { name, data }: EndpointView,
  external: External,
): Problem | undefined {
  if (stage !== 'Unadopted' || data.url === undefined || sideOf(data, external) !== undefined)
    return undefined;
  return {
    reason: 'EndpointUnknown',
    message: `ConfigMap "${name}" says an url that neither spec.workload.external.blue nor green has: describe in one of them what consumers use now, or remove the key url from it`,
  };
}

const SECRET_REASONS: Partial<Record<CredentialsView['state'], string>> = {
  Absent: 'CredentialsNotFound',
  Unreadable: 'CredentialsForbidden',
  Unanswered: 'CredentialsUnanswered',
  Foreign: 'CredentialsForeign',
  InUse: 'CredentialsInUse',
};

const SOURCE_REASONS: Partial<Record<CredentialSource['state'], string>> = {
  Absent: 'CredentialsNotFound',
  Unreadable: 'CredentialsForbidden',
  Unanswered: 'CredentialsUnanswered',
  Unlabelled: 'CredentialsForeign',
};

/** What may pass holds up a switch, and is nobody's to mend: whether a release may begin is asked of the API server besides. */
function mendable(problem: Problem | undefined): Problem | undefined {
  return problem?.reason === 'CredentialsUnanswered' ? undefined : problem;
}

/** Of the side that is to serve; before the first revision of both, since either may be what consumers use. */
export function credentialsUnfit({ endpoint, release }: Snapshot, { stage }: Roles): Problem | undefined {
  const { credentials } = endpoint ?? {};
  const workload = workloadOf(release.spec);
  if (credentials === undefined || workload.kind !== 'External') return undefined;
  const trouble = secretTrouble(credentials);
  if (trouble !== undefined) {
    const field = 'spec.traffic.endpoint.secretRef';
    const reason = SECRET_REASONS[credentials.state] ?? 'CredentialsUnfit';
    return { reason, message: `${field}: ${trouble}` };
  }
  for (const color of stage === 'Unadopted' ? COLORS : [workload.external.active]) {
    const side = credentials.sides[color];
    const missing = sourceTrouble(side);
    if (missing === undefined) continue;
    const field = `spec.workload.external.${color}.secretRef`;
    const reason = SOURCE_REASONS[side.state] ?? 'CredentialsIncomplete';
    return { reason, message: `${field}: ${missing}` };
  }
  return undefined;
}

/** What serves is not changed under those who use it: only the other side is, and then it is switched to. */
function changedInPlace(
  { wish, config }: Snapshot,
  { active, stage }: Roles,
  external: External,
): Problem | undefined {
  if (active === undefined || stage === 'Adopting' || wish === undefined) return undefined;
  const { color } = active.facts;
  if (external.active !== color || wish.fingerprint === active.fingerprint) return undefined;
  const field = `spec.workload.external.${color}`;
  const [written] = writtenSecrets(active.config, config.found);
  if (written !== undefined)
    return {
      reason: 'ServingSideChanged',
      message: `${field}.secretRef: ${written} does not hold what consumers use (revision ${active.name}), and credentials are not changed under them: put it back, or describe the environment with its new ones in ${otherColor(color)} and set spec.workload.external.active to it`,
    };
  return {
    reason: 'ServingSideChanged',
    message: `${field} is what consumers use (revision ${active.name}) and is not changed under them: put it back, or describe the new environment in ${otherColor(color)} and set spec.workload.external.active to it`,
  };
}

function unfitConsumer({ release }: Snapshot, { consumers }: EndpointView): Problem | undefined {
  for (const [index, consumer] of consumers.entries()) {
    const field = `spec.traffic.endpoint.restart[${index}]`;
    if (!consumer.found)
      return {
        reason: 'ConsumerNotFound',
        message: `${consumerInWords(consumer)} does not exist in namespace "${release.namespace}": create it, or correct ${field}`,
      };
    if (consumer.obstacle !== undefined)
      return {
        reason: 'ConsumerUnfit',
        message: `${consumerInWords(consumer)} ${consumer.obstacle}, or remove ${field}`,
      };
  }
  return undefined;
}
