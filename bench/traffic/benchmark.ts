import type { Say } from '../benchmark.ts';
import type { Row } from '../row.ts';
import type { TrafficLab } from './lab.ts';
import type { Sizes } from './options.ts';

export interface TrafficBenchmark {
  readonly name: string;
  run(lab: TrafficLab, sizes: Sizes, say: Say): Promise<Row[]>;
}
