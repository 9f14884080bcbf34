import { mkdir, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from './exec.ts';

/** The container runtime of one node: everything it keeps is in the cluster's run directory. */
export async function containerdConfig(dir: string, cniFolder: string): Promise<void> {
  const text = `version = 2
root = "${dir}/containerd/root"
state = "${dir}/containerd/state"
[grpc]
  address = "${dir}/containerd.sock"
[plugins."io.containerd.internal.v1.opt"]
  path = "${dir}/containerd/opt"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "local.test/pause:1"
  netns_mounts_under_state_dir = true
  # Where root lacks CAP_SYS_RESOURCE (in many sandboxes), lower scores than its own cannot be set.
  restrict_oom_score_adj = true
  # Its profile would be loaded into the machine's kernel and stay there.
  disable_apparmor = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "${await snapshotter(dir)}"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "${cniFolder}"
    conf_dir = "${dir}/cni"
`;
  await writeFile(join(dir, 'containerd.toml'), text);
}

/** Image layers are stacked by overlayfs, unless the run directory lies on one already (in a container). */
async function snapshotter(dir: string): Promise<string> {
  const overlayfs = 0x79_4c_76_30;
  return (await statfs(dir)).type === overlayfs ? 'native' : 'overlayfs';
}

/**
 * Pods are linked to the node one by one (ptp), not by a bridge: so every packet between two pods of a Service passes the
 * node's rules, also on machines where bridged packets would not.
 */
export async function podNetwork(dir: string, cidr: string): Promise<void> {
  const ipam = {
    type: 'host-local',
    dataDir: join(dir, 'ipam'),
    ranges: [[{ subnet: cidr }]],
    routes: [{ dst: '0.0.0.0/0' }],
  };
  const network = {
    cniVersion: '0.4.0',
    name: 'pods',
    plugins: [
      { type: 'ptp', ipMasq: false, ipam },
      { type: 'portmap', capabilities: { portMappings: true } },
    ],
  };
  await mkdir(join(dir, 'cni'), { recursive: true });
  await writeFile(join(dir, 'cni', '10-pods.conflist'), JSON.stringify(network));
}

/** Makes a docker-archive tar an image of the node. */
export async function importImage(dir: string, tar: string): Promise<void> {
  const address = ['--address', join(dir, 'containerd.sock'), '--namespace', 'k8s.io'];
  await run('ctr', [...address, 'images', 'import', tar], { timeoutMs: 120_000 });
}
