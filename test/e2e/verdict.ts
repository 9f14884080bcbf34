/** What the counted requests say. */
import { expect } from 'chai';
import { byVersion, failedOf, unaccounted } from '../demo/traffic.ts';
import type { LoadResult } from '../support/load.ts';
import { describeRequest } from './audit-log.ts';
import type { Shop } from './shop.ts';

/** Ends the load: not one request was lost, neither on a new connection nor on one that was kept. */
export async function expectNoFailure(shop: Shop): Promise<LoadResult> {
  const result = await shop.close();
  const { totals } = result;
  expect(failedOf(totals), `failed requests\n${describeFailures(shop, result)}`).to.equal(0);
  expect(unaccounted(totals), 'requests of which nothing is known').to.equal(0);
  tell(shop, result);
  return result;
}

/** A line of figures below the test's title. */
export function tell({ namespace }: Shop, { totals }: LoadResult, more = ''): void {
  const versions = Object.entries(byVersion(totals)).map(([version, count]) => `${version} ${count}`);
  console.log(
    `      ${namespace}: ${totals.due} requests, ${failedOf(totals)} failed (${versions.join(', ')})${more}`,
  );
}

const time = (at: number): string => new Date(at).toISOString().slice(11, 23);

/** The failures by kind, between the moments that could explain them. */
export function describeFailures(shop: Shop, { failures }: LoadResult): string {
  const moments = [
    ...failures.map(({ at, kind, what }) => ({ at, text: `failed: ${kind} connection, ${what}` })),
    ...shop.switches().map(({ patchedAt, color, user, mark }) => ({
      at: patchedAt,
      text: `selector -> ${color ?? 'no colour'} by ${user}${mark ? ` (${mark.revision}, ${mark.direction})` : ''}`,
    })),
    ...shop.endpoints.map(({ at, pods }) => ({ at, text: `endpoints: ${pods.join(' ') || 'none'}` })),
    ...shop.writes().map((write) => ({ at: write.doneAt, text: `operator: ${describeRequest(write)}` })),
  ];
  const lines = moments.sort((a, b) => a.at - b.at).map(({ at, text }) => `  ${time(at)} ${text}`);
  return lines.join('\n');
}
