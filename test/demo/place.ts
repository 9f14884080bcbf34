/** Where the demo plays: a cluster, and the images that it can run. */
import type { ImageRef, Target } from '../support/target.ts';

export interface Place {
  readonly target: Target;
  /** For people. */
  readonly title: string;
  readonly cluster: { readonly kubernetes: string; readonly node: string };
  /** A folder for what is generated. */
  readonly workDir: string;
  readonly namespace: string;
  readonly metricsNamespace: string;
  /** undefined: this API server's log cannot be read, so the Service is watched instead. */
  readonly auditLog: string | undefined;
  readonly images: Readonly<Record<'operator' | 'app' | 'prometheus', ImageRef>>;
  /** How people reach it when it stays. */
  readonly keepHint: string;
  /** Takes away what the demo brought. */
  remove(): Promise<void>;
}

export type Progress = (line: string) => void;

/** Both versions and the system of the first node, as it says them. */
export async function describeCluster(target: Target): Promise<Place['cluster']> {
  const [version, nodes] = await Promise.all([
    target.kubectl(['version', '-o', 'json']).then(JSON.parse),
    target.kubectl(['get', 'nodes', '-o', 'json']).then(JSON.parse),
  ]);
  const { kubeletVersion, osImage, kernelVersion, containerRuntimeVersion } =
    nodes.items[0]?.status.nodeInfo ?? {};
  const more = nodes.items.length > 1 ? ` (the first of ${nodes.items.length} nodes)` : '';
  return {
    kubernetes: version.serverVersion.gitVersion,
    node: `kubelet ${kubeletVersion}, ${osImage}, Linux ${kernelVersion}, ${containerRuntimeVersion}${more}`,
  };
}
