/** What named config holds, and where a pod's spec names it. */
import { createHash } from 'node:crypto';
import type { NamedConfig } from '../api/config.ts';
import { ANNOTATION_CONFIG } from '../api/names.ts';
import type { JsonValue, KubeObject } from '../kube/ports.ts';
import type { ConfigMap, JsonObject } from '../kube/types.ts';

/** What a ConfigMap holds, as a revision keeps it. */
export type ConfigData = Pick<ConfigMap, 'data' | 'binaryData'>;

export function configData({ data, binaryData }: ConfigMap): ConfigData {
  return { ...(data !== undefined && { data }), ...(binaryData !== undefined && { binaryData }) };
}

/** Of keys and values in any order; 16 hexadecimal digits. An absent map is an empty one. */
export function configDigest({ data = {}, binaryData = {} }: ConfigData): string {
  const sorted = [data, binaryData].map((map) => Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1)));
  return createHash('sha256').update(JSON.stringify(sorted)).digest('hex').slice(0, 16);
}

/** Of what consumers of a release run with. `copyOf`: name and version of the Secret that the credentials were copied from. */
export function publishedDigest(data: Readonly<Record<string, string>>, copyOf: string | undefined): string {
  return configDigest({ data: { ...data }, ...(copyOf !== undefined && { binaryData: { copyOf } }) });
}

export const secretIdentity = ({ metadata: { uid = '', resourceVersion = '' } }: KubeObject): string =>
  `${uid}/${resourceVersion}`;

/** Keys under which a pod's spec names a ConfigMap: volumes and projected sources, environments, single variables. */
const REFERENCES = new Set(['configMap', 'configMapRef', 'configMapKeyRef']);

/** A pod's spec that names other ConfigMaps. A name that is not in `names` stays. */
export function renameConfigMaps(spec: JsonObject, names: Readonly<Record<string, string>>): JsonObject {
  const renamed = (value: JsonValue, isReference: boolean): JsonValue => {
    if (Array.isArray(value)) return value.map((item) => renamed(item, false));
    if (typeof value !== 'object' || value === null) return value;
    const members = Object.entries(value).map(([key, member]): [string, JsonValue] =>
      isReference && key === 'name' && typeof member === 'string'
        ? [key, names[member] ?? member]
        : [key, renamed(member, REFERENCES.has(key))],
    );
    return Object.fromEntries(members);
  };
  return Object.keys(names).length === 0 ? spec : (renamed(spec, false) as JsonObject);
}

/** What stands on a colour's Deployment. undefined where it names none, or where somebody else wrote what stands there. */
export function statedConfig({ metadata }: KubeObject): NamedConfig | undefined {
  const text = metadata.annotations?.[ANNOTATION_CONFIG];
  if (text === undefined) return undefined;
  try {
    const stated: unknown = JSON.parse(text);
    return typeof stated === 'object' && stated !== null ? (stated as NamedConfig) : undefined;
  } catch {
    return undefined;
  }
}
