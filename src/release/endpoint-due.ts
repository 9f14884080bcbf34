/** When consumers are looked at again: they carry no label of ours, and so are not watched. */
import { credentialsDue } from '../traffic/credentials.ts';
import { refusalOf, runsWith } from '../traffic/endpoint.ts';
import { holdOf } from '../traffic/hold.ts';
import type { ConsumerView } from './endpoint-view.ts';
import type { Roles } from './roles.ts';
import type { Snapshot } from './snapshot.ts';

/** While one of them is being restarted, or what is published cannot be written, milliseconds. */
const BUSY_MS = 1000;
const AT_REST_MS = 15_000;

export function endpointDue(snapshot: Snapshot, roles: Roles): number | undefined {
  const { active, stage } = roles;
  const { now, endpoint } = snapshot;
  if (endpoint === undefined) return undefined;
  if (refusalOf(snapshot) !== undefined) return now + BUSY_MS;
  if (active === undefined) return now + AT_REST_MS;
  const due = credentialsDue(snapshot, active, roles);
  // At rest there is nothing to be quick for where people have to mend it.
  if (due !== undefined && (stage !== 'Resting' || due.trouble === undefined)) return now + BUSY_MS;
  const digest = endpoint.digests[active.name];
  // At rest there is nothing to be quick for where no restart helps.
  const isHeld = (each: ConsumerView): boolean =>
    stage === 'Resting' && holdOf(snapshot, active, each) !== undefined;
  const isBusy = !endpoint.consumers.every((each) => runsWith(each, digest) || isHeld(each));
  return now + (isBusy ? BUSY_MS : AT_REST_MS);
}
