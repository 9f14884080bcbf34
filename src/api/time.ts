/**
 * Conversions between the two forms of a point in time: milliseconds since the epoch inside the product, RFC 3339
 * on the wire. Pure: nothing here reads a clock, which is why the decision core may use it.
 */

/** Second precision, as metav1.Time has. */
export function formatTime(epochMs: number): string {
  return `${formatPreciseTime(epochMs).slice(0, 19)}Z`;
}

/** Every status tells of the same few moments. */
const formatted = new Map<number, string>();
const MOST_KEPT = 1000;

/** Millisecond precision: for the time stamps of a switch, whose stages are milliseconds apart. */
export function formatPreciseTime(epochMs: number): string {
  const known = formatted.get(epochMs);
  if (known !== undefined) return known;
  if (formatted.size === MOST_KEPT) formatted.clear();
  const text = new Date(epochMs).toISOString();
  formatted.set(epochMs, text);
  return text;
}

/** undefined for an absent or unreadable time: what cannot be read is not known. */
export function parseTime(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const epochMs = Date.parse(text);
  return Number.isNaN(epochMs) ? undefined : epochMs;
}
