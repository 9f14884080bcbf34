/** A validation Job: passed when it completes, failed when it fails; its time-out blames nobody. */
import { jobName } from '../api/names.ts';
import type { GateSpec } from '../api/schema.ts';
import type { StartedRevision } from '../release/roles.ts';
import type { JobView, Snapshot } from '../release/snapshot.ts';
import type { GateVerdict } from './gate.ts';

export function jobGate(snapshot: Snapshot, candidate: StartedRevision, gate: GateSpec): GateVerdict {
  const { attempt, color } = candidate.facts;
  const job = snapshot.jobs.find(
    (view) => view.gate === gate.name && view.attempt === attempt && view.revision === candidate.name,
  );
  const answer = (state: GateVerdict['state'], reason: string, message: string): GateVerdict => ({
    name: gate.name,
    state,
    reason,
    message,
  });
  if (job === undefined) {
    const name = jobName(snapshot.release.name, gate.name, attempt);
    return {
      ...answer('Running', 'JobStarting', `gate "${gate.name}": starting Job ${name}`),
      effects: [{ kind: 'CreateJob', gate: gate.name, revision: candidate.name, attempt, color }],
    };
  }
  return judged(job, gate, answer);
}

function judged(
  job: JobView,
  gate: GateSpec,
  answer: (state: GateVerdict['state'], reason: string, message: string) => GateVerdict,
): GateVerdict {
  const says = job.message === undefined ? '' : `: ${job.message}`;
  switch (job.state) {
    case 'Running':
      return answer(
        'Running',
        'JobRunning',
        `gate "${gate.name}": waiting for Job ${job.name}, for at most ${gate.timeoutSeconds} seconds`,
      );
    case 'Complete':
      return answer('Passed', 'JobComplete', `gate "${gate.name}": Job ${job.name} completed`);
    case 'Failed':
      return job.deadlineExceeded
        ? answer(
            'Inconclusive',
            'GateTimedOut',
            `gate "${gate.name}": Job ${job.name} took longer than ${gate.timeoutSeconds} seconds${says}`,
          )
        : answer('Failed', 'GateFailed', `gate "${gate.name}": Job ${job.name} failed${says}`);
    default:
      return job.state satisfies never;
  }
}
