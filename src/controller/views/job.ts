/** Jobs of gates, as rules read them. */
import { LABEL_ATTEMPT, LABEL_GATE, LABEL_REVISION } from '../../api/names.ts';
import type { Job, Pod } from '../../kube/types.ts';
import type { JobView } from '../../release/snapshot.ts';
import { MAX_MESSAGE } from './common.ts';

export function jobView(job: Job, pods: readonly Pod[]): JobView {
  const labels = job.metadata.labels ?? {};
  const condition = (type: string) =>
    job.status?.conditions?.find((each) => each.type === type && each.status === 'True');
  const failed = condition('Failed');
  const message = failed && (terminationMessage(pods) ?? failed.message ?? failed.reason ?? 'it failed');
  return {
    name: job.metadata.name,
    uid: job.metadata.uid ?? '',
    gate: labels[LABEL_GATE] ?? '',
    revision: labels[LABEL_REVISION] ?? '',
    attempt: Number(labels[LABEL_ATTEMPT] ?? 0),
    state: failed ? 'Failed' : condition('Complete') ? 'Complete' : 'Running',
    deadlineExceeded: failed?.reason === 'DeadlineExceeded',
    message: message?.trim().slice(0, MAX_MESSAGE),
  };
}

/**
 * What a container said in /dev/termination-log: the only voice a Job has in a status. Of pods of one second it is the
 * first by name, in every process.
 */
function terminationMessage(pods: readonly Pod[]): string | undefined {
  const newestFirst = pods.toSorted(
    ({ metadata: a }, { metadata: b }) =>
      (b.creationTimestamp ?? '').localeCompare(a.creationTimestamp ?? '') || a.name.localeCompare(b.name),
  );
  for (const pod of newestFirst) {
    for (const { state, lastState } of pod.status?.containerStatuses ?? []) {
      const message = (state?.terminated ?? lastState?.terminated)?.message;
      if (message) return message;
    }
  }
  return undefined;
}
