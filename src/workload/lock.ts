/** What is noted on an autoscaler of people's whose minimum was raised, so that anybody can give it back. */
import { ANNOTATION_CAPACITY_LOCK } from '../api/names.ts';
import { formatTime, parseTime } from '../api/time.ts';

export interface CapacityLock {
  /** minReplicas before. */
  readonly own: number;
  /** What was written instead: anything else that stands there now was written by people since. */
  readonly written: number;
  /** When, milliseconds; whole seconds are kept. */
  readonly at: number;
}

/** `own->written@time` */
export function parseLock(
  annotations: Readonly<Record<string, string>> | undefined,
): CapacityLock | undefined {
  const [, own, written, time] =
    /^([0-9]{1,9})->([0-9]{1,9})@(.+)$/.exec(annotations?.[ANNOTATION_CAPACITY_LOCK] ?? '') ?? [];
  const at = parseTime(time);
  return own === undefined || written === undefined || at === undefined
    ? undefined
    : { own: Number(own), written: Number(written), at };
}

export function formatLock({ own, written, at }: CapacityLock): string {
  return `${own}->${written}@${formatTime(at)}`;
}
