/** The operator's command line. What it serves (metric sources) stands in its config file: see config.ts. */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { parseArgs } from 'node:util';

export const LOG_LEVELS = ['error', 'warn', 'info', 'debug'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface Options {
  /** Path of the config file; undefined: no metric sources. */
  readonly config: string | undefined;
  /** Ports of the two servers; 0: any that is free. */
  readonly metricsPort: number;
  readonly healthPort: number;
  /** undefined: all addresses, of both families where the machine has both. */
  readonly bindAddress: string | undefined;
  readonly logLevel: LogLevel;
  /** Releases that are reconciled side by side. */
  readonly concurrency: number;
  readonly leaderElect: boolean;
  /** Among how many Leases the releases are shared; 1: one replica has them all. */
  readonly shards: number;
  /** Namespace of the Lease; '' only without leader election. */
  readonly leaseNamespace: string;
  /** Who this process is among its replicas. */
  readonly identity: string;
  /** The namespaces that are watched; empty: all. */
  readonly namespaces: readonly string[];
  /** Path; undefined: KUBECONFIG, the service account, or the user's default, in this order. */
  readonly kubeconfig: string | undefined;
}

export type ParsedOptions =
  | { readonly kind: 'run'; readonly options: Options }
  | { readonly kind: 'help'; readonly text: string }
  /** One sentence that names the flag. */
  | { readonly kind: 'error'; readonly message: string };

interface Flag {
  readonly type: 'string' | 'boolean';
  readonly multiple?: boolean;
  readonly value?: string;
  readonly default?: string | boolean;
  readonly help: string;
}

const FLAGS = {
  config: {
    type: 'string',
    value: 'FILE',
    help: 'YAML file that names the metric sources; reread when it changes',
  },
  'metrics-port': { type: 'string', value: 'PORT', default: '8080', help: 'port of /metrics' },
  'health-port': { type: 'string', value: 'PORT', default: '8081', help: 'port of /healthz and /readyz' },
  'bind-address': { type: 'string', value: 'ADDRESS', help: 'address of both ports (default: all)' },
  'log-level': { type: 'string', value: 'LEVEL', default: 'info', help: LOG_LEVELS.join(', ') },
  concurrency: { type: 'string', value: 'N', default: '64', help: 'releases reconciled side by side' },
  'leader-elect': {
    type: 'boolean',
    default: true,
    help: 'act only while holding the Lease; --no-leader-elect for one process alone',
  },
  shards: {
    type: 'string',
    value: 'N',
    default: '1',
    help: 'replicas share the releases over N Leases; the same for all of them',
  },
  'lease-namespace': {
    type: 'string',
    value: 'NAMESPACE',
    help: 'namespace of the Lease (default: $POD_NAMESPACE)',
  },
  identity: {
    type: 'string',
    value: 'NAME',
    help: 'name in the Lease (default: $POD_UID, else host name and a random part)',
  },
  namespace: {
    type: 'string',
    value: 'NAMESPACE',
    multiple: true,
    help: 'watch only this namespace; may be repeated (default: all)',
  },
  kubeconfig: {
    type: 'string',
    value: 'FILE',
    help: 'kubeconfig file (default: $KUBECONFIG, the service account, ~/.kube/config)',
  },
  help: { type: 'boolean', help: 'print this table' },
} as const satisfies Record<string, Flag>;

/** `argv` without the program and the script. Reads no file. */
export function parseOptions(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): ParsedOptions {
  try {
    const values = readFlags(argv);
    if (values.help === true) return { kind: 'help', text: helpText() };
    return { kind: 'run', options: interpret(values, env) };
  } catch (error) {
    if (error instanceof UsageError) return { kind: 'error', message: error.message };
    throw error;
  }
}

class UsageError extends Error {}

function readFlags(argv: readonly string[]) {
  try {
    return parseArgs({ args: argv.map(goStyleBoolean), options: FLAGS, allowNegative: true }).values;
  } catch (error) {
    const usage =
      error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');
    if (!usage) throw error;
    // The first sentence names the flag; the others explain Node's own conventions.
    throw new UsageError(`${error.message.split(/\. |\.?\n/, 1)[0]}: --help lists the flags`);
  }
}

/** The tools around Kubernetes write --flag=false; Node writes --no-flag. Both are understood. */
function goStyleBoolean(argument: string): string {
  if (argument === '--leader-elect=true') return '--leader-elect';
  return argument === '--leader-elect=false' ? '--no-leader-elect' : argument;
}

function interpret(
  values: ReturnType<typeof readFlags>,
  env: Readonly<Record<string, string | undefined>>,
): Options {
  const leaderElect = values['leader-elect'];
  const options: Options = {
    config: values.config,
    metricsPort: integer('metrics-port', values['metrics-port'], 0, 65_535),
    healthPort: integer('health-port', values['health-port'], 0, 65_535),
    bindAddress: values['bind-address'],
    logLevel: logLevel(values['log-level']),
    concurrency: integer('concurrency', values.concurrency, 1, 1000),
    leaderElect,
    shards: integer('shards', values.shards, 1, 64),
    leaseNamespace: leaseNamespace(values['lease-namespace'] ?? env.POD_NAMESPACE, leaderElect),
    identity: values.identity ?? env.POD_UID ?? `${hostname()}-${randomUUID().slice(0, 8)}`,
    namespaces: [...new Set(values.namespace?.map((name) => namespace('namespace', name)))],
    kubeconfig: values.kubeconfig,
  };
  if (options.metricsPort === options.healthPort && options.metricsPort !== 0) {
    throw new UsageError(`--health-port: ${options.healthPort} is taken by --metrics-port: give another one`);
  }
  if (options.shards > 1 && !leaderElect) {
    throw new UsageError('--shards: replicas share releases by Leases: leave --no-leader-elect out');
  }
  return options;
}

function integer(flag: string, given: string, minimum: number, maximum: number): number {
  const number = Number(given);
  if (!/^[0-9]+$/.test(given) || number < minimum || number > maximum) {
    throw new UsageError(`--${flag}: "${given}" is not a whole number from ${minimum} to ${maximum}`);
  }
  return number;
}

function logLevel(text: string): LogLevel {
  const level = LOG_LEVELS.find((known) => known === text);
  if (level === undefined) throw new UsageError(`--log-level: "${text}" is none of ${LOG_LEVELS.join(', ')}`);
  return level;
}

function leaseNamespace(name: string | undefined, needed: boolean): string {
  if (name) return namespace('lease-namespace', name);
  if (!needed) return '';
  throw new UsageError(
    '--lease-namespace: leader election needs a namespace for its Lease: give it, or set POD_NAMESPACE',
  );
}

function namespace(flag: string, name: string): string {
  if (/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(name)) return name;
  throw new UsageError(`--${flag}: "${name}" is not the name of a namespace`);
}

function helpText(): string {
  const rows = Object.entries<Flag>(FLAGS).map(([name, flag]) => ({
    usage: flag.value === undefined ? `--${name}` : `--${name} ${flag.value}`,
    help: flag.default === undefined ? flag.help : `${flag.help} (default: ${flag.default})`,
  }));
  const width = Math.max(...rows.map(({ usage }) => usage.length));
  const lines = rows.map(({ usage, help }) => `  ${usage.padEnd(width)}  ${help}`);
  return `The operator for blue-green releases.\n\n${lines.join('\n')}\n`;
}
