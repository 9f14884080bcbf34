/** Whether a colour runs what it is said to run. */
import type { Color } from '../api/status.ts';
import type { Snapshot } from './snapshot.ts';

/** The colour's Deployment holds this revision and nothing else: no old pods, no foreign edits. */
export function runsOnly(snapshot: Snapshot, color: Color, revision: string): boolean {
  const { deployment, pods } = snapshot.sides[color];
  return (
    deployment?.ours === true &&
    deployment.revision === revision &&
    deployment.matches &&
    deployment.observed &&
    deployment.updated === deployment.pods &&
    pods.every((pod) => pod.revision === revision)
  );
}
