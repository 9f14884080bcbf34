/** What every kind of gate answers. */
import type { Effect } from '../release/plan.ts';

export interface GateVerdict {
  readonly name: string;
  /** Failed is the candidate's fault; Inconclusive is nobody's that we know. */
  readonly state: 'Pending' | 'Running' | 'Passed' | 'Failed' | 'Inconclusive';
  /** Low-cardinality, UpperCamelCase. */
  readonly reason: string;
  readonly message: string;
  readonly effects?: readonly Effect[];
  readonly lookAgainAt?: number;
}
