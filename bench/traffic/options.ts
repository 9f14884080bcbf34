/** The command line. */
import { parseArgs } from 'node:util';
import type { ServiceProxy } from '../../test/cluster/index.ts';
import { UsageError, whole } from '../../test/support/command-line.ts';

/** How often each thing is done. */
export interface Sizes {
  /** Switches under load, for each of the two applications. */
  readonly switches: number;
  /** Adoptions, each with the way back, for each of the four kinds of application. */
  readonly adoptions: number;
  /** Rollbacks of each sort. */
  readonly rollbacks: number;
  /** Switches after which connections that are kept are watched. */
  readonly kept: number;
  /** Minutes in which the Service of Git is written every second. */
  readonly keeper: number;
}

export interface Options {
  /** Empty: all. */
  readonly only: readonly string[];
  /** Where the result is written. */
  readonly json: string | undefined;
  /** Folder for what was counted, second by second. */
  readonly raw: string | undefined;
  /** How kube-proxy moves connections. */
  readonly serviceProxy: ServiceProxy;
  readonly sizes: Sizes;
}

export const USAGE = `Counts requests while releases are switched, adopted and put back, on a real node with a real Prometheus. Needs Linux and root.

  --only NAME        one of NAMES; may be repeated
  --json FILE        writes the result there
  --raw FOLDER       writes there what was counted, second by second, and when Services were patched
  --proxy MODE       how kube-proxy moves connections: iptables (default) or nftables
  --switches N       switches for each application (default 100)
  --adoptions N      adoptions and ejections for each kind of application (default 10)
  --rollbacks N      rollbacks of each sort (default 20)
  --kept N           switches after which kept connections are watched (default 3)
  --keeper N         minutes in which the Service of Git is written every second (default 5)
`;

const FLAGS = {
  only: { type: 'string', multiple: true },
  json: { type: 'string' },
  raw: { type: 'string' },
  proxy: { type: 'string', default: 'iptables' },
  switches: { type: 'string', default: '100' },
  adoptions: { type: 'string', default: '10' },
  rollbacks: { type: 'string', default: '20' },
  kept: { type: 'string', default: '3' },
  keeper: { type: 'string', default: '5' },
  help: { type: 'boolean', default: false },
} as const;

/** undefined: help is wanted. Throws a sentence where a flag is not understood. */
export function parseOptions(args: readonly string[]): Options | undefined {
  const { values } = parseArgs({ args: [...args], options: FLAGS });
  if (values.help) return undefined;
  return {
    only: values.only ?? [],
    json: values.json,
    raw: values.raw,
    serviceProxy: serviceProxyOf(values.proxy),
    sizes: {
      switches: whole('switches', values.switches),
      adoptions: whole('adoptions', values.adoptions),
      rollbacks: whole('rollbacks', values.rollbacks),
      kept: whole('kept', values.kept),
      keeper: whole('keeper', values.keeper),
    },
  };
}

function serviceProxyOf(text: string): ServiceProxy {
  if (text === 'iptables' || text === 'nftables') return text;
  throw new UsageError(`--proxy: "${text}" is neither iptables nor nftables`);
}
