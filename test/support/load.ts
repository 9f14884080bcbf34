/** The load generator as a pod of the cluster: start it, look at what it counted, end it. */
import type { Failure, LoadLine, Row, Totals } from '../demo/load/tally.ts';
import { eventually } from './eventually.ts';
import { type Following, followLog } from './follow.ts';
import { apply, type ImageRef, namespaceObject, type Target } from './target.ts';

export type { Failure, Row, Totals } from '../demo/load/tally.ts';

export interface LoadOptions {
  readonly image: ImageRef;
  /** Default: demo. */
  readonly namespace?: string;
  /** Default: load. */
  readonly name?: string;
  /** Of the Service under load. Default: that of the shop. */
  readonly url?: string;
  /** Requests a second. Default: 100. */
  readonly rate?: number;
  /** It stops by itself after this. Default: 600. */
  readonly maxSeconds?: number;
  /** Likewise. Default: 120,000. */
  readonly maxRequests?: number;
  readonly onRow?: (row: Row) => void;
}

export interface LoadResult {
  readonly totals: Totals;
  readonly failures: readonly Failure[];
  readonly rows: readonly Row[];
}

export interface Load {
  /** The seconds that are over. */
  readonly rows: readonly Row[];
  /** Ends the run: every request is settled by then. */
  stop(): Promise<LoadResult>;
  /** Looks no more; for a cluster that goes. */
  close(): void;
}

/** Returns when requests are being answered. */
export async function startLoad(target: Target, options: LoadOptions): Promise<Load> {
  const { namespace = 'demo', name = 'load' } = options;
  await apply(target, [namespaceObject(namespace)]);
  await apply(target, [pod(options)]);
  const rows = new Map<number, Row>();
  const follower = followLog(target, [name, '-n', namespace], (line) => {
    const parsed = parse(line);
    if (!parsed || !('row' in parsed) || rows.has(parsed.row.second)) return;
    rows.set(parsed.row.second, parsed.row);
    options.onRow?.(parsed.row);
  });
  try {
    const what = 'waiting for the first full second of load';
    await eventually(what, 90_000, () => (rows.size > 1 ? true : undefined));
  } catch (error) {
    follower.stop();
    const log = await target.kubectl(['logs', name, '-n', namespace]).catch(() => 'it left no log');
    throw new Error(`${(error as Error).message}; pod ${name}: ${log.trim().slice(-1000)}`);
  }
  return {
    get rows() {
      return [...rows.values()];
    },
    stop: () => stop(target, namespace, name, follower),
    close: () => follower.stop(),
  };
}

async function stop(
  target: Target,
  namespace: string,
  name: string,
  follower: Following,
): Promise<LoadResult> {
  const end = ['exec', name, '-n', namespace, '--', 'node', '-e', 'process.kill(1, "SIGTERM")'];
  // The command's own end may be lost with the container that it ends.
  await target.kubectl(end).catch(() => {});
  const ended = ['get', 'pod', name, '-n', namespace, '-o', 'jsonpath={.status.phase}'];
  await eventually('waiting for the load generator to end', 30_000, async () =>
    ['Succeeded', 'Failed'].includes(await target.kubectl(ended)) ? true : undefined,
  );
  follower.stop();
  const lines = (await target.kubectl(['logs', name, '-n', namespace])).split('\n').map(parse);
  const summary = lines.find((line) => line !== undefined && 'summary' in line);
  if (!summary || !('summary' in summary)) throw new Error('the load generator left no summary');
  await target.kubectl(['delete', 'pod', name, '-n', namespace, '--wait=false']);
  const rows = lines.flatMap((line) => (line !== undefined && 'row' in line ? [line.row] : []));
  return { ...summary.summary, rows };
}

function parse(line: string): LoadLine | undefined {
  try {
    return JSON.parse(line) as LoadLine;
  } catch {
    return undefined;
  }
}

function pod({ image, namespace = 'demo', name = 'load', ...options }: LoadOptions) {
  const env = {
    TARGET: options.url ?? `http://shop.${namespace}.svc`,
    RATE: options.rate ?? 100,
    MAX_SECONDS: options.maxSeconds ?? 600,
    MAX_REQUESTS: options.maxRequests ?? 120_000,
  };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    // Not a label that the Service under load could select.
    metadata: { name, namespace, labels: { app: 'load-generator' } },
    spec: {
      restartPolicy: 'Never',
      terminationGracePeriodSeconds: 5,
      securityContext: { runAsNonRoot: true, runAsUser: 65532, seccompProfile: { type: 'RuntimeDefault' } },
      containers: [
        {
          name: 'load',
          image: image.name,
          imagePullPolicy: image.pullPolicy,
          command: ['node', '/demo/load/load.ts'],
          env: Object.entries(env).map(([key, value]) => ({ name: key, value: String(value) })),
          resources: { requests: { cpu: '200m', memory: '64Mi' }, limits: { memory: '256Mi' } },
          securityContext: {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ['ALL'] },
          },
        },
      ],
    },
  };
}
