/** What an operator tells is in the bounds of its schema. */
import { statusSchema } from '../../../src/api/status.ts';
import { fail } from './view.ts';

const STRICT_STATUS = statusSchema.strict();

/** A member that was found in its bounds and is the same still: most writes change one of twenty. */
const sound = new WeakMap<object, string>();

export function guardStatus(status: object): void {
  const fresh = Object.entries(status).filter(([name, value]) => sound.get(value) !== name);
  const parsed = STRICT_STATUS.safeParse(Object.fromEntries(fresh));
  if (!parsed.success) fail(`a status out of its bounds: ${parsed.error.issues[0]?.path.join('.')}`);
  for (const [name, value] of fresh) if (typeof value === 'object' && value !== null) sound.set(value, name);
}
