/** One stage for all stories of a run. */
import { raiseStage, type Stage } from '../support/stage.ts';

/** The first run on a machine may have to build every program of the cluster. */
const FIRST_RUN_MS = 1_800_000;

let stage: Promise<Stage> | undefined;

/** For the top of a `describe`: its tests find the stage set, or are skipped where there cannot be one. */
export function useStage(): () => Stage {
  let current: Stage | undefined;
  before(async function () {
    this.timeout(FIRST_RUN_MS);
    needNode(this);
    stage ??= raiseStage();
    current = await stage;
  });
  return () => {
    if (current === undefined) throw new Error('the stage is not set yet');
    return current;
  };
}

const missing = whatIsMissing();

function whatIsMissing(): string | undefined {
  if (process.platform !== 'linux') return `this is ${process.platform}, not Linux`;
  return process.getuid?.() === 0 ? undefined : 'these tests do not run as root';
}

/** Where there cannot be one, the tests of this `describe` are skipped, and it is said why; in CI that is a failure. */
export function needNode(context: Mocha.Context): void {
  if (missing === undefined) return;
  const why = `"${context.test?.parent?.title}" needs a real node, and ${missing}`;
  if (process.env.CI === 'true') throw new Error(why);
  console.log(`      SKIPPED: ${why}`);
  context.skip();
}

after(async function () {
  this.timeout(60_000);
  // Whoever waited for a stage that could not be set has said so.
  const raised = await stage?.catch(() => undefined);
  await raised?.cluster.stop();
});
