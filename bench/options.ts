/** The command line. */
import { parseArgs } from 'node:util';
import { UsageError, whole } from '../test/support/command-line.ts';
import type { Sizes } from './benchmark.ts';

export interface Options {
  /** Empty: all. */
  readonly only: readonly string[];
  /** Where the result is written. */
  readonly json: string | undefined;
  /** Goes on where the run that wrote the JSON file ended. */
  readonly resume: boolean;
  /** For each benchmark. */
  readonly minutes: number;
  /** Folder for CPU profiles of the operator. */
  readonly profile: string | undefined;
  readonly sizes: Sizes;
}

export const USAGE = `Measures what the operator costs, beside what the API server alone costs, in a cluster of its own with fake nodes.

  --only NAME        one of NAMES; may be repeated
  --json FILE        writes the result there, after each benchmark
  --resume           leaves out what the JSON file has already
  --minutes N        gives a benchmark up after so long and goes on with the next (default 30)
  --releases N,...   releases at rest, each number measured (default 300)
  --crowd N          releases at once (default 50)
  --reconciled N     releases that are looked at while a rollback is wanted (default 1000)
  --others N         releases under way while a rollback is wanted (default 300)
  --switches N       switches whose latency is measured (default 100)
  --restarts N       restarts of each sort (default 5)
  --profile FOLDER   CPU profiles of the operator
`;

const FLAGS = {
  only: { type: 'string', multiple: true },
  json: { type: 'string' },
  resume: { type: 'boolean', default: false },
  minutes: { type: 'string', default: '30' },
  releases: { type: 'string', default: '300' },
  crowd: { type: 'string', default: '50' },
  reconciled: { type: 'string', default: '1000' },
  others: { type: 'string', default: '300' },
  switches: { type: 'string', default: '100' },
  restarts: { type: 'string', default: '5' },
  profile: { type: 'string' },
  help: { type: 'boolean', default: false },
} as const;

/** undefined: help is wanted. Throws a sentence where a flag is not understood. */
export function parseOptions(args: readonly string[]): Options | undefined {
  const { values } = parseArgs({ args: [...args], options: FLAGS });
  if (values.help) return undefined;
  if (values.resume && values.json === undefined) throw new UsageError('--resume: needs the file of --json');
  return {
    only: values.only ?? [],
    json: values.json,
    resume: values.resume,
    minutes: whole('minutes', values.minutes),
    profile: values.profile,
    sizes: {
      releases: values.releases
        .split(',')
        .map((text) => whole('releases', text))
        .sort((a, b) => a - b),
      crowd: whole('crowd', values.crowd),
      reconciled: whole('reconciled', values.reconciled),
      others: whole('others', values.others),
      switches: whole('switches', values.switches),
      restarts: whole('restarts', values.restarts),
    },
  };
}
