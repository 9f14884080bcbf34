/**
 * What the side without traffic costs: what its pods request, for as long as they stand. For people alone, so it lives in
 * the status and is written when the number of pods changes: in between it grows by what is reserved.
 */
import type { ReleaseStatus } from '../api/status.ts';
import { formatTime, parseTime } from '../api/time.ts';
import { otherColor } from './endpoints.ts';
import type { Roles } from './roles.ts';
import type { Snapshot } from './snapshot.ts';

type Cost = NonNullable<ReleaseStatus['idleCost']>;

const GIB = 2 ** 30;
const HOUR_MS = 3_600_000;
const rounded = (value: number): string => String(Number(value.toFixed(3)));

/** Since the last switch; undefined: there is no such side, or its pods request nothing. */
export function idleCost(snapshot: Snapshot, { active }: Roles): Cost | undefined {
  if (active?.facts.verifiedAt === undefined) return undefined;
  const { deployment } = snapshot.sides[otherColor(active.facts.color)];
  const { cpu, memory } = deployment?.requests ?? { cpu: 0, memory: 0 };
  const pods = deployment?.pods ?? 0;
  const rate = { cores: rounded(pods * cpu), gib: rounded((pods * memory) / GIB) };
  const since = formatTime(active.facts.verifiedAt);
  const known = snapshot.previous.idleCost;
  const before = known?.since === since ? known : undefined;
  if (before === undefined) return started(rate, since);
  if (before.cores === rate.cores && before.gib === rate.gib) return before;
  const hours = Math.max(0, snapshot.now - (parseTime(before.at) ?? snapshot.now)) / HOUR_MS;
  return {
    since,
    at: formatTime(snapshot.now),
    ...rate,
    coreHours: rounded(Number(before.coreHours) + hours * Number(before.cores)),
    gibHours: rounded(Number(before.gibHours) + hours * Number(before.gib)),
  };
}

/** Also where the status was lost: then it counts from the switch with what stands there now. */
function started(rate: Pick<Cost, 'cores' | 'gib'>, since: string): Cost | undefined {
  if (rate.cores === '0' && rate.gib === '0') return undefined;
  return { since, at: since, ...rate, coreHours: '0', gibHours: '0' };
}
