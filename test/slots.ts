/**
 * Runs `run` for each item, for as many at once as there are slots, in the order of the items. The first error lets no
 * other begin, and is this function's.
 */
export async function inSlots<T, R>(
  items: readonly T[],
  slots: number,
  run: (item: T) => Promise<R>,
): Promise<R[]> {
  const waiting = [...items];
  const results: R[] = [];
  async function work(): Promise<void> {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift())
      results.push(await run(item));
  }
  try {
    await Promise.all(Array.from({ length: slots }, work));
  } finally {
    waiting.length = 0;
  }
  return results;
}
