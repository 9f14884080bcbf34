/** npm run phases -- [--search life|people|crashes] [--most N]: the search of the phases, as far as is asked. */
import { parseArgs } from 'node:util';
import { search } from './search.ts';
import { SEARCHES } from './searches.ts';

const { values } = parseArgs({ options: { search: { type: 'string' }, most: { type: 'string' } } });
const names = values.search === undefined ? Object.keys(SEARCHES) : [values.search];

for (const name of names) {
  const options = SEARCHES[name];
  if (options === undefined) throw new Error(`--search must be one of ${Object.keys(SEARCHES).join(', ')}`);
  const began = performance.now();
  const most = values.most === undefined ? Number.POSITIVE_INFINITY : Number(values.most);
  const { classes, steps, failure } = search({
    ...options,
    most,
    onProgress: (seen, left) => console.log(`${name}: ${seen} classes, ${left} to look at`),
  });
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  console.log(
    `${name}: ${classes} classes, ${steps} steps, ${seconds} s: ${failure ?? 'every law was kept'}`,
  );
  if (failure !== undefined) process.exitCode = 1;
}
