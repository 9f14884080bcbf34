/** The credentials that an external workload publishes. What they are is read here, written, and forgotten. */
import { ANNOTATION_COPY_OF } from '../../api/names.ts';
import { isKubeError, KubeError } from '../../kube/errors.ts';
import type { JsonPatchOperation } from '../../kube/ports.ts';
import { CONFIG_MAPS, type ConfigMap, SECRETS, type Secret } from '../../kube/types.ts';
import { formatMark } from '../../release/mark.ts';
import { secretIdentity } from '../../workload/config.ts';
import { credentialsData } from '../credentials.ts';
import type { Scene } from '../observe.ts';
import { markedOf, SWITCH_ANNOTATIONS, switchAnnotations } from '../switch-mark.ts';
import type { Applier, Appliers, Apply, Of } from './applier.ts';
import { StaleError } from './errors.ts';
import { removeMembers, setMembers, test, whyUnpatched } from './writes.ts';

/** What the API server says now: another process may have switched since, or somebody may have written the source. */
async function sourceNow(
  { client }: Applier,
  { release, published }: Scene,
  { source, mark, keys }: Of<'PublishSecret'>,
): Promise<Secret> {
  const { namespace } = release;
  const map = published?.metadata.name ?? '';
  const [ordered, found] = await Promise.all([
    client.get<ConfigMap>(CONFIG_MAPS, { namespace, name: map }),
    client.get<Secret>(SECRETS, { namespace, name: source.name }),
  ]);
  if (markedOf(ordered, release.uid).rawMark !== formatMark(mark))
    throw new StaleError(`ConfigMap "${map}" says something else by now`);
  const isSeen = found !== undefined && secretIdentity(found) === source.version;
  if (!isSeen || keys.some((key) => !found.data?.[key]))
    throw new StaleError(`Secret "${source.name}" changed in the meantime`);
  return found;
}

/** As the API server, its policies and webhooks may quote what they refuse, their words are kept out of everything. */
function unquoted(error: unknown, name: string): unknown {
  const why = whyUnpatched(error, `Secret "${name}"`);
  if (!isKubeError(why) || why.reason === 'Aborted') return why;
  const { reason, status, retryAfterMs } = why;
  const message = reason === 'Forbidden' ? 'the API server forbids it' : `the API server answered ${reason}`;
  return new KubeError({
    reason,
    status,
    call: `patch secrets ${name}`,
    message,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  });
}

async function patchSecret(
  { client }: Applier,
  { release }: Scene,
  name: string,
  operations: JsonPatchOperation[],
  urgency: 'normal' | 'rescue' = 'normal',
): Promise<void> {
  const key = { namespace: release.namespace, name };
  try {
    await client.patch<Secret>(SECRETS, key, { type: 'json', operations }, { urgency });
  } catch (error) {
    throw unquoted(error, name);
  }
}

async function secretNow(
  { client }: Applier,
  { release }: Scene,
  name: string,
  uid: string,
): Promise<Secret> {
  const found = await client.get<Secret>(SECRETS, { namespace: release.namespace, name });
  if (found?.metadata.uid !== uid) throw new StaleError(`Secret "${name}" is another one by now`);
  return found;
}

/** The version is the precondition: nothing of what it held, or is to hold, stands in a `test` that an answer could quote. */
const publishSecret: Apply<'PublishSecret'> = async (applier, scene, effect) => {
  const { secret, uid, resourceVersion, source, keys, beside, rescue } = effect;
  const [found, { metadata }] = await Promise.all([
    sourceNow(applier, scene, effect),
    secretNow(applier, scene, secret, uid),
  ]);
  const operations: JsonPatchOperation[] = [
    test('/metadata/uid', uid),
    test('/metadata/resourceVersion', resourceVersion),
    { op: 'add', path: '/data', value: credentialsData(found, keys, beside) },
    ...setMembers('/metadata/annotations', metadata.annotations, {
      ...switchAnnotations(effect),
      [ANNOTATION_COPY_OF]: `${source.name}/${source.version}`,
    }),
  ];
  await patchSecret(applier, scene, secret, operations, rescue ? 'rescue' : 'normal');
};

/** A release that is created again compares what it holds with what both sides have, and takes it where one has that. */
const releaseSecret: Apply<'ReleaseSecret'> = async (applier, scene, { secret, uid }) => {
  const { metadata } = await secretNow(applier, scene, secret, uid);
  const ours = [...SWITCH_ANNOTATIONS, ANNOTATION_COPY_OF];
  const operations = [
    test('/metadata/uid', uid),
    ...removeMembers('/metadata/annotations', metadata.annotations, ours),
  ];
  // Rights that were taken back before the release was deleted must not keep it from going.
  await patchSecret(applier, scene, secret, operations).catch((error: unknown) => {
    if (!isKubeError(error, 'Forbidden')) throw error;
  });
};

export const credentialsAppliers: Appliers<'PublishSecret' | 'ReleaseSecret'> = {
  PublishSecret: publishSecret,
  ReleaseSecret: releaseSecret,
};
