/** JSON patch (RFC 6902) and merge patch (RFC 7386), on plain JSON that is never changed in place. */
import { isDeepStrictEqual } from 'node:util';
import type { JsonPatchOperation } from '../../../src/kube/ports.ts';

/** A `test` that failed, or a path that is not there: the API server answers 422 to both. */
export class PatchError extends Error {}

type Node = Record<string, any> | any[];

export function jsonPatch<T>(object: T, operations: readonly JsonPatchOperation[]): T {
  return operations.reduce<any>(
    (value, operation) => applyOne(value, operation, pathOf(operation.path)),
    object,
  );
}

function pathOf(pointer: string): string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function applyOne(value: any, operation: JsonPatchOperation, [key, ...rest]: readonly string[]): any {
  if (key === undefined || typeof value !== 'object' || value === null)
    throw new PatchError(`${operation.path} has no parent`);
  const isThere = key in value;
  if (!isThere && (rest.length > 0 || operation.op !== 'add') && !isTestOfNothing(operation, rest))
    throw new PatchError(`${operation.path} does not exist`);
  if (rest.length > 0) return withMember(value, key, applyOne(value[key], operation, rest));
  if (operation.op === 'remove') return withoutMember(value, key);
  if (operation.op !== 'test') return withMember(value, key, operation.value);
  if (isDeepStrictEqual(value[key], operation.value)) return value;
  throw new PatchError(`testing ${operation.path} failed`);
}

function isTestOfNothing({ op, value }: JsonPatchOperation, rest: readonly string[]): boolean {
  return op === 'test' && value === undefined && rest.length === 0;
}

function withMember(value: Node, key: string, member: unknown): Node {
  if (Array.isArray(value)) return value.with(Number(key), member);
  const changed = { ...value };
  changed[key] = member;
  return changed;
}

function withoutMember(value: Node, key: string): Node {
  if (Array.isArray(value)) return value.toSpliced(Number(key), 1);
  const { [key]: _, ...rest } = value;
  return rest;
}

export function mergePatch(target: any, patch: any): any {
  if (!isObject(patch)) return patch;
  const result: Record<string, unknown> = isObject(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = mergePatch(result[key], value);
  }
  return result;
}

function isObject(value: unknown): value is Record<string, any> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
