/** Why an effect was not applied. */
import { isKubeError } from '../../kube/errors.ts';

/** The world is not what the effect was planned for: look again, decide again. */
export class StaleError extends Error {}

/** What an effect was planned for has changed; nothing is wrong with the effect. */
export function isStale(error: unknown): boolean {
  return error instanceof StaleError || isKubeError(error, 'Conflict', 'NotFound');
}

/** A name that the operator needs belongs to somebody else. */
export class NameTakenError extends Error {}
