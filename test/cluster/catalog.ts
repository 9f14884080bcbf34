import type { Release } from './download.ts';

/** The programs a cluster is made of, with their versions: the one place to change them (and go/<module>/go.mod). */

export type ProgramName =
  | 'etcd'
  | 'kube-apiserver'
  | 'kube-controller-manager'
  | 'kube-scheduler'
  | 'kubelet'
  | 'kube-proxy'
  | 'kubectl'
  | 'kwok'
  | 'coredns'
  | 'metrics-server'
  | 'prometheus';

export interface Program {
  readonly version: string;
  /** The folder under go/ whose go.mod and go.sum pin the sources. */
  readonly module: string;
  readonly package: string;
  readonly ldflags: readonly string[];
  /** The official binary, where one is published together with its sha256. */
  release?(os: string, arch: string): Release | undefined;
}

const kubernetesVersion = 'v1.36.3';
const etcdVersion = 'v3.6.8';

// Built without these, Kubernetes calls itself v0.0.0 and clients cannot tell what it supports.
const kubernetesFlags = ['k8s.io/component-base/version', 'k8s.io/client-go/pkg/version'].flatMap((pkg) => [
  `-X ${pkg}.gitVersion=${kubernetesVersion}`,
  `-X ${pkg}.gitMajor=1`,
  `-X ${pkg}.gitMinor=36`,
]);

function kubernetes(name: string): Program {
  return {
    version: kubernetesVersion,
    module: 'kubernetes',
    package: `k8s.io/kubernetes/cmd/${name}`,
    ldflags: kubernetesFlags,
    release(os, arch) {
      // Server programs are published for Linux only.
      if (os !== 'linux' && name !== 'kubectl') return undefined;
      const url = `https://dl.k8s.io/release/${kubernetesVersion}/bin/${os}/${arch}/${name}`;
      return { url, checksums: `${url}.sha256` };
    },
  };
}

export const catalog: Readonly<Record<ProgramName, Program>> = {
  etcd: {
    version: etcdVersion,
    module: 'kubernetes',
    package: 'go.etcd.io/etcd/server/v3',
    ldflags: [],
    release(os, arch) {
      if (os !== 'linux') return undefined;
      const base = `https://github.com/etcd-io/etcd/releases/download/${etcdVersion}`;
      const folder = `etcd-${etcdVersion}-linux-${arch}`;
      return {
        url: `${base}/${folder}.tar.gz`,
        checksums: `${base}/SHA256SUMS`,
        member: `${folder}/etcd`,
      };
    },
  },
  'kube-apiserver': kubernetes('kube-apiserver'),
  'kube-controller-manager': kubernetes('kube-controller-manager'),
  'kube-scheduler': kubernetes('kube-scheduler'),
  kubelet: kubernetes('kubelet'),
  'kube-proxy': kubernetes('kube-proxy'),
  kubectl: kubernetes('kubectl'),
  // kwok and metrics-server publish no checksum file beside their binaries: always built.
  kwok: {
    version: 'v0.8.0',
    module: 'kwok',
    package: 'sigs.k8s.io/kwok/cmd/kwok',
    ldflags: ['-X sigs.k8s.io/kwok/pkg/consts.Version=v0.8.0'],
  },
  'metrics-server': {
    version: 'v0.9.0',
    module: 'metrics-server',
    package: 'sigs.k8s.io/metrics-server/cmd/metrics-server',
    ldflags: ['-X k8s.io/client-go/pkg/version.gitVersion=v0.9.0'],
  },
  coredns: {
    version: 'v1.13.1',
    module: 'coredns',
    package: 'github.com/coredns/coredns',
    ldflags: [],
    release(os, arch) {
      const base = 'https://github.com/coredns/coredns/releases/download/v1.13.1';
      const url = `${base}/coredns_1.13.1_${os}_${arch}.tgz`;
      return { url, checksums: `${url}.sha256`, member: 'coredns' };
    },
  },
  // Prometheus 3.5.0 is called v0.305.0 as a Go module.
  prometheus: {
    version: 'v3.5.0',
    module: 'prometheus',
    package: 'github.com/prometheus/prometheus/cmd/prometheus',
    ldflags: ['-X github.com/prometheus/common/version.Version=3.5.0'],
    release(os, arch) {
      const base = 'https://github.com/prometheus/prometheus/releases/download/v3.5.0';
      const folder = `prometheus-3.5.0.${os}-${arch}`;
      return {
        url: `${base}/${folder}.tar.gz`,
        checksums: `${base}/sha256sums.txt`,
        member: `${folder}/prometheus`,
      };
    },
  },
};
