/** What a ControllerRevision holds, and the facts that stand on it. */
import { memo } from '../../api/memo.ts';
import { ANNOTATION_FACTS, LABEL_REVISION } from '../../api/names.ts';
import { type ReleaseSpec, specSchema } from '../../api/schema.ts';
import type { ControllerRevision } from '../../kube/types.ts';
import { parseFacts } from '../../release/facts.ts';
import type { RevisionView } from '../../release/snapshot.ts';
import { contentOf, fingerprint, type RevisionData, type WorkloadContent } from '../../workload/content.ts';
import { inlineDeployment } from '../../workload/inline.ts';

/** Fingerprint of a stored content to that of the same content with the defaults of the API server that runs now. */
export type Aliases = Readonly<Record<string, string>>;

type Read = Pick<RevisionView, 'fingerprint' | 'config'> & { spec: ReleaseSpec };
const revisionData = new WeakMap<object, Read>();

/** The content of a revision, as it was frozen; undefined for what no pods are made of. */
export function storedContent(revision: ControllerRevision | undefined): WorkloadContent | undefined {
  const content = (revision?.data as unknown as RevisionData | undefined)?.content;
  return content !== undefined && 'template' in content ? content : undefined;
}

/**
 * undefined for a ControllerRevision that no operator of this group wrote. `aliases`: what the API server of today
 * makes of stored contents. One counts only where it is what people wish for (`wished`): an admission policy that
 * changes every Deployment since must not make a stored content differ from a source that nobody has written anew.
 */
export function revisionView(
  revision: ControllerRevision,
  aliases: Aliases = {},
  wished?: string,
): RevisionView | undefined {
  const { view } = viewed(revision);
  if (view === undefined) return undefined;
  const alias = aliases[view.fingerprint];
  return alias !== undefined && alias === wished ? { ...view, fingerprint: alias } : view;
}

/** Each look reads every revision. */
const viewed = memo((revision: ControllerRevision) => ({ view: viewRevision(revision) }));

function viewRevision(revision: ControllerRevision): RevisionView | undefined {
  const { metadata } = revision;
  const name = metadata.labels?.[LABEL_REVISION];
  const data = readRevision(revision);
  if (name === undefined || data === undefined) return undefined;
  const rawFacts = metadata.annotations?.[ANNOTATION_FACTS];
  return {
    name,
    number: revision.revision,
    objectName: metadata.name,
    resourceVersion: metadata.resourceVersion ?? '',
    fingerprint: data.fingerprint,
    config: data.config,
    frozen: data.spec,
    rawFacts,
    facts: parseFacts(rawFacts),
  };
}

/** Defaults that were added to the schema since are filled in by the parser. */
function readRevision(revision: ControllerRevision): Read | undefined {
  const data = revision.data as unknown as RevisionData | undefined;
  const known = data && revisionData.get(data);
  if (known !== undefined) return known;
  const parsed = specSchema.safeParse(data?.spec);
  if (!parsed.success || data?.content === undefined) return undefined;
  const { config } = data.content;
  const { deployment } = parsed.data.workload;
  const written = data.inline && deployment && contentOf(inlineDeployment(deployment), config);
  const read = { spec: parsed.data, fingerprint: fingerprint(written ?? data.content), config };
  revisionData.set(data, read);
  return read;
}
