import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { commandLine, oneOf, UsageError, whole } from '../support/command-line.ts';
import { attachCluster, type Cluster, startCluster, startDetached } from './index.ts';
import { end } from './launch.ts';
import { intoNetwork } from './namespaces.ts';
import { programPath } from './programs.ts';
import { isUp, knownClusters, readState } from './state.ts';
import { sweep } from './sweep.ts';

const usage = `A real Kubernetes on this machine.

  npm run cluster -- up [--form fake|node] [--name dev] [--nodes 3] [--detach]
  npm run cluster -- down [--name dev]
  npm run cluster -- shell [--name dev]     KUBECONFIG set, kubectl on the PATH; node form: inside its network
  npm run cluster -- status

fake: API server, controllers, scheduler; nodes and pods are played (needs no root).
node: one real node with network, DNS and CPU metrics (root on Linux).`;

const FLAGS = {
  form: { type: 'string', default: 'fake' },
  name: { type: 'string', default: 'dev' },
  nodes: { type: 'string', default: '3' },
  detach: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

const COMMANDS: Readonly<Record<string, () => Promise<void>>> = { up, down, status, shell };

const options = commandLine(usage, (args) => {
  const { values, positionals } = parseArgs({ args: [...args], allowPositionals: true, options: FLAGS });
  const [name, stranger] = positionals;
  if (values.help || name === undefined) return undefined;
  const command = COMMANDS[name];
  if (command === undefined || stranger !== undefined)
    throw new UsageError(`"${stranger ?? name}" is none of ${Object.keys(COMMANDS).join(', ')}`);
  const form = oneOf('form', values.form, ['fake', 'node']);
  return { command, form, name: values.name, nodes: whole('nodes', values.nodes), detach: values.detach };
});

const say = (line: string): void => void process.stdout.write(`${line}\n`);

async function up(): Promise<void> {
  const { form, name, nodes, detach } = options;
  const began = Date.now();
  const wanted = { form, name, nodes, progress: say } as const;
  const cluster = await (detach ? startDetached(wanted) : startCluster(wanted));
  say(`Kubernetes ${cluster.kubernetesVersion} is up after ${((Date.now() - began) / 1000).toFixed(1)} s`);
  say(`export KUBECONFIG=${cluster.kubeconfig}`);
  if (detach) return;
  say('Ctrl-C takes it down');
  await untilSignal();
  await cluster.stop();
}

function untilSignal(): Promise<void> {
  // A timer keeps the process alive: a signal handler alone does not.
  const awake = setInterval(() => {}, 60_000);
  return new Promise<void>((resolve) => {
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, () => resolve());
  }).finally(() => clearInterval(awake));
}

async function down(): Promise<void> {
  const state = readState(options.name);
  const alive = state !== undefined && isUp(state);
  if (alive) await end(state.supervisor);
  const swept = await sweep();
  if (!alive && !swept.includes(options.name)) say(`there is no cluster ${options.name}`);
}

async function status(): Promise<void> {
  for (const name of await knownClusters()) {
    const state = readState(name);
    const alive = state !== undefined && isUp(state);
    const how = alive ? (state.server ?? 'starting') : 'dead; the next up or down cleans it up';
    say([name, state?.form ?? '?', state?.kubernetesVersion ?? '', how].join('\t'));
  }
}

async function shell(): Promise<void> {
  const cluster = attachCluster(options.name);
  if (!cluster)
    throw new Error(`there is no cluster ${options.name}: npm run cluster -- up --name ${options.name}`);
  const [command, ...args] = [...networkOf(cluster), process.env.SHELL || '/bin/sh'];
  const env = {
    ...process.env,
    KUBECONFIG: cluster.kubeconfig,
    KUBECACHEDIR: join(cluster.workDir, 'kubectl'),
    PATH: `${dirname(programPath('kubectl'))}:${process.env.PATH}`,
  };
  const child = spawn(command!, args, { stdio: 'inherit', env });
  const [code] = (await once(child, 'exit')) as [number | null];
  process.exitCode = code ?? 1;
}

function networkOf(cluster: Cluster): string[] {
  const init = readState(cluster.name)?.init;
  return init ? intoNetwork(init) : [];
}

await options.command().catch((error: Error) => {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
});
