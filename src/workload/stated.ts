/**
 * Labels and annotations that people state for the Deployments of the colours (`spec.workload.deployment.metadata`). They
 * are no part of a revision, as no edit of them would roll a Deployment: both colours follow in place. Their keys are
 * noted, so that those which are stated no more can be taken away; whatever else stands there is left.
 */
import { ANNOTATION_STATED } from '../api/names.ts';
import type { ReleaseSpec } from '../api/schema.ts';
import type { Deployment } from '../kube/types.ts';

type Entries = Readonly<Record<string, string>>;

interface Stated {
  readonly labels: Record<string, string>;
  /** With the note of the keys. */
  readonly annotations: Record<string, string>;
}

interface Keys {
  readonly labels: readonly string[];
  readonly annotations: readonly string[];
}

export function statedMetadata({ workload }: ReleaseSpec): Stated {
  const { labels = {}, annotations = {} } = workload.deployment?.metadata ?? {};
  const keys: Keys = { labels: Object.keys(labels).sort(), annotations: Object.keys(annotations).sort() };
  const isNone = keys.labels.length + keys.annotations.length === 0;
  return isNone
    ? { labels: {}, annotations: {} }
    : { labels, annotations: { ...annotations, [ANNOTATION_STATED]: JSON.stringify(keys) } };
}

/** The Deployment carries what is stated, and nothing that was stated before. */
export function carriesStated({ metadata }: Deployment, spec: ReleaseSpec): boolean {
  const { labels, annotations } = statedMetadata(spec);
  const carries = (has: Entries = {}, wanted: Entries): boolean =>
    Object.entries(wanted).every(([key, value]) => has[key] === value);
  return (
    metadata.annotations?.[ANNOTATION_STATED] === annotations[ANNOTATION_STATED] &&
    carries(metadata.labels, labels) &&
    carries(metadata.annotations, annotations)
  );
}

/** What stands on the Deployment and is stated no more. */
export function outdatedKeys({ metadata }: Deployment, spec: ReleaseSpec): Keys {
  const noted = metadata.annotations?.[ANNOTATION_STATED];
  if (noted === undefined) return { labels: [], annotations: [] };
  const stated = statedMetadata(spec);
  const { labels, annotations } = parseKeys(noted);
  return {
    labels: labels.filter((key) => stated.labels[key] === undefined),
    annotations: [...annotations, ANNOTATION_STATED].filter((key) => stated.annotations[key] === undefined),
  };
}

/** Whoever edited the note gets a new one; what it said before is then left where it stands. */
function parseKeys(noted: string): Keys {
  try {
    const { labels, annotations } = JSON.parse(noted) as Partial<Keys>;
    if (Array.isArray(labels) && Array.isArray(annotations)) return { labels, annotations };
  } catch {
    // As below.
  }
  return { labels: [], annotations: [] };
}
