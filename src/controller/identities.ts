/**
 * What an object's content is, computed once for each object: what the caches hold never changes, and a release is
 * looked at many times between two changes of what its Deployments say. On the way to a switch this would be most of
 * the work.
 */
import type { NamedConfig } from '../api/config.ts';
import type { Deployment } from '../kube/types.ts';
import {
  contentOf,
  contentOfColor,
  contentOfPaired,
  fingerprint,
  holds,
  type WorkloadContent,
} from '../workload/content.ts';

const sources = new WeakMap<Deployment['spec'], { readonly config: string; readonly fingerprint: string }>();

/** Identity of what people wish for: the Deployment, and the config that the release names beside it. */
export function sourceFingerprint(source: Deployment, named?: NamedConfig): string {
  const config = JSON.stringify(named) ?? '';
  const known = sources.get(source.spec);
  if (known?.config === config) return known.fingerprint;
  const fresh = fingerprint(contentOf(source, named));
  sources.set(source.spec, { config, fingerprint: fresh });
  return fresh;
}

interface PairedIdentity {
  readonly selectorLabel: string;
  readonly fingerprint: string;
  /** Without the label that tells it from the other side. */
  readonly colorless: string;
}

const pairs = new WeakMap<Deployment, PairedIdentity>();

/** Identity of one side of a pair. */
export function pairedIdentity(workload: Deployment, selectorLabel: string): PairedIdentity {
  const known = pairs.get(workload);
  if (known?.selectorLabel === selectorLabel) return known;
  const fresh = {
    selectorLabel,
    fingerprint: fingerprint(contentOfPaired(workload)),
    colorless: fingerprint(contentOfPaired(workload, [selectorLabel])),
  };
  pairs.set(workload, fresh);
  return fresh;
}

interface ColorIdentity {
  /** Of the Deployment: the copies of a colour are named by its labels, and told of by an annotation. */
  readonly metadata: Pick<Deployment['metadata'], 'labels' | 'annotations'>;
  readonly selectorLabel: string;
  readonly stored: WorkloadContent | undefined;
  readonly fingerprint: string;
  /** It is what the revision that it was written for says. */
  readonly matches: boolean;
}

const colors = new WeakMap<Deployment['spec'], ColorIdentity>();

export function colorIdentity(
  deployment: Deployment,
  selectorLabel: string,
  stored: WorkloadContent | undefined,
): ColorIdentity {
  const { metadata, spec } = deployment;
  const known = colors.get(spec);
  const isSame = known?.selectorLabel === selectorLabel && known.stored === stored;
  const { labels, annotations } = known?.metadata ?? {};
  if (isSame && labels === metadata.labels && annotations === metadata.annotations) return known;
  const content = contentOfColor(deployment, selectorLabel);
  const matches = stored !== undefined && holds(content, stored);
  const identity = { metadata, selectorLabel, stored, fingerprint: fingerprint(content), matches };
  colors.set(spec, identity);
  return identity;
}
