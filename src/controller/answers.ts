/**
 * What the API server answered to the last write of each Service, and to the last restart of each consumer. It is kept in memory alone: what it leads to, a release
 * that goes back or is split, stands in the cluster, and another process finds out by trying.
 */
import { isKubeError } from '../kube/errors.ts';
import { formatMark } from '../release/mark.ts';
import type { Effect } from '../release/plan.ts';
import type { Observations, Patched, Refusal } from '../release/snapshot.ts';
import { secretKey } from '../traffic/credentials.ts';
import { consumerKey, restartMark } from '../traffic/hold.ts';
import { isStale, NameTakenError } from './apply/errors.ts';
import { isWebhookDown } from './trouble.ts';

export interface Answers {
  /** By name of the Service or of the published ConfigMap; `kind/name` of a consumer and of the published Secret. */
  of(key: string): Pick<Observations, 'refusals' | 'patches'>;
  /** Gives true where the next decision can go on without this write. */
  failed(key: string, effect: Effect, error: unknown): boolean;
  succeeded(key: string, effect: Effect): void;
  forget(key: string): void;
}

/** So often in a row another writer may have been quicker by chance. */
const PATIENCE = 5;

interface Memory {
  readonly refusals: Map<string, Refusal>;
  readonly patches: Map<string, Patched>;
  /** How often in a row a Service was not what the plan was made for. */
  readonly stale: Map<string, number>;
}

/** `now`: milliseconds since the epoch. */
export function createAnswers(now: () => number): Answers {
  const memories = new Map<string, Memory>();

  function memoryOf(key: string): Memory {
    const known = memories.get(key) ?? { refusals: new Map(), patches: new Map(), stale: new Map() };
    memories.set(key, known);
    return known;
  }

  return {
    of(key) {
      const { refusals = [], patches = [] } = memories.get(key) ?? {};
      return { refusals: Object.fromEntries(refusals), patches: Object.fromEntries(patches) };
    },
    failed(key, effect, error) {
      const service = writtenBy(effect);
      if (service === undefined) return false;
      const { refusals, stale } = memoryOf(key);
      const message = error instanceof Error ? error.message : 'the write failed';
      if (isStale(error)) {
        const count = (stale.get(service) ?? 0) + 1;
        stale.set(service, count);
        if (count >= PATIENCE) refusals.set(service, { at: now(), message, final: false });
        return false;
      }
      const final = isFinal(error) || effect.kind === 'PointPreview';
      refusals.set(service, { at: now(), message, final });
      // A switch that is refused is an error like any other; what puts production back is tried on and on.
      return final && (effect.kind !== 'Publish' || effect.rescue);
    },
    succeeded(key, effect) {
      const service = writtenBy(effect);
      if (service === undefined) return;
      const { refusals, patches, stale } = memoryOf(key);
      refusals.delete(service);
      stale.delete(service);
      if ((effect.kind === 'Publish' || effect.kind === 'PatchSelector') && effect.mark !== undefined)
        patches.set(service, { mark: formatMark(effect.mark), at: now() });
      if (effect.kind === 'RestartConsumer')
        patches.set(service, { mark: restartMark(effect.uid, effect.digest), at: now() });
    },
    forget: (key) => void memories.delete(key),
  };
}

/** The Service that an effect writes, itself or as a twin; the consumer, or what is published. */
export function writtenBy(effect: Effect): string | undefined {
  if (effect.kind === 'RestartConsumer') return consumerKey({ kind: effect.consumer, name: effect.name });
  if (effect.kind === 'Publish') return effect.configMap;
  if (effect.kind === 'PublishSecret') return secretKey(effect.secret);
  return 'service' in effect ? effect.service : undefined;
}

/** The API server, a policy or a webhook forbids it, and will do so again. */
function isFinal(error: unknown): boolean {
  if (error instanceof NameTakenError || isKubeError(error, 'Forbidden', 'Invalid', 'BadRequest'))
    return true;
  return isWebhookDown(error);
}
