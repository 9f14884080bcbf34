import { KubeError } from './errors.ts';
import type { ListWatchScope, ObjectKey, ResourceType, Subresource } from './ports.ts';

/** The collection of a type: all of it, or one namespace. */
export function collectionPath(type: ResourceType, namespace?: string): string {
  const root = type.group === '' ? `/api/${type.version}` : `/apis/${type.group}/${type.version}`;
  const scope = type.namespaced && namespace !== undefined ? `/namespaces/${segment(namespace)}` : '';
  return `${root}${scope}/${type.plural}`;
}

export function objectPath(type: ResourceType, key: ObjectKey, subresource?: Subresource): string {
  if (type.namespaced && key.namespace === undefined) {
    throw badKey(type, `${type.plural} ${key.name} is named without its namespace`);
  }
  const object = `${collectionPath(type, key.namespace)}/${segment(key.name)}`;
  return subresource === undefined ? object : `${object}/${subresource}`;
}

/**
 * One segment of a path. An empty name would turn the path of an object into the path of its collection, and a
 * delete of one into a delete of all; '.' and '..' are cleaned away by proxies.
 * Source: ValidatePathSegmentName in k8s.io/apimachinery/pkg/api/validation/path.
 */
function segment(name: string): string {
  if (name === '' || name === '.' || name === '..') {
    throw new KubeError({
      reason: 'BadRequest',
      status: 0,
      call: 'request',
      message: `"${name}" is not a name`,
    });
  }
  return encodeURIComponent(name);
}

function badKey(type: ResourceType, message: string): KubeError {
  return new KubeError({ reason: 'BadRequest', status: 0, call: `request ${type.plural}`, message });
}

export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

export function queryString(query: Query): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) parameters.set(name, String(value));
  }
  const text = parameters.toString();
  return text === '' ? '' : `?${text}`;
}

export function scopeQuery(scope: ListWatchScope & { readonly fieldSelector?: string }): Query {
  return { labelSelector: scope.labelSelector, fieldSelector: scope.fieldSelector };
}

/** "shop/checkout", or "node-1" for what has no namespace. */
export function describeKey(key: ObjectKey): string {
  return key.namespace === undefined ? key.name : `${key.namespace}/${key.name}`;
}
