/** The API server's verdict on the write of the published Secret, by a dry run that carries nothing of what it would hold. */
import { ANNOTATION_SWITCH } from '../api/names.ts';
import { isKubeError } from '../kube/errors.ts';
import type { KubeClient } from '../kube/ports.ts';
import { SECRETS } from '../kube/types.ts';
import type { Problem } from '../release/snapshot.ts';
import type { Scene } from './observe.ts';

/** As a Service that cannot be switched: better told before anything is published. */
export async function judgeCredentials(
  client: KubeClient,
  { release, snapshot }: Scene,
  signal: AbortSignal,
): Promise<Problem | undefined> {
  const { credentials } = snapshot.endpoint ?? {};
  const seen = [credentials, ...Object.values(credentials?.sides ?? {})];
  const unanswered = seen.find((each) => each?.state === 'Unanswered');
  if (unanswered !== undefined) throw new Error(`Secret "${unanswered.name}" could not be read`);
  if (credentials?.state !== 'Ours' && credentials?.state !== 'Free') return undefined;
  const { name, uid } = credentials;
  const body = { metadata: { uid, annotations: { [ANNOTATION_SWITCH]: 'dry-run' } } };
  try {
    const key = { namespace: release.namespace, name };
    await client.patch(SECRETS, key, { type: 'merge', body }, { dryRun: true, signal });
    return undefined;
  } catch (error) {
    if (isKubeError(error, 'NotFound', 'Conflict')) return undefined;
    if (!isKubeError(error, 'Invalid', 'BadRequest', 'Forbidden')) throw error;
    const field = 'spec.traffic.endpoint.secretRef';
    return {
      reason: 'CredentialsRefused',
      // A policy may quote what stands in the Secret.
      message: `${field}: the API server refuses to patch Secret "${name}" (${error.reason}): let the operator do so by a Role of this namespace (docs/endpoint.md), or see which policy forbids it`,
    };
  }
}
