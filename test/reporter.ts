/** Mocha's spec reporter, which also leaves its counts, and what failed, where test/run.ts puts them together. */
import { writeFileSync } from 'node:fs';
import Mocha from 'mocha';

const { Spec } = Mocha.reporters;

export default class CountingReporter extends Spec {
  constructor(runner: Mocha.Runner, options: Mocha.MochaOptions) {
    super(runner, options);
    const reasons: string[] = [];
    runner.on('fail', (test, error: Error) => reasons.push(`${test.fullTitle()}: ${error.message}`));
    runner.once('end', () => {
      const file = process.env.TEST_COUNTS;
      const { passes, failures, pending } = this.stats;
      if (file !== undefined)
        writeFileSync(file, JSON.stringify({ passed: passes, failed: failures, skipped: pending, reasons }));
    });
  }
}
