/** One story for each situation that people will meet. */
import { ADOPTING } from './chapters/adopting.ts';
import { DELETING } from './chapters/deleting.ts';
import { FAILING } from './chapters/failing.ts';
import { MEDDLING } from './chapters/meddling.ts';
import { RELEASING } from './chapters/releasing.ts';
import { RETURNING } from './chapters/returning.ts';
import type { Story } from './script.ts';

export const STORIES: readonly Story[] = [
  ...ADOPTING,
  ...RELEASING,
  ...FAILING,
  ...RETURNING,
  ...MEDDLING,
  ...DELETING,
];
