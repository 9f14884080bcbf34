/** Whether a Service would find the pods of a template. */
import { LABEL_COLOR, LABEL_REVISION } from '../api/names.ts';

/** Labels of ours tell the sides apart: a selector that names one would find nothing on the other side. */
const TELLS_SIDES = [LABEL_COLOR, LABEL_REVISION];

/** `apart`: keys that the operator itself puts into a selector. */
export function selects(
  selector: Readonly<Record<string, string>>,
  labels: Readonly<Record<string, string>>,
  apart: readonly string[],
): boolean {
  return Object.entries(selector).every(
    ([key, value]) => apart.includes(key) || (labels[key] === value && !TELLS_SIDES.includes(key)),
  );
}
