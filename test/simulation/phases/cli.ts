/** `npm run phases`: see the usage. */
import { parseArgs } from 'node:util';
import { commandLine, oneOf, whole } from '../../support/command-line.ts';
import { type SearchOptions, search } from './search.ts';
import { SEARCHES } from './searches.ts';

const NAMES = Object.keys(SEARCHES);

const USAGE = `Every situation that a release can come into, each looked at once: whether every law is kept in it.

  npm run phases -- [--search NAME] [--most N]

  --search NAME      one of ${NAMES.join(', ')} (default: all)
  --most N           so many classes of situations (default: all)
`;

const FLAGS = {
  search: { type: 'string' },
  most: { type: 'string' },
  help: { type: 'boolean', default: false },
} as const;

const { names, most } = commandLine(USAGE, (args) => {
  const { values } = parseArgs({ args: [...args], options: FLAGS });
  if (values.help) return undefined;
  return {
    names: values.search === undefined ? NAMES : [oneOf('search', values.search, NAMES)],
    most: values.most === undefined ? Number.POSITIVE_INFINITY : whole('most', values.most, 1, 999_999_999),
  };
});

for (const name of names) {
  const began = performance.now();
  const { classes, steps, failure } = search({
    ...(SEARCHES[name] as SearchOptions),
    most,
    onProgress: (seen, left) => console.log(`${name}: ${seen} classes, ${left} to look at`),
  });
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  console.log(
    `${name}: ${classes} classes, ${steps} steps, ${seconds} s: ${failure ?? 'every law was kept'}`,
  );
  if (failure !== undefined) process.exitCode = 1;
}
