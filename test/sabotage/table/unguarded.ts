/** The applier asks nobody for a second opinion: what src/release/invariants.ts would refuse is done. */
import type { Edit } from '../sabotage.ts';

export const UNGUARDED: Edit = {
  file: 'src/controller/round.ts',
  find: 'if (broken.length > 0)',
  replace: 'if (broken.length > 1000)',
};
