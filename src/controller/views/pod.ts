/** Pods, as rules read them. */
import { memo } from '../../api/memo.ts';
import { LABEL_REVISION } from '../../api/names.ts';
import { parseTime } from '../../api/time.ts';
import type { Pod } from '../../kube/types.ts';
import type { PodView } from '../../release/snapshot.ts';

export const podView: (pod: Pod) => PodView = memo(viewPod);

function viewPod(pod: Pod): PodView {
  const conditions = pod.status?.conditions ?? [];
  const ready = conditions.find(({ type, status }) => type === 'Ready' && status === 'True');
  const unscheduled = conditions.find(({ type, status }) => type === 'PodScheduled' && status === 'False');
  return {
    uid: pod.metadata.uid ?? '',
    name: pod.metadata.name,
    createdAt: parseTime(pod.metadata.creationTimestamp) ?? 0,
    readySince: parseTime(ready?.lastTransitionTime),
    revision: pod.metadata.labels?.[LABEL_REVISION],
    ready: ready !== undefined,
    trouble: troubleOf(pod),
    unschedulable:
      unscheduled && (unscheduled.message ?? unscheduled.reason ?? 'not scheduled').slice(0, 256),
  };
}

/** A container that is being created, or that runs for the first time, is in no trouble. */
const NO_TROUBLE = new Set(['ContainerCreating', 'PodInitializing', 'Completed']);

function troubleOf(pod: Pod): PodView['trouble'] {
  for (const { name, restartCount = 0, state, lastState } of pod.status?.containerStatuses ?? []) {
    const terminated = state?.terminated ?? lastState?.terminated;
    const failed =
      terminated !== undefined && terminated.exitCode !== 0 ? (terminated.reason ?? 'Error') : undefined;
    const reason = state?.waiting?.reason ?? failed;
    if (reason !== undefined && !NO_TROUBLE.has(reason))
      return { reason, container: name, restarts: restartCount };
  }
  return undefined;
}
