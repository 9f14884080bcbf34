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

export interface Answer {
  readonly at: number;
  readonly color: Color;
  readonly verdict: Measurement['verdict'];
}

export interface Metrics {
  readonly sources: Sources;
  outage: boolean;
  /** What it answers to everything, while that is set. */
  answer: Sample | undefined;
  /** All that it ever answered. */
  readonly answers: readonly Answer[];
}

export function createMetrics(
  timeline: Timeline,
  random: Random,
  servingVersion: (color: Color) => Version | undefined,
): Metrics {
  const answers: Answer[] = [];

  function sampleOf(color: Color): Sample {
    if (!metrics.outage)
      return { kind: 'value', value: servingVersion(color)?.errors === 'many' ? 0.2 : 0.001 };
    return { kind: 'unknown', reason: random.pick(OUTAGES), message: 'the metric source has no answer' };
  }

  const metrics = {
    outage: false,
    answer: undefined as Sample | undefined,
    answers,
    sources: {
      async measure(request: MeasureRequest): Promise<Measurement> {
        await timeline.sleep(random.between(5, metrics.outage ? 10_000 : 500));
        const at = request.now();
        const color: Color = request.query.includes('green') ? 'green' : 'blue';
        const measurement = judge(metrics.answer ?? sampleOf(color), request, at);
        answers.push({ at, color, verdict: measurement.verdict });
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
