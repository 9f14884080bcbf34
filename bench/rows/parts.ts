/** What a count is made of, each kind a row; `per`: of so many releases, the mean of each. */
import { byKind, type Request, type Sort } from '../audit.ts';
import { plain, type Row } from '../row.ts';

export function parts(
  requests: readonly Request[],
  sort: Sort,
  { per = 1, name = (what: string) => what } = {},
): Row[] {
  return byKind(requests, sort).map((kind) => {
    const [times, ...words] = kind.split(' ');
    return plain(name(`of these: ${words.join(' ')}`), Number(times) / per, '');
  });
}
