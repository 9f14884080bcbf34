/** A Prometheus that answers as the version under traffic deserves, as far as it answers at all. */
import type { Measurement, Sample } from '../../src/analysis/measurement.ts';
import { judge } from '../../src/analysis/threshold.ts';
import type { Color } from '../../src/api/status.ts';
import type { MeasureRequest, Sources } from '../../src/metrics/sources.ts';
import type { Random } from './random.ts';
import type { Timeline } from './timeline.ts';
import type { Version } from './versions.ts';

/** The ways of an outage: unreachable, no data, 0/0. */
const OUTAGES = ['SourceUnreachable', 'NoData', 'NotANumber', 'SourceError'] as const;

export interface Metrics {
  readonly sources: Sources;
  outage: boolean;
  /** What it answers to everything, while that is set. */
  answer: Sample | undefined;
  /** Answers that said bad since the last switch of this colour. */
  readonly bad: number;
}

export function createMetrics(
  timeline: Timeline,
  random: Random,
  servingVersion: (color: Color) => Version | undefined,
): Metrics {
  let bad = 0;
  const metrics = {
    outage: false,
    answer: undefined as Sample | undefined,
    get bad() {
      return bad;
    },
    sources: {
      async measure(request: MeasureRequest): Promise<Measurement> {
        await timeline.sleep(random.between(5, metrics.outage ? 10_000 : 500));
        const at = request.now();
        if (metrics.answer !== undefined) return judge(metrics.answer, request, at);
        if (metrics.outage) {
          const reason = random.pick(OUTAGES);
          return judge({ kind: 'unknown', reason, message: 'the metric source has no answer' }, request, at);
        }
        const color: Color = request.query.includes('green') ? 'green' : 'blue';
        const value = servingVersion(color)?.errors === 'many' ? 0.2 : 0.001;
        const measurement = judge({ kind: 'value', value }, request, at);
        if (measurement.verdict === 'Bad') bad += 1;
        return measurement;
      },
      async validate() {
        await timeline.sleep(random.between(5, 500));
        return { ok: true as const };
      },
      update: () => undefined,
      close: () => Promise.resolve(),
    },
  };
  return metrics;
}
