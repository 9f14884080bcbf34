import {
  CONTROLLER_REVISIONS,
  DEPLOYMENTS,
  HORIZONTAL_POD_AUTOSCALERS,
  JOBS,
  SERVICES,
  STATEFUL_SETS,
} from '../../../src/kube/types.ts';
import { history, type Shop } from './shop.ts';

/** What a life must have led to, without times, uids and what only tells how it came about. */
export async function outcome(shop: Shop): Promise<Record<string, unknown>> {
  const [release, services, deployments, statefulSets, revisions, autoscalers, jobs] = await Promise.all([
    shop.read(),
    shop.list(SERVICES),
    shop.list(DEPLOYMENTS),
    shop.list(STATEFUL_SETS),
    // A StatefulSet has some of its own.
    shop.list(CONTROLLER_REVISIONS, 'bluegreen.dev/revision'),
    shop.list(HORIZONTAL_POD_AUTOSCALERS),
    shop.list(JOBS),
  ]);
  const { status } = release;
  return {
    status: {
      phase: status.phase,
      revision: status.revision,
      attempt: status.attempt,
      history: history(release),
      rejected: status.rejected?.map(({ revision, reason }: any) => `${revision} ${reason}`),
      conditions: status.conditions.map((each: any) => `${each.type} ${each.status} ${each.reason}`),
      switch: `${status.switch.direction} ${status.switch.to} ${status.switch.revision}`,
    },
    services: services.map(({ metadata, spec: { selector } }) => ({ name: metadata.name, selector })),
    workloads: [...deployments, ...statefulSets].map(
      ({ metadata, spec: { replicas, paused = false, template } }) => ({
        name: metadata.name,
        replicas,
        paused,
        image: template.spec.containers[0].image,
        labels: template.metadata.labels,
      }),
    ),
    revisions: revisions.map(({ metadata, revision }) => `${metadata.name} ${revision}`),
    autoscalers: autoscalers.map(({ metadata, spec: { minReplicas } }) => `${metadata.name} ${minReplicas}`),
    jobs: jobs.map(({ metadata }) => metadata.name),
  };
}
