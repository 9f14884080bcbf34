/** The annotations of a switch, on what production follows: a Service, or a published ConfigMap. Nobody else words them or takes them apart. */
import { ANNOTATION_SWITCH, ANNOTATION_SWITCH_REASON, ANNOTATION_SWITCHED_AT } from '../api/names.ts';
import { formatPreciseTime, parseTime } from '../api/time.ts';
import type { KubeObject } from '../kube/ports.ts';
import { formatMark, type Marked, parseMark, type SwitchMark } from '../release/mark.ts';

export const SWITCH_ANNOTATIONS = [ANNOTATION_SWITCH, ANNOTATION_SWITCHED_AT, ANNOTATION_SWITCH_REASON];

/** Characters of a reason that are written. */
const MAX_REASON = 512;

export interface Switched {
  readonly mark: SwitchMark;
  /** Milliseconds since the epoch. */
  readonly decidedAt: number;
  readonly reason: string;
}

export function switchAnnotations({ mark, ...told }: Switched): Record<string, string> {
  return { [ANNOTATION_SWITCH]: formatMark(mark), ...toldOf(told) };
}

/** When and why traffic was moved: all that stands there of a move that is no switch of this release. */
export function toldOf({ decidedAt, reason }: Omit<Switched, 'mark'>): Record<string, string> {
  return {
    [ANNOTATION_SWITCHED_AT]: formatPreciseTime(decidedAt),
    [ANNOTATION_SWITCH_REASON]: reason.slice(0, MAX_REASON),
  };
}

/** uid of the release that switched it last; undefined: none did. */
export function switchedBy({ metadata }: KubeObject): string | undefined {
  return metadata.annotations?.[ANNOTATION_SWITCH]?.split('/')[0];
}

/** `uid`: of the release whose mark is looked for. */
export function markedOf(object: KubeObject | undefined, uid: string): Marked {
  const annotations = object?.metadata.annotations ?? {};
  return {
    rawMark: annotations[ANNOTATION_SWITCH],
    mark: parseMark(annotations[ANNOTATION_SWITCH], uid),
    switchedAt: parseTime(annotations[ANNOTATION_SWITCHED_AT]),
    switchReason: annotations[ANNOTATION_SWITCH_REASON],
  };
}
