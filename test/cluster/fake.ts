import { createServer } from 'node:net';
import { join } from 'node:path';
import { type ControlPlane, startControlPlane, waitForDefaultAccount, waitForNodes } from './controlplane.ts';
import { run } from './exec.ts';
import { here } from './paths.ts';

/** The fake form: a real control plane on loopback, nodes and pods played by kwok. Needs no root. */
export async function startFake(plane: ControlPlane, nodes: number): Promise<void> {
  await startControlPlane(plane);
  const { start, programs } = plane;
  start('kwok', programs.kwok, [
    `--kubeconfig=${plane.kubeconfig('kwok')}`,
    `--config=${join(here, 'manifests', 'kwok-stages.yaml')}`,
    '--manage-all-nodes',
    '--cidr=10.244.0.0/16',
    // Without leases the controller manager takes the nodes for dead in a long run.
    '--node-lease-duration-seconds=40',
  ]);
  const admin = [`--kubeconfig=${plane.kubeconfig('admin')}`, `--cache-dir=${join(plane.dir, 'kubectl')}`];
  await run(programs.kubectl, [...admin, 'create', '--validate=false', '-f', '-'], {
    input: nodeList(nodes, plane.dualStack),
  });
  await Promise.all([waitForDefaultAccount(plane.api), waitForNodes(plane, nodes)]);
}

function nodeList(count: number, dualStack: boolean): string {
  const items = Array.from({ length: count }, (_, index) => fakeNode(index, dualStack));
  return JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
}

/** Where it has ranges of its own, kwok gives each pod on it an address from each. */
function fakeNode(index: number, dualStack: boolean): object {
  const name = `node-${index}`;
  const room = { cpu: '32', memory: '256Gi', pods: '250' };
  const podCIDRs = [`10.244.${index}.0/24`, `fd00:10:244:${index}::/64`];
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      labels: {
        'kubernetes.io/hostname': name,
        'kubernetes.io/os': 'linux',
        'topology.kubernetes.io/zone': `zone-${'abc'[index % 3]}`,
      },
    },
    ...(dualStack && { spec: { podCIDR: podCIDRs[0], podCIDRs } }),
    status: { allocatable: room, capacity: room },
  };
}

/**
 * A port that is free now, from below the range that the system hands out to clients: there it could be taken again
 * before the program that gets it has opened it.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 15_000 + Math.floor(Math.random() * 15_000);
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
