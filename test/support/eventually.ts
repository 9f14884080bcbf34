import { setTimeout as sleep } from 'node:timers/promises';

/** Asks until there is an answer; the error says what was waited for, and what went wrong last. */
export async function eventually<T>(
  what: string,
  timeoutMs: number,
  ask: () => Promise<T | undefined> | T | undefined,
  everyMs = 250,
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  let trouble = '';
  for (;;) {
    try {
      const answer = await ask();
      if (answer !== undefined) return answer;
      trouble = '';
    } catch (error) {
      trouble = `: ${(error as Error).message}`;
    }
    if (Date.now() > deadline) throw new Error(`${what}: not within ${timeoutMs / 1000} seconds${trouble}`);
    await sleep(everyMs);
  }
}
