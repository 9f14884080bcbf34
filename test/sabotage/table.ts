/** All of them. A new feature of the core brings its own. */
import type { Sabotage } from './sabotage.ts';
import { AROUND } from './table/around.ts';
import { BACK } from './table/back.ts';
import { CAPACITY } from './table/capacity.ts';
import { FORWARD } from './table/forward.ts';
import { JUDGEMENT } from './table/judgement.ts';
import { STATE } from './table/state.ts';
import { TRAFFIC } from './table/traffic.ts';

export const SABOTAGES: readonly Sabotage[] = [
  ...FORWARD,
  ...TRAFFIC,
  ...BACK,
  ...CAPACITY,
  ...JUDGEMENT,
  ...STATE,
  ...AROUND,
];
