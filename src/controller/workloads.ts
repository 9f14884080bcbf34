/**
 * The kinds that run the pods of a side or of a consumer. A StatefulSet is read as a Deployment: what rules read of
 * either means the same.
 */
import type { WorkloadKind } from '../api/workload.ts';
import type { ResourceType, Store } from '../kube/ports.ts';
import { DEPLOYMENTS, type Deployment, STATEFUL_SETS } from '../kube/types.ts';
import type { Cache } from './cache.ts';

interface Kept {
  readonly type: ResourceType;
  /** Those that carry the label of a release. */
  readonly store: (cache: Cache) => Store<Deployment>;
}

export const WORKLOADS: Readonly<Record<WorkloadKind, Kept>> = {
  Deployment: { type: DEPLOYMENTS, store: ({ deployments }) => deployments },
  StatefulSet: { type: STATEFUL_SETS, store: ({ statefulSets }) => statefulSets },
};
