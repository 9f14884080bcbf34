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

/**
 * The API server vouches for the rest of the metadata. A status that cannot be read is an empty one: nothing that
 * matters is lost with it, and an object that an older or a newer operator wrote must not stop this one.
 */
const releaseSchema = z.object({
  metadata: z.looseObject({ name: z.string().min(1) }),
  spec: specSchema,
  status: statusSchema.catch(() => ({})),
});

export function parseRelease(object: unknown): ParseResult {
  const result = releaseSchema.safeParse(object, { reportInput: true });
  if (!result.success) {
    return {
      ok: false,
      problems: result.error.issues.map((issue) => ({
        field: fieldPath(issue.path),
        message: sentence(issue),
      })),
    };
  }
  const { metadata, spec, status } = result.data;
  return { ok: true, release: { metadata: metadata as ObjectMeta, spec, status } };
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
