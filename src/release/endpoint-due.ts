/** When consumers are looked at again: they carry no label of ours, and so are not watched. */
import { runsWith } from '../traffic/endpoint.ts';
import type { Roles } from './roles.ts';
import type { Snapshot } from './snapshot.ts';

/** While one of them is being restarted, milliseconds. */
const BUSY_MS = 1000;
const AT_REST_MS = 15_000;

export function endpointDue({ now, endpoint }: Snapshot, { active }: Roles): number | undefined {
  if (endpoint === undefined) return undefined;
  const digest = active && endpoint.digests[active.name];
  const isBusy = active !== undefined && !endpoint.consumers.every((each) => runsWith(each, digest));
  return now + (isBusy ? BUSY_MS : AT_REST_MS);
}
