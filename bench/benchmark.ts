import type { Lab } from './lab.ts';
import type { Row } from './row.ts';

/** Shows what is being done. */
export type Say = (doing: string) => void;

/** How large; the defaults fit into a coffee break. */
export interface Sizes {
  /** Releases at rest, in rising order: each is measured. */
  readonly releases: readonly number[];
  /** Releases at once. */
  readonly crowd: number;
  /** Releases that are looked at while a rollback is wanted. */
  readonly reconciled: number;
  /** Releases that are under way while a rollback is wanted. */
  readonly others: number;
  /** Switches whose latency is measured. */
  readonly switches: number;
  /** Restarts of each sort. */
  readonly restarts: number;
}

export interface Benchmark {
  readonly name: string;
  /** Rows are given as they are measured: what fails later takes nothing away. */
  run(lab: Lab, sizes: Sizes, say: Say): Promise<Row[]> | AsyncIterable<Row[]>;
}
