/** What an operator tells is in the bounds of its schema, and nothing else than that. */
import { readMember } from '../../../src/api/parse.ts';
import { fail } from './view.ts';

/** A member that was found in its bounds, and is the same object still, is in them: most writes change one of twenty. */
export function guardStatus(status: object): void {
  for (const [name, value] of Object.entries(status)) {
    const read = readMember(name, value);
    if (!read.ok) fail(`a status out of its bounds: ${read.path}`);
  }
}
