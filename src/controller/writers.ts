/** Who wrote a field last, from managedFields: for messages about drift, never for a decision. */
import type { KubeClient, KubeObject, ObjectKey, ResourceType } from '../kube/ports.ts';

interface ManagedFields {
  readonly manager?: string;
  readonly time?: string;
  readonly fieldsV1?: unknown;
}

/** What is to be mended does not wait longer for a name, milliseconds. */
const DEADLINE_MS = 1000;
const OURSELVES = 'bluegreen-operator';

/**
 * The manager of the latest write that has this field, such as `kubectl-client-side-apply`; undefined where nobody but
 * the operator has it, or it cannot be asked in time.
 */
export async function lastWriter(
  client: KubeClient,
  type: ResourceType,
  key: ObjectKey,
  path: readonly string[],
): Promise<string | undefined> {
  const object = await client
    .get<KubeObject & { metadata: { managedFields?: ManagedFields[] } }>(type, key, {
      deadlineMs: DEADLINE_MS,
      urgency: 'rescue',
    })
    .catch(() => undefined);
  return (object?.metadata.managedFields ?? [])
    .filter(({ manager, fieldsV1 }) => manager !== OURSELVES && has(fieldsV1, path))
    .toSorted((a, b) => (b.time ?? '').localeCompare(a.time ?? ''))[0]?.manager;
}

function has(fields: unknown, path: readonly string[]): boolean {
  let value = fields;
  for (const step of path) {
    if (typeof value !== 'object' || value === null) return false;
    value = (value as Record<string, unknown>)[`f:${step}`];
  }
  return value !== undefined;
}
