/** One setter per condition. */
import type { ConditionInput, ConditionType } from '../api/conditions.ts';
import { formatTime } from '../api/time.ts';
import { availability } from '../checks/availability.ts';
import { credentialsDue } from '../traffic/credentials.ts';
import { consumerInWords, follow } from '../traffic/endpoint.ts';
import type { EndpointView } from './endpoint-view.ts';
import { convergence, readyCount, selectedColor } from './endpoints.ts';
import type { Verdict } from './plan.ts';
import type { Roles, StartedRevision } from './roles.ts';
import type { Snapshot } from './snapshot.ts';

type Setter = (snapshot: Snapshot, roles: Roles, verdict: Verdict) => ConditionInput | undefined;

const SETTERS: readonly Setter[] = [
  ready,
  reconciling,
  stalled,
  candidateReady,
  validated,
  trafficSwitched,
  trafficInSync,
  healthy,
  rollbackAvailable,
];

export function conditionsOf(snapshot: Snapshot, roles: Roles, verdict: Verdict): ConditionInput[] {
  return SETTERS.map((setter) => setter(snapshot, roles, verdict)).filter(
    (condition) => condition !== undefined,
  );
}

const make = (
  type: ConditionType,
  status: boolean | undefined,
  reason: string,
  message: string,
): ConditionInput => ({
  type,
  status: status === undefined ? 'Unknown' : status ? 'True' : 'False',
  reason: reason || 'Unknown',
  message,
});

/** What people wish for has the traffic, was proven, and nothing is under way. */
function isSettled(snapshot: Snapshot, { active, stage }: Roles, verdict: Verdict): boolean {
  if (stage !== 'Resting' || active === undefined || verdict.stalled || verdict.specPending) return false;
  return verdict.phase !== 'RollingBack' && snapshot.wish?.fingerprint === active.fingerprint;
}

function ready(snapshot: Snapshot, roles: Roles, verdict: Verdict): ConditionInput {
  if (isSettled(snapshot, roles, verdict)) return make('Ready', true, verdict.reason, verdict.message);
  const known = roles.stage !== 'Unadopted' || verdict.stalled;
  return make('Ready', known ? false : undefined, verdict.reason, verdict.message);
}

function reconciling(snapshot: Snapshot, roles: Roles, verdict: Verdict): ConditionInput | undefined {
  const resting = isSettled(snapshot, roles, verdict) || verdict.stalled || verdict.phase === 'Suspended';
  return resting ? undefined : make('Reconciling', true, verdict.reason, verdict.message);
}

function stalled(_: Snapshot, __: Roles, verdict: Verdict): ConditionInput | undefined {
  return verdict.stalled ? make('Stalled', true, verdict.reason, verdict.message) : undefined;
}

function candidateReady(_: Snapshot, { subject, stage }: Roles, verdict: Verdict): ConditionInput {
  if (stage !== 'Preparing' && stage !== 'Adopting')
    return make('CandidateReady', false, 'NoCandidate', 'no candidate is being prepared');
  const gate = verdict.gates?.[0];
  if (gate !== undefined)
    return make(
      'CandidateReady',
      gate.state === 'Passed',
      gate.state === 'Passed' ? 'Ready' : verdict.reason,
      gate.message ?? '',
    );
  const isValidated = subject?.facts.validatedAt !== undefined;
  return make('CandidateReady', isValidated, isValidated ? 'Ready' : verdict.reason, verdict.message);
}

function validated(_: Snapshot, { subject }: Roles): ConditionInput {
  const at = subject?.facts.validatedAt;
  if (subject === undefined || at === undefined)
    return make('Validated', false, 'NotValidated', 'no revision has passed its gates in this attempt');
  return make(
    'Validated',
    true,
    'GatesPassed',
    `revision ${subject.name} passed its gates at ${formatTime(at)}`,
  );
}

function trafficSwitched(_: Snapshot, { subject, active, stage }: Roles): ConditionInput {
  if (
    subject !== undefined &&
    active === subject &&
    subject.facts.verifiedAt !== undefined &&
    stage !== 'Returning'
  ) {
    return make(
      'TrafficSwitched',
      true,
      'Verified',
      `the endpoints proved the switch to revision ${subject.name} at ${formatTime(subject.facts.verifiedAt)}`,
    );
  }
  const message =
    active === undefined ? 'the source has the traffic' : `revision ${active.name} has the traffic`;
  return make(
    'TrafficSwitched',
    false,
    stage === 'Switching' || stage === 'Returning' ? 'Switching' : 'NotSwitched',
    message,
  );
}

