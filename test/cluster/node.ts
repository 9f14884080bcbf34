import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { until } from './api.ts';
import { cgroupOf, createCgroup } from './cgroups.ts';
import { containerdConfig, importImage, podNetwork } from './containerd.ts';
import {
  type ControlPlane,
  dnsServiceIp,
  podCidr,
  startControlPlane,
  waitForDefaultAccount,
  waitForNodes,
} from './controlplane.ts';
import { run } from './exec.ts';
import { pauseImage, programImage } from './images.ts';
import { cniFolder, type ServiceProxy } from './packages.ts';
import { here } from './paths.ts';

/** The node form: a real control plane and one real node (containerd, kubelet, kube-proxy), with DNS and CPU metrics. */
export async function startNode(
  plane: ControlPlane,
  cluster: string,
  serviceProxy: ServiceProxy,
): Promise<void> {
  createCgroup(cluster);
  // The API server takes longest; the container runtime gets ready beside it.
  await Promise.all([startControlPlane(plane), startRuntime(plane)]);
  await startKubelet(plane, cluster);
  await Promise.all([startServiceProxy(plane, serviceProxy), applyAddOns(plane)]);
  await Promise.all([waitForDefaultAccount(plane.api), waitForNodes(plane, 1), waitForDns(plane)]);
}

async function startRuntime({ dir, start }: ControlPlane): Promise<void> {
  await containerdConfig(dir, await cniFolder());
  await podNetwork(dir, podCidr);
  start('containerd', 'containerd', ['--config', join(dir, 'containerd.toml')]);
  const images = await Promise.all([pauseImage(), programImage('coredns'), programImage('metrics-server')]);
  const answers = (): Promise<boolean> =>
    run('ctr', ['--address', join(dir, 'containerd.sock'), 'version'], { timeoutMs: 2000 }).then(
      () => true,
      () => false,
    );
  await until('containerd', 20_000, answers);
  for (const image of images) await importImage(dir, image.tar);
}

async function startKubelet(plane: ControlPlane, cluster: string): Promise<void> {
  const { dir, start, programs, address, pki } = plane;
  const config = join(dir, 'kubelet.json');
  await writeFile(join(dir, 'resolv.conf'), '');
  await writeFile(config, JSON.stringify(kubeletConfig(dir, pki.folder, cluster)));
  start('kubelet', programs.kubelet, [
    `--config=${config}`,
    `--kubeconfig=${plane.kubeconfig('node')}`,
    '--hostname-override=node-0',
    `--node-ip=${address}`,
    '--node-labels=topology.kubernetes.io/zone=zone-a',
    `--root-dir=${join(dir, 'kubelet')}`,
    `--cert-dir=${join(dir, 'kubelet', 'pki')}`,
  ]);
}

function kubeletConfig(dir: string, pki: string, cluster: string): object {
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    containerRuntimeEndpoint: `unix://${join(dir, 'containerd.sock')}`,
    cgroupRoot: `/${cgroupOf(cluster)}`,
    cgroupDriver: 'cgroupfs',
    failCgroupV1: false,
    enforceNodeAllocatable: [],
    failSwapOn: false,
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: join(pki, 'ca.crt') },
    },
    authorization: { mode: 'Webhook' },
    tlsCertFile: join(pki, 'kubelet.crt'),
    tlsPrivateKeyFile: join(pki, 'kubelet.key'),
    clusterDomain: 'cluster.local',
    clusterDNS: [dnsServiceIp],
    resolvConf: join(dir, 'resolv.conf'),
    podLogsDir: '/var/log/pods',
    volumePluginDir: join(dir, 'kubelet', 'volume-plugins'),
    // The disk is the developer's: its fill level is no reason to evict a pod or an image.
    evictionHard: { 'memory.available': '100Mi' },
    imageGCHighThresholdPercent: 100,
    nodeStatusUpdateFrequency: '2s',
    // A test that kills a container should not wait out a back-off of minutes.
    featureGates: { KubeletCrashLoopBackOffMax: true },
    crashLoopBackOff: { maxContainerRestartPeriod: '1s' },
  };
}

async function startServiceProxy(
  { dir, start, programs, kubeconfig }: ControlPlane,
  mode: ServiceProxy,
): Promise<void> {
  const config = join(dir, 'kube-proxy.json');
  const content = {
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    mode,
    clusterCIDR: podCidr,
    hostnameOverride: 'node-0',
    clientConnection: { kubeconfig: kubeconfig('proxy') },
    // The table of connections is the machine's: its limits stay as they are.
    conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: '0s', tcpCloseWaitTimeout: '0s' },
  };
  await writeFile(config, JSON.stringify(content));
  start('kube-proxy', programs['kube-proxy'], [`--config=${config}`]);
}

async function applyAddOns(plane: ControlPlane): Promise<void> {
  const admin = [`--kubeconfig=${plane.kubeconfig('admin')}`, `--cache-dir=${join(plane.dir, 'kubectl')}`];
  const files = ['proxy.yaml', 'dns.yaml', 'metrics-server.yaml'].flatMap((name) => [
    '-f',
    join(here, 'manifests', name),
  ]);
  await run(plane.programs.kubectl, [...admin, 'create', '--validate=false', ...files]);
}

async function waitForDns({ api }: ControlPlane): Promise<void> {
  const path = '/apis/apps/v1/namespaces/kube-system/deployments/coredns';
  await until('cluster DNS', 60_000, async () => {
    const deployment = await api.get<{ status: { readyReplicas?: number } }>(path);
    return deployment?.status.readyReplicas === 1;
  });
}
