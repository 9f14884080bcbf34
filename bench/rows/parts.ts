/** What a count is made of, each kind a row. */
import { byKind, type Request, type Sort } from '../audit.ts';
import { plain, type Row } from '../row.ts';

export function parts(requests: readonly Request[], sort: Sort): Row[] {
  return byKind(requests, sort).map((kind) => {
    const [times, ...words] = kind.split(' ');
    return plain(`of these: ${words.join(' ')}`, Number(times), '');
  });
}