function trafficInSync(snapshot: Snapshot, roles: Roles): ConditionInput {
  const { active } = roles;
  if (active === undefined)
    return make('TrafficInSync', undefined, 'NotAdopted', 'the source has the traffic');
  const { color } = active.facts;
  if (snapshot.endpoint !== undefined) return endpointInSync(snapshot, snapshot.endpoint, active, roles);
  const label = snapshot.release.spec.traffic.selectorLabel;
  for (const service of snapshot.services) {
    if (selectedColor(service, label) !== color)
      return make(
        'TrafficInSync',
        false,
        'SelectorAstray',
        `Service "${service.name}" does not select ${color}`,
      );
    const { converged, ready, foreign } = convergence(snapshot, service, color, 1);
    if (!converged)
      return make(
        'TrafficInSync',
        false,
        'EndpointsBehind',
        `Service "${service.name}" has ${ready} ready ${color} endpoints and ${foreign} of other pods`,
      );
  }
  return make(
    'TrafficInSync',
    true,
    'InSync',
    `every production Service has ready ${color} pods and no others`,
  );
}

function endpointInSync(
  snapshot: Snapshot,
  { name, consumers, digests }: EndpointView,
  active: StartedRevision,
  roles: Roles,
): ConditionInput {
  const due = credentialsDue(snapshot, active, roles);
  if (due !== undefined) {
    const why = due.trouble ?? `the credentials of revision ${active.name} are not published yet`;
    return make('TrafficInSync', false, 'CredentialsBehind', why);
  }
  const { behind, hold } = follow(snapshot, active, false);
  if (behind === undefined) {
    const said = `${consumers.length} of ${consumers.length} consumers run with what ConfigMap "${name}" says`;
    return make('TrafficInSync', true, 'InSync', said);
  }
  const why = behind.digest === digests[active.name] ? behind.progress : 'it was not restarted with it yet';
  const message =
    hold === undefined
      ? `${consumerInWords(behind)} does not run with what ConfigMap "${name}" says: ${why}`
      : `${consumerInWords(behind)} ${hold.clause}`;
  return make('TrafficInSync', false, 'ConsumerBehind', message);
}

function healthy(snapshot: Snapshot, roles: Roles, verdict: Verdict): ConditionInput {
  const { active, stage } = roles;
  if (active === undefined) return make('Healthy', undefined, 'NotAdopted', 'the source has the traffic');
  if (verdict.phase === 'RollingBack' && stage !== 'Returning')
    return make('Healthy', false, verdict.reason, verdict.message);
  if (verdict.alert !== undefined) return make('Healthy', false, verdict.alert.reason, verdict.alert.message);
  if (stage === 'Observing') {
    const { status } = availability(snapshot, roles, active);
    if (status.state === 'Bad') return make('Healthy', false, 'AvailabilityLow', status.message ?? '');
  }
  if (snapshot.endpoint !== undefined) {
    const message = 'no check found anything bad; there are no pods here to count';
    return make('Healthy', undefined, 'External', message);
  }
  const count = readyCount(snapshot, active.facts.color);
  return make(
    'Healthy',
    count > 0,
    count > 0 ? 'PodsReady' : 'NoReadyPods',
    `${active.facts.color} (revision ${active.name}) has ready pods: ${count > 0 ? 'yes' : 'no'}`,
  );
}

export function rollbackAvailable(
  snapshot: Snapshot,
  { active, target, overwritten, stage }: Roles,
): ConditionInput {
  const no = (reason: string, message: string) => make('RollbackAvailable', false, reason, message);
  const replaced = ({ name, facts }: StartedRevision) =>
    no('TargetReplaced', `${facts.color} does not hold revision ${name} now`);
  if (active === undefined) return no('NotAdopted', 'nothing was switched yet');
  if (overwritten !== undefined) return replaced(overwritten);
  if (target === undefined) {
    return stage === 'Preparing'
      ? no('CandidateInPlace', 'the other side holds the candidate of the release under way')
      : no('NoWindow', 'no earlier revision stands by inside a rollback window');
  }
  const { color } = target.facts;
  if (snapshot.endpoint !== undefined) {
    const message = `what revision ${target.name} published of ${color} can be published again; whether it still stands is not known here`;
    return make('RollbackAvailable', true, 'External', message);
  }
  const { deployment } = snapshot.sides[color];
  if (deployment?.revision !== target.name || !deployment.matches) return replaced(target);
  if (readyCount(snapshot, color) === 0)
    return make(
      'RollbackAvailable',
      true,
      'ScaleUpFirst',
      `${color} (revision ${target.name}) has no ready pod and would be scaled up first`,
    );
  return make(
    'RollbackAvailable',
    true,
    'StandbyReady',
    `${color} (revision ${target.name}) is ready to take over`,
  );
}
