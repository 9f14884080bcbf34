/** The objects of one release, made into those of another by what tells the two apart: names, uids and addresses. */
import type { KubeObject } from '../src/kube/ports.ts';
import type { Entry } from './etcd.ts';

export interface Copy {
  readonly namespace: string;
  readonly name: string;
}

export interface Stored {
  /** Under /registry, such as `pods` or `services/specs`. */
  readonly folder: string;
  readonly object: KubeObject;
}

/** What must not be the same in two releases, as it stands in the template. */
export interface Template {
  readonly place: Copy;
  readonly stored: readonly Stored[];
  readonly uids: readonly string[];
  readonly serviceIps: readonly string[];
  readonly podIp: string;
  readonly node: string;
}

export function templateOf(place: Copy, stored: readonly Stored[]): Template {
  const texts = stored.map(({ object }) => JSON.stringify(object)).join('\n');
  const all = (pattern: RegExp): string[] => [
    ...new Set([...texts.matchAll(pattern)].map(([, value = '']) => value)),
  ];
  return {
    place,
    stored,
    uids: all(/"uid":"([-0-9a-f]{36})"/g),
    serviceIps: all(/"clusterIP":"([0-9.]+)"/g),
    podIp: all(/"podIP":"([0-9.]+)"/g)[0] ?? '',
    node: all(/"nodeName":"([-a-z0-9]+)"/g)[0] ?? '',
  };
}

/** The same objects under another name, `index` of all copies, in a cluster with so many nodes. */
export function copyOf(template: Template, copy: Copy, index: number, nodes: number): Entry[] {
  const { place } = template;
  const quoted: [string, string][] = [
    ...template.uids.map((uid): [string, string] => [uid, uidOf(uid, index)]),
    ...template.serviceIps.map((ip, which): [string, string] => [
      `"${ip}"`,
      `"${serviceIp(3 * index + which)}"`,
    ]),
    [`"${template.podIp}"`, `"${podIp(index)}"`],
    [`"${template.node}"`, `"${nodeOf(template.node, index, nodes)}"`],
    [`"namespace":"${place.namespace}"`, `"namespace":"${copy.namespace}"`],
    [place.name, copy.name],
  ];
  return template.stored.map(({ folder, object }) => {
    const value = quoted.reduce((text, [from, to]) => text.replaceAll(from, to), JSON.stringify(object));
    const { namespace, name } = (JSON.parse(value) as KubeObject).metadata;
    return { key: ['/registry', folder, namespace, name].filter(Boolean).join('/'), value };
  });
}

/** Its first digits tell the objects of one release apart, its last the releases. */
function uidOf(uid: string, index: number): string {
  return uid.slice(0, 24) + index.toString(16).padStart(12, '0');
}

/** 10.98.0.0/15 is the upper half of the large cluster's range: the allocator takes addresses at random below. */
function serviceIp(number: number): string {
  return `10.${98 + (number >> 16)}.${(number >> 8) & 255}.${number & 255}`;
}

function podIp(index: number): string {
  return `10.${200 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}`;
}

/** In the same zone, which stands in the EndpointSlices: zones go by the node's number, modulo three. */
function nodeOf(node: string, index: number, nodes: number): string {
  const zone = Number(node.replace(/\D/g, '')) % 3;
  return `node-${zone + 3 * (index % Math.floor(nodes / 3))}`;
}
