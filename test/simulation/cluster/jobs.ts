/** The Job controller: each Job takes a while and then says what the version under test makes it say. */
import { DEPLOYMENTS, type Deployment, JOBS, type Job } from '../../../src/kube/types.ts';
import type { Version } from '../versions.ts';
import type { Change } from './api.ts';
import type { Surroundings } from './controller.ts';

/** The Jobs that completed, by name: what the oracle knows about gates. */
export function startJobs(
  { api, timeline, random }: Surroundings,
  versionOf: (deployment: Deployment | undefined) => Version | undefined,
): ReadonlySet<string> {
  const passed = new Set<string>();

  api.onChange(({ type, event, object }: Change) => {
    if (type !== JOBS || event !== 'ADDED') return;
    const job = object as Job;
    const verdict = versionOf(underTest(job))?.smoke ?? 'fail';
    const limit = (job.spec.activeDeadlineSeconds ?? 600) * 1000;
    const takes = random.between(1000, 40_000);
    const { name, uid = '' } = job.metadata;
    if (verdict === 'hang' || takes >= limit)
      timeline.after(limit, () => end(name, uid, 'Failed', 'DeadlineExceeded'));
    else if (verdict === 'fail')
      timeline.after(takes, () => end(name, uid, 'Failed', 'BackoffLimitExceeded'));
    else timeline.after(takes, () => end(name, uid, 'Complete', 'CompletionsReached'));
  });

  function underTest(job: Job): Deployment | undefined {
    const [container] = (job.spec.template.spec.containers ?? []) as {
      env?: { name: string; value: string }[];
    }[];
    const value = (key: string) => container?.env?.find(({ name }) => name === key)?.value ?? '';
    return api.get(DEPLOYMENTS, `${value('BLUEGREEN_RELEASE')}-${value('BLUEGREEN_COLOR')}`);
  }

  function end(name: string, uid: string, type: 'Complete' | 'Failed', reason: string): void {
    if (api.get(JOBS, name)?.metadata.uid !== uid) return;
    if (type === 'Complete') passed.add(name);
    const message = reason === 'BackoffLimitExceeded' ? 'the checkout page answered 500' : reason;
    api.update<Job>(JOBS, name, (job) => ({
      ...job,
      status: { ...job.status, conditions: [{ type, status: 'True', reason, message }] },
    }));
  }

  return passed;
}
