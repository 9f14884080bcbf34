/** From an object as the API server sends it to a release with all its defaults, or to sentences that say why not. */
import { z } from 'zod';
import type { ObjectMeta } from '../kube/ports.ts';
import { sameJson } from './json.ts';
import { memo } from './memo.ts';
import { sentence } from './problems.ts';
import { type ReleaseSpec, specSchema } from './schema.ts';
import { type ReleaseStatus, statusSchema } from './status.ts';

export interface ParsedRelease {
  metadata: ObjectMeta;
  spec: ReleaseSpec;
  status: ReleaseStatus;
}

/** `field` and `message` read as one sentence: "spec.traffic.services" + "must have at least 1 entry". */
export interface Problem {
  field: string;
  message: string;
}

export type ParseResult = { ok: true; release: ParsedRelease } | { ok: false; problems: Problem[] };

/** The API server vouches for the rest of the metadata. */
const releaseSchema = z.object({ metadata: z.looseObject({ name: z.string().min(1) }), spec: specSchema });

/**
 * What was parsed, by what it was parsed from: the caches never change what they hold, and a release is looked at many
 * times between two changes.
 */
const specs = new WeakMap<object, ReleaseSpec>();

export function parseRelease(object: unknown): ParseResult {
  const raw = (object ?? {}) as { metadata: ObjectMeta; spec?: unknown; status?: unknown };
  const known = isObject(raw.spec) ? specs.get(raw.spec) : undefined;
  if (known !== undefined)
    return { ok: true, release: { metadata: raw.metadata, spec: known, status: statusOf(raw.status) } };
  const result = releaseSchema.safeParse(object, { reportInput: true });
  if (!result.success) return { ok: false, problems: result.error.issues.map(problem) };
  const { metadata, spec } = result.data;
  if (isObject(raw.spec)) specs.set(raw.spec, spec);
  return { ok: true, release: { metadata: metadata as ObjectMeta, spec, status: statusOf(raw.status) } };
}

function statusOf(raw: unknown): ReleaseStatus {
  return isObject(raw) ? readStatus(raw) : {};
}

/**
 * A status that cannot be read is an empty one: nothing that matters is lost with it, and an object that an older or a
 * newer operator wrote must not stop this one.
 */
const readStatus = memo((raw: object): ReleaseStatus => {
  const status: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(raw)) {
    if (!(name in statusSchema.shape)) continue;
    const read = readMember(name, value);
    if (!read.ok) return {};
    status[name] = read.value;
  }
  return status;
});

export type MemberResult =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly path: string };

/** By what they were read from: of the twenty members of a status most are those of the one before. */
const members = new WeakMap<object, { readonly name: string; readonly read: MemberResult }>();

/** One member of a status. What has no part that is unknown here is given back as it is, so that it is known again. */
export function readMember(name: string, value: unknown): MemberResult {
  const known = isObject(value) ? members.get(value) : undefined;
  if (known?.name === name) return known.read;
  const read = readAnew(name, value);
  if (isObject(value)) members.set(value, { name, read });
  return read;
}

function readAnew(name: string, value: unknown): MemberResult {
  const schema = (statusSchema.shape as Partial<Record<string, z.ZodType>>)[name];
  const result = schema?.safeParse(value);
  if (!result?.success)
    return { ok: false, path: [name, ...(result?.error.issues[0]?.path ?? [])].join('.') };
  return { ok: true, value: sameJson(result.data, value) ? value : result.data };
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function problem(issue: z.core.$ZodIssue): Problem {
  return { field: fieldPath(issue.path), message: sentence(issue) };
}

/** As kubectl writes it: spec.traffic.services[0].name */
function fieldPath(path: readonly PropertyKey[]): string {
  return (
    path
      .map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`))
      .join('')
      .replace(/^\./, '') || 'the object'
  );
}
