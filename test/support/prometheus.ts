/** A real Prometheus as a pod, which finds what to scrape by itself. */
import { stringify } from 'yaml';
import { apply, type ImageRef, type KubeObject, namespaceObject, rolledOut, type Target } from './target.ts';

export interface PrometheusOptions {
  readonly image: ImageRef;
  /** Default: monitoring. */
  readonly namespace?: string;
}

/** Where the operator finds it: the default of deploy/kustomize. */
export const prometheusUrl = (namespace = 'monitoring'): string => `http://prometheus.${namespace}.svc:9090`;

export async function deployPrometheus(target: Target, options: PrometheusOptions): Promise<void> {
  const { image, namespace = 'monitoring' } = options;
  await apply(target, [namespaceObject(namespace)]);
  await apply(target, [...access(namespace), ...server(namespace, image)]);
  await rolledOut(target, namespace, 'prometheus');
}

/** Pods that ask for it by annotation, every second, labelled with the release and the side they belong to. */
const config = {
  global: { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' },
  scrape_configs: [
    {
      job_name: 'pods',
      kubernetes_sd_configs: [{ role: 'pod' }],
      relabel_configs: [
        { source_labels: [pod('annotation_prometheus_io_scrape')], action: 'keep', regex: 'true' },
        { source_labels: [pod('phase')], action: 'keep', regex: 'Running' },
        {
          source_labels: ['__address__', pod('annotation_prometheus_io_port')],
          // A pod with several ports is found once for each, and scraped once.
          regex: '([^:]+)(?::\\d+)?;(\\d+)',
          replacement: '$1:$2',
          target_label: '__address__',
        },
        { source_labels: ['__meta_kubernetes_namespace'], target_label: 'namespace' },
        { source_labels: [pod('name')], target_label: 'pod' },
        { source_labels: [pod('label_bluegreen_dev_release')], target_label: 'bluegreen_release' },
        { source_labels: [pod('label_bluegreen_dev_color')], target_label: 'bluegreen_color' },
        { source_labels: [pod('label_bluegreen_dev_revision')], target_label: 'bluegreen_revision' },
      ],
    },
  ],
};

function pod(label: string): string {
  return `__meta_kubernetes_pod_${label}`;
}

function access(namespace: string): KubeObject[] {
  const name = `prometheus-${namespace}`;
  const rbac = 'rbac.authorization.k8s.io';
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'prometheus', namespace } },
    {
      apiVersion: `${rbac}/v1`,
      kind: 'ClusterRole',
      metadata: { name },
      rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get', 'list', 'watch'] }],
    },
    {
      apiVersion: `${rbac}/v1`,
      kind: 'ClusterRoleBinding',
      metadata: { name },
      roleRef: { apiGroup: rbac, kind: 'ClusterRole', name },
      subjects: [{ kind: 'ServiceAccount', name: 'prometheus', namespace }],
    },
  ];
}

function server(namespace: string, image: ImageRef): KubeObject[] {
  const metadata = { name: 'prometheus', namespace };
  const labels = { app: 'prometheus' };
  return [
    { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { 'prometheus.yml': stringify(config) } },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata,
      spec: { selector: labels, ports: [{ name: 'http', port: 9090 }] },
    },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata,
      spec: {
        replicas: 1,
        strategy: { type: 'Recreate' },
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: podSpec(image) },
      },
    },
  ];
}

function podSpec(image: ImageRef): KubeObject {
  return {
    serviceAccountName: 'prometheus',
    terminationGracePeriodSeconds: 5,
    securityContext: { runAsNonRoot: true, runAsUser: 65532, runAsGroup: 65532, fsGroup: 65532 },
    containers: [
      {
        name: 'prometheus',
        image: image.name,
        imagePullPolicy: image.pullPolicy,
        args: [
          '--config.file=/etc/prometheus/prometheus.yml',
          '--storage.tsdb.path=/data',
          '--storage.tsdb.retention.time=2h',
        ],
        ports: [{ name: 'http', containerPort: 9090 }],
        readinessProbe: { httpGet: { path: '/-/ready', port: 'http' }, periodSeconds: 1 },
        resources: { requests: { cpu: '50m', memory: '128Mi' }, limits: { memory: '1Gi' } },
        volumeMounts: [
          { name: 'config', mountPath: '/etc/prometheus' },
          { name: 'data', mountPath: '/data' },
        ],
      },
    ],
    volumes: [
      { name: 'config', configMap: { name: 'prometheus' } },
      { name: 'data', emptyDir: {} },
    ],
  };
}
