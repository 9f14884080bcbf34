/**
 * The switch annotation. A selector that carries a mark of this release is progress; a selector without one, or with
 * another colour than its mark says, is drift. The mark is written in the same patch as the selector, so that no crash
 * can separate the two.
 */

export interface SwitchMark {
  /** uid of the release. */
  readonly uid: string;
  readonly revision: string;
  readonly attempt: number;
  /** Forward to a validated candidate, or Back to the side that had the traffic before. */
  readonly direction: 'Forward' | 'Back';
}

/** What production traffic follows, and what carries the mark of its last switch: a Service, or a published ConfigMap. */
export interface Marked {
  /** The raw switch annotation, for the patch's precondition. */
  readonly rawMark: string | undefined;
  readonly mark: SwitchMark | undefined;
  readonly switchedAt: number | undefined;
  readonly switchReason: string | undefined;
}

/** `<release uid>/<revision>/<attempt>`, and `/back` for the way back. */
export function formatMark(mark: SwitchMark): string {
  const forward = `${mark.uid}/${mark.revision}/${mark.attempt}`;
  return mark.direction === 'Back' ? `${forward}/back` : forward;
}

/** undefined for anything that this release did not write. */
export function parseMark(text: string | undefined, uid: string): SwitchMark | undefined {
  const match = text?.match(/^([^/]+)\/([^/]+)\/([1-9][0-9]{0,8})(\/back)?$/);
  if (match?.[1] !== uid || match[2] === undefined) return undefined;
  return { uid, revision: match[2], attempt: Number(match[3]), direction: match[4] ? 'Back' : 'Forward' };
}

/** A revision, as far as the order of marks depends on it. */
interface Attempted {
  readonly name: string;
  readonly facts?: { readonly attempt: number } | undefined;
}

/**
 * What takes the traffic from where the other one put it is later: a way back can bring back what is of an older attempt
 * than what it takes from, and the next way back carries that older attempt. Else later attempts win; within an attempt
 * the way back is later than the way forward.
 */
export function isLater(a: SwitchMark, b: SwitchMark, revisions: readonly Attempted[]): boolean {
  const undoes = isUndoneBy(b, a, revisions);
  if (undoes !== isUndoneBy(a, b, revisions)) return undoes;
  const order = a.attempt - b.attempt || Number(a.direction === 'Back') - Number(b.direction === 'Back');
  return order > 0;
}

/** A way back carries the attempt of the revision that it takes the traffic from. */
function isUndoneBy({ revision }: SwitchMark, next: SwitchMark, revisions: readonly Attempted[]): boolean {
  if (next.direction !== 'Back' || next.revision === revision) return false;
  return next.attempt === revisions.find(({ name }) => name === revision)?.facts?.attempt;
}
