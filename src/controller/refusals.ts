/**
 * Which Services could not be written, and why. It is kept in memory alone: what it leads to, a release that goes back
 * or is split, stands in the cluster, and another process finds out by trying.
 */
import { isKubeError } from '../kube/errors.ts';
import type { Effect } from '../release/plan.ts';
import type { Refusal } from '../release/snapshot.ts';
import { isStale, NameTakenError } from './apply.ts';

export interface Refusals {
  /** By name of the Service. */
  of(key: string): Readonly<Record<string, Refusal>>;
  /** Gives true where the next decision can go on without this write. */
  failed(key: string, effect: Effect, error: unknown): boolean;
  succeeded(key: string, effect: Effect): void;
  forget(key: string): void;
}

/** So often in a row another writer may have been quicker by chance. */
const PATIENCE = 5;

interface Memory {
  readonly refusals: Map<string, Refusal>;
  /** How often in a row a Service was not what the plan was made for. */
  readonly stale: Map<string, number>;
}

/** `now`: milliseconds since the epoch. */
export function createRefusals(now: () => number): Refusals {
  const memories = new Map<string, Memory>();

  function memoryOf(key: string): Memory {
    const known = memories.get(key) ?? { refusals: new Map(), stale: new Map() };
    memories.set(key, known);
    return known;
  }

  return {
    of: (key) => Object.fromEntries(memories.get(key)?.refusals ?? []),
    failed(key, effect, error) {
      const service = serviceOf(effect);
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
      return final;
    },
    succeeded(key, effect) {
      const service = serviceOf(effect);
      const memory = memories.get(key);
      if (service === undefined || memory === undefined) return;
      memory.refusals.delete(service);
      memory.stale.delete(service);
    },
    forget: (key) => void memories.delete(key),
  };
}

/** The Service that an effect writes, itself or as a twin. */
function serviceOf(effect: Effect): string | undefined {
  return 'service' in effect ? effect.service : undefined;
}

/** The API server, a policy or a webhook forbids it, and will do so again. */
function isFinal(error: unknown): boolean {
  if (error instanceof NameTakenError || isKubeError(error, 'Forbidden', 'Invalid', 'BadRequest'))
    return true;
  return isKubeError(error, 'ServerError') && error.message.includes('failed calling webhook');
}
