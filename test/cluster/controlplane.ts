import { join } from 'node:path';
import { type Api, until } from './api.ts';
import { here } from './paths.ts';
import type { Identity, Pki } from './pki.ts';
import type { Programs } from './programs.ts';

/** Starts one component; the forms differ in where it then runs. */
export type Start = (name: string, command: string, args: readonly string[]) => void;

export interface ControlPlane {
  readonly form: 'fake' | 'node';
  /** Room and speed for tens of thousands of objects. */
  readonly large: boolean;
  readonly dualStack: boolean;
  readonly dir: string;
  readonly address: string;
  readonly apiPort: number;
  readonly etcdPort: number;
  readonly programs: Programs;
  readonly pki: Pki;
  readonly api: Api;
  readonly start: Start;
  readonly kubeconfig: (identity: Identity) => string;
}

export const podCidr = '10.244.0.0/16';
export const serviceCidr = '10.96.0.0/16';
export const kubernetesServiceIp = '10.96.0.1';
const largeServiceCidr = '10.96.0.0/14';
const serviceCidr6 = 'fd00:10:96::/112';
export const dnsServiceIp = '10.96.0.10';

/** etcd, API server, controller manager and scheduler: the same in both forms. */
export async function startControlPlane(plane: ControlPlane): Promise<void> {
  const { start, programs, api } = plane;
  start('etcd', programs.etcd, etcdArgs(plane));
  start('kube-apiserver', programs['kube-apiserver'], apiServerArgs(plane));
  await until('the API server', 60_000, async () => (await api.get('/readyz')) !== undefined);
  start('kube-controller-manager', programs['kube-controller-manager'], controllerManagerArgs(plane));
  start('kube-scheduler', programs['kube-scheduler'], [
    ...clientArgs(plane, 'scheduler'),
    '--leader-elect=false',
    '--secure-port=0',
    ...rateArgs(plane),
  ]);
}

/** A pod cannot be created in a namespace that has no default service account yet. */
export async function waitForDefaultAccount(api: Api): Promise<void> {
  const path = '/api/v1/namespaces/default/serviceaccounts/default';
  await until('the default service account', 30_000, async () => (await api.get(path)) !== undefined);
}

interface NodeList {
  items: {
    spec: { taints?: unknown[] };
    status: { conditions?: { type: string; status: string }[] };
  }[];
}

/** Ready, and no longer tainted as not ready: only then will a pod be placed at once. */
export async function waitForNodes({ api }: ControlPlane, count: number): Promise<void> {
  await until(`${count} ready nodes`, 60_000, async () => {
    const list = await api.get<NodeList>('/api/v1/nodes');
    const ready = list?.items.filter(({ spec, status }) => {
      const condition = status.conditions?.find(({ type }) => type === 'Ready');
      return condition?.status === 'True' && !spec.taints?.length;
    });
    return ready?.length === count;
  });
}

function etcdArgs({ dir, etcdPort, large }: ControlPlane): string[] {
  const url = `http://127.0.0.1:${etcdPort}`;
  return [
    `--data-dir=${join(dir, 'etcd')}`,
    `--listen-client-urls=${url}`,
    `--advertise-client-urls=${url}`,
    // A single member has no peers, but a port for them it must have.
    '--listen-peer-urls=http://127.0.0.1:0',
    '--unsafe-no-fsync',
    ...(large ? [`--quota-backend-bytes=${8 * 2 ** 30}`] : []),
    '--log-level=warn',
  ];
}

