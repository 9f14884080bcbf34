import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Api } from './api.ts';
import { Components } from './components.ts';
import { type ControlPlane, kubernetesServiceIp } from './controlplane.ts';
import { freePort, startFake } from './fake.ts';
import { createNamespaces, inside } from './namespaces.ts';
import { startNode } from './node.ts';
import type { ServiceProxy } from './packages.ts';
import { createPki, type Identity, kubeconfig, type Pki } from './pki.ts';
import { recordOf } from './processes.ts';
import type { Programs } from './programs.ts';
import { type ClusterState, runDirOf, writeState } from './state.ts';
import { cleanUp } from './sweep.ts';

/**
 * The process that owns one cluster. It is a process of its own so that the cluster goes when its user goes, however that
 * happens: the user holds the other end of its stdin, and an end of file there is the order to tear everything down.
 */
export interface Order {
  readonly name: string;
  readonly form: 'fake' | 'node';
  readonly nodes: number;
  readonly large: boolean;
  readonly dualStack: boolean;
  readonly serviceProxy: ServiceProxy;
  /** Nobody holds stdin: the cluster stays until it gets SIGTERM. */
  readonly detached: boolean;
  readonly programs: Programs;
}

/** What it tells its user, one JSON line each. */
export type Report = { ready: true } | { failed: string } | { lost: string };

const order = JSON.parse(process.argv[2] ?? '{}') as Order;
const dir = runDirOf(order.name);

let state: ClusterState = {
  name: order.name,
  form: order.form,
  nodes: order.nodes,
  supervisor: recordOf(process.pid),
  processes: [],
};

function remember(change: Partial<ClusterState>): void {
  state = { ...state, ...change };
  writeState(state);
}

function report(what: Report): void {
  process.stdout.write(`${JSON.stringify(what)}\n`);
}

remember({});
const components = new Components(join(dir, 'log'), (processes) => remember({ processes }));

let stopping = false;

function stop(exitCode: number): void {
  if (stopping) return;
  stopping = true;
  components
    .stop()
    .then(() => cleanUp(state))
    .then(
      () => process.exit(exitCode),
      (error: Error) => {
        process.stderr.write(`${error.message}\n`);
        process.exit(1);
      },
    );
}

process.on('uncaughtException', (error) => {
  process.stderr.write(`${error.stack}\n`);
  stop(1);
});
process.on('SIGTERM', () => stop(0));
process.on('SIGINT', () => stop(0));
// The user may be gone already when something is reported.
process.stdout.on('error', () => {});
if (!order.detached) process.stdin.on('close', () => stop(0)).resume();

try {
  await Promise.race([start(), components.failure]);
  report({ ready: true });
  components.failure.catch((error: Error) => report({ lost: error.message }));
} catch (error) {
  report({ failed: (error as Error).message });
  stop(1);
}

async function start(): Promise<void> {
  const place = order.form === 'fake' ? await onHost() : await inNamespaces();
  const addresses = ['127.0.0.1', kubernetesServiceIp, place.address];
  const pki = await createPki(join(dir, 'pki'), [...new Set(addresses)]);
  const server = `https://${place.address}:${place.apiPort}`;
  const plane: ControlPlane = {
    ...place,
    form: order.form,
    large: order.large,
    dualStack: order.dualStack,
    dir,
    programs: order.programs,
    pki,
    api: new Api(server, join(pki.folder, 'ca.crt'), pki.tokens.admin),
    kubeconfig: kubeconfigs(server, pki),
  };
  if (order.form === 'fake') await startFake(plane, order.nodes);
  else await startNode(plane, order.name, order.serviceProxy);
  const version = await plane.api.get<{ gitVersion: string }>('/version');
  plane.api.close();
  remember({
    server,
    etcd: `http://127.0.0.1:${place.etcdPort}`,
    kubernetesVersion: version?.gitVersion ?? 'unknown',
  });
}

/** Where the programs of a cluster run, and where its API server answers. */
type Place = Pick<ControlPlane, 'address' | 'apiPort' | 'etcdPort' | 'start'>;

async function onHost(): Promise<Place> {
  return {
    address: '127.0.0.1',
    apiPort: await freePort(),
    etcdPort: await freePort(),
    start: (name, command, args) => components.start(name, command, args),
  };
}

async function inNamespaces(): Promise<Place> {
  const { init, link, address } = await createNamespaces(dir, components);
  remember({ init, link });
  return {
    address,
    apiPort: 6443,
    etcdPort: 2379,
    start: (name, command, args) =>
      components.start(name, 'nsenter', [...inside(init.pid), command, ...args]),
  };
}

/** Writes a kubeconfig the first time it is asked for, and says where it is. */
function kubeconfigs(server: string, pki: Pki): (identity: Identity) => string {
  return (identity) => {
    const file = join(dir, `${identity}.kubeconfig`);
    writeFileSync(file, kubeconfig(server, join(pki.folder, 'ca.crt'), pki.tokens[identity]), {
      mode: 0o600,
    });
    return file;
  };
}
