/** What several stories begin with. */
import type { Actor } from '../script.ts';

const job = { spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'smoke' }] } } } };

export const gates: { name: string; job: typeof job; timeoutSeconds: number }[] = [
  { name: 'smoke', job, timeoutSeconds: 120 },
];

export const checks: { name: string; prometheus: { query: string; max: string } }[] = [
  { name: 'errors', prometheus: { query: 'errors{color="$(BLUEGREEN_COLOR)"}', max: '0.01' } },
];

/** v1 is adopted, v2 is wished for, and has come so far. */
export async function release(actor: Actor, phase?: string): Promise<void> {
  await actor.adopt();
  actor.wish(2);
  if (phase !== undefined) await actor.reach(phase);
}
