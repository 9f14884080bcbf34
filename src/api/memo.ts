/**
 * What follows from one object alone, worked out once for each: caches never change what they hold, and a release is
 * looked at many times between two changes. It is forgotten with its object.
 */
export function memo<Of extends object, Result extends NonNullable<unknown>>(
  workOut: (of: Of) => Result,
): (of: Of) => Result {
  const known = new WeakMap<Of, Result>();
  return (of) => {
    const before = known.get(of);
    if (before !== undefined) return before;
    const result = workOut(of);
    known.set(of, result);
    return result;
  };
}
