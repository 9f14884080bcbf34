/**
 * Tests that are started together, each in a namespace of its own: a release is mostly waiting. Mocha shows and
 * counts each of them as if it ran alone.
 */
export function together(tests: Readonly<Record<string, () => Promise<void>>>): void {
  const running = new Map<string, Promise<void>>();
  before(() => {
    for (const [sentence, test] of Object.entries(tests)) {
      const run = test();
      // Whoever awaits it is told of its failure; until then it is nobody's unhandled rejection.
      run.catch(() => undefined);
      running.set(sentence, run);
    }
  });
  for (const sentence of Object.keys(tests)) it(sentence, () => running.get(sentence));
}