function apiServerArgs(plane: ControlPlane): string[] {
  const { form, dir, address, apiPort, etcdPort, pki } = plane;
  const file = (name: string): string => join(pki.folder, name);
  return [
    `--etcd-servers=http://127.0.0.1:${etcdPort}`,
    `--secure-port=${apiPort}`,
    `--bind-address=${form === 'fake' ? '127.0.0.1' : '0.0.0.0'}`,
    `--advertise-address=${address}`,
    // A loopback address cannot be an endpoint of the Service "kubernetes".
    `--endpoint-reconciler-type=${form === 'fake' ? 'none' : 'lease'}`,
    `--service-cluster-ip-range=${serviceRange(plane)}`,
    '--authorization-mode=Node,RBAC',
    '--enable-admission-plugins=NodeRestriction',
    '--allow-privileged=true',
    `--token-auth-file=${file('tokens.csv')}`,
    `--client-ca-file=${file('ca.crt')}`,
    `--tls-cert-file=${file('apiserver.crt')}`,
    `--tls-private-key-file=${file('apiserver.key')}`,
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${file('sa.pub')}`,
    `--service-account-signing-key-file=${file('sa.key')}`,
    `--kubelet-client-certificate=${file('apiserver-kubelet-client.crt')}`,
    `--kubelet-client-key=${file('apiserver-kubelet-client.key')}`,
    `--kubelet-certificate-authority=${file('ca.crt')}`,
    '--kubelet-preferred-address-types=InternalIP',
    `--requestheader-client-ca-file=${file('front-proxy-ca.crt')}`,
    '--requestheader-allowed-names=front-proxy-client',
    '--requestheader-extra-headers-prefix=X-Remote-Extra-',
    '--requestheader-group-headers=X-Remote-Group',
    '--requestheader-username-headers=X-Remote-User',
    `--proxy-client-cert-file=${file('front-proxy-client.crt')}`,
    `--proxy-client-key-file=${file('front-proxy-client.key')}`,
    '--enable-aggregator-routing=true',
    `--audit-policy-file=${join(here, 'manifests', 'audit-policy.yaml')}`,
    `--audit-log-path=${join(dir, 'audit.log')}`,
    // Written before the answer goes out: what a test has seen happen is in the log.
    '--audit-log-mode=blocking',
    '--audit-log-maxsize=2000',
  ];
}

function serviceRange({ large, dualStack }: ControlPlane): string {
  const range = large ? largeServiceCidr : serviceCidr;
  return dualStack ? `${range},${serviceCidr6}` : range;
}

function controllerManagerArgs(plane: ControlPlane): string[] {
  const file = (name: string): string => join(plane.pki.folder, name);
  return [
    ...clientArgs(plane, 'controller-manager'),
    '--leader-elect=false',
    '--secure-port=0',
    `--service-account-private-key-file=${file('sa.key')}`,
    `--root-ca-file=${file('ca.crt')}`,
    `--cluster-signing-cert-file=${file('ca.crt')}`,
    `--cluster-signing-key-file=${file('ca.key')}`,
    '--use-service-account-credentials',
    `--flex-volume-plugin-dir=${join(plane.dir, 'volume-plugins')}`,
    ...rateArgs(plane),
    ...(plane.large ? largeControllerArgs : []),
    // Autoscaling at the pace of a test: the defaults ignore a pod's first five minutes.
    '--horizontal-pod-autoscaler-sync-period=5s',
    '--horizontal-pod-autoscaler-cpu-initialization-period=10s',
    '--horizontal-pod-autoscaler-initial-readiness-delay=5s',
  ];
}

/** The components' own limits must not be what a measurement measures. */
function rateArgs({ large }: ControlPlane): string[] {
  return large
    ? ['--kube-api-qps=1000', '--kube-api-burst=2000']
    : ['--kube-api-qps=200', '--kube-api-burst=400'];
}

const largeControllerArgs = [
  '--concurrent-deployment-syncs=16',
  '--concurrent-replicaset-syncs=16',
  '--concurrent-service-endpoint-syncs=16',
  // Endpoints are the form before slices: as many writes again, which nobody here reads.
  '--controllers=*,-endpoints-controller,-endpointslice-mirroring-controller',
];

function clientArgs(plane: ControlPlane, identity: Identity): string[] {
  const config = plane.kubeconfig(identity);
  return [
    `--kubeconfig=${config}`,
    `--authentication-kubeconfig=${config}`,
    `--authorization-kubeconfig=${config}`,
  ];
}
