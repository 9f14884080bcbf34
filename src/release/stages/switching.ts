/** The selectors name the candidate; the endpoints have yet to prove it. */
import type { Color } from '../../api/status.ts';
import { formatTime } from '../../api/time.ts';
import { requiredReady } from '../capacity.ts';
import { recordFacts } from '../effects.ts';
import { convergence, servingOfColor } from '../endpoints.ts';
import { soonest } from '../look-again.ts';
import type { Verdict } from '../plan.ts';
import type { Roles } from '../roles.ts';
import { known } from '../services.ts';
import type { ServiceView, Snapshot } from '../snapshot.ts';
import { groundwork } from '../upkeep.ts';
import { goBack } from './back.ts';

export function switching(snapshot: Snapshot, roles: Roles): Verdict {
  const { subject, command } = roles;
  if (subject === undefined || command === undefined)
    return { phase: 'Switching', reason: 'Nothing', message: 'no switch is under way' };
  const { color } = subject.facts;
  const decidedAt = command.decidedAt ?? subject.facts.validatedAt ?? snapshot.now;
  const required = requiredReady(snapshot, roles);
  const behind = known(snapshot, roles).find(
    (service) => !convergence(snapshot, service, color, required).converged,
  );
  if (behind === undefined) {
    const verifiedReady = servingOfColor(snapshot, color);
    return {
      phase: 'Observing',
      reason: 'SwitchVerified',
      message: `the endpoints of every Service are ${color} pods only (${verifiedReady} ready): watching revision ${subject.name}`,
      effects: [
        recordFacts(subject, { ...subject.facts, decidedAt, verifiedAt: snapshot.now, verifiedReady }),
      ],
    };
  }
  const deadline = decidedAt + subject.frozen.traffic.convergeSeconds * 1000;
  const seen = inWords(snapshot, behind, color);
  if (snapshot.now >= deadline && roles.target !== undefined) {
    return goBack(snapshot, roles, subject, {
      reason: 'SwitchNotConverged',
      message: `${seen} after ${subject.frozen.traffic.convergeSeconds} seconds`,
    });
  }
  return {
    phase: behind.found ? 'Switching' : 'Split',
    reason: behind.found ? 'WaitingForEndpoints' : 'ServiceNotFound',
    message: `${seen}, waiting until ${formatTime(deadline)}`,
    effects: groundwork(snapshot),
    ...soonest(snapshot.now, [deadline]),
  };
}

function inWords(snapshot: Snapshot, behind: ServiceView, color: Color): string {
  if (!behind.found) return `Service "${behind.name}" does not exist any more`;
  const { ready, foreign } = convergence(snapshot, behind, color, 1);
  return `Service "${behind.name}" has ${ready} ready ${color} endpoints and ${foreign} of other pods`;
}
