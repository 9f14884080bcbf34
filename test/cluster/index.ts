import { randomBytes } from 'node:crypto';
import { type Cluster, type ClusterOptions, RunningCluster } from './cluster.ts';
import { launch } from './launch.ts';
import { ensurePackages } from './packages.ts';
import { controlPlanePrograms, ensurePrograms, type ProgramName } from './programs.ts';
import { isUp, readState } from './state.ts';
import type { Order } from './supervisor.ts';

export type { Cluster, ClusterOptions } from './cluster.ts';
export type { ServiceProxy } from './packages.ts';

/** Brings up a real Kubernetes and returns when it takes pods. It goes when `stop` is called or this process ends. */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const order = await prepare(options);
  const progress = options.progress ?? (() => {});
  for (let attempt = 1; ; attempt++) {
    try {
      return new RunningCluster(await launch(order, progress));
    } catch (error) {
      // A port that was free when it was chosen can be taken when it is used.
      if (attempt === 3 || !/address already in use/.test((error as Error).message)) throw error;
    }
  }
}

/** The same for people: the cluster stays when this process ends, until somebody stops it. */
export async function startDetached(options: ClusterOptions): Promise<Cluster> {
  const order = { ...(await prepare(options)), detached: true };
  return new RunningCluster(await launch(order, options.progress ?? (() => {})));
}

/** A cluster that another process brought up, e.g. `npm run cluster -- up`; undefined when there is none of that name. */
export function attachCluster(name: string): Cluster | undefined {
  const state = readState(name);
  return state?.server && isUp(state) ? new RunningCluster(state) : undefined;
}

async function prepare(options: ClusterOptions): Promise<Order> {
  const { form, nodes = 3, large = false, dualStack = false, serviceProxy = 'iptables' } = options;
  const { name = `test-${randomBytes(3).toString('hex')}` } = options;
  if (form === 'node') await ensurePackages(serviceProxy, options.progress ?? (() => {}));
  const programs = await ensurePrograms(programsOf(form), options.progress);
  return { name, form, nodes, large, dualStack, serviceProxy, detached: false, programs };
}

/** What each form is made of. */
export function programsOf(form: 'fake' | 'node'): readonly ProgramName[] {
  const rest: ProgramName[] =
    form === 'fake' ? ['kwok'] : ['kubelet', 'kube-proxy', 'coredns', 'metrics-server'];
  return [...controlPlanePrograms, ...rest];
}
