/** Nobody knows what production is: its ControllerRevision was deleted. Nothing is touched. */
import type { Verdict } from '../plan.ts';

export const REVISIONS_LOST: Verdict = {
  phase: 'Stalled',
  reason: 'RevisionsLost',
  message:
    'the ControllerRevision of what has the traffic is gone: delete the release and create it again, production goes on meanwhile',
  stalled: true,
};
