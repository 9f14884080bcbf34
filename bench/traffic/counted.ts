/** The rows that say what became of the requests. */
import { failuresOf, unaccounted } from '../../test/demo/traffic.ts';
import type { Totals } from '../../test/support/load.ts';
import { atMost, plain, type Row } from '../row.ts';
import type { Manners } from './lab.ts';

/**
 * An application that exits at once breaks its own connections, whatever is done with its Service: what was lost on
 * connections that were kept is counted apart, and held to no bar.
 */
export function counted(what: string, totals: Totals, manners: Manners): Row[] {
  const onKept = totals.connectionErrors.kept + totals.timeouts.kept;
  const { wrongAnswers, ...lost } = failuresOf(totals);
  const failed = wrongAnswers + Object.values(lost).reduce((sum, count) => sum + count, 0);
  const requests = plain(`${what}: requests`, totals.due, '');
  const neither = atMost(`${what}: requests of which nothing is known`, unaccounted(totals), '', 0);
  if (manners === 'drain') return [requests, atMost(`${what}: failed requests`, failed, '', 0), neither];
  return [
    requests,
    atMost(`${what}: failed requests on new connections`, failed - onKept, '', 0),
    plain(`${what}: requests lost on kept connections that the application broke`, onKept, ''),
    neither,
  ];
}
