/** From an object as the API server sends it to a release with all its defaults, or to sentences that say why not. */
import { z } from 'zod';
import type { ObjectMeta } from '../kube/ports.ts';
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
 * A status that cannot be read is an empty one: nothing that matters is lost with it, and an object that an older or a
 * newer operator wrote must not stop this one.
 */
const readableStatus = statusSchema.catch(() => ({}));

/**
 * What was parsed, by what it was parsed from: the caches never change what they hold, and a release is looked at many
 * times between two changes.
 */
const specs = new WeakMap<object, ReleaseSpec>();
const statuses = new WeakMap<object, ReleaseStatus>();

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
  if (!isObject(raw)) return {};
  const status = statuses.get(raw) ?? readableStatus.parse(raw);
  statuses.set(raw, status);
  return status;
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
