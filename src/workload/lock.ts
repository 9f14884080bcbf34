/** What is noted on an autoscaler of people's whose minimum was raised, so that anybody can give it back. */
import { ANNOTATION_CAPACITY_LOCK } from '../api/names.ts';

export interface CapacityLock {
  /** minReplicas before. */
  readonly own: number;
  /** What was written instead: anything else that stands there now was written by people since. */
  readonly written: number;
}

export function parseLock(
  annotations: Readonly<Record<string, string>> | undefined,
): CapacityLock | undefined {
  const [, own, written] =
    /^([0-9]{1,9})->([0-9]{1,9})$/.exec(annotations?.[ANNOTATION_CAPACITY_LOCK] ?? '') ?? [];
  return own === undefined || written === undefined
    ? undefined
    : { own: Number(own), written: Number(written) };
}

export function formatLock({ own, written }: CapacityLock): string {
  return `${own}->${written}`;
}
