/** The first of these times that is still to come, as part of a verdict. */
export function soonest(
  now: number,
  times: readonly (number | undefined)[],
): { readonly lookAgainAt?: number } {
  const coming = times.filter((time) => time !== undefined && time > now) as number[];
  return coming.length === 0 ? {} : { lookAgainAt: Math.min(...coming) };
}
