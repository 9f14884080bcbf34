/**
 * What an object's content is, computed once for each object: what the caches hold never changes, and a release is
 * looked at many times between two changes of its Deployments. On the way to a switch this would be most of the work.
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

const sources = new WeakMap<Deployment, { readonly config: string; readonly fingerprint: string }>();

/** Identity of what people wish for: the Deployment, and the config that the release names beside it. */
export function sourceFingerprint(source: Deployment, named?: NamedConfig): string {
  const config = JSON.stringify(named) ?? '';
  const known = sources.get(source);
  if (known?.config === config) return known.fingerprint;
  const fresh = fingerprint(contentOf(source, named));
  sources.set(source, { config, fingerprint: fresh });
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
  readonly selectorLabel: string;
  readonly stored: WorkloadContent | undefined;
  readonly fingerprint: string;
  /** It is what the revision that it was written for says. */
  readonly matches: boolean;
}

const colors = new WeakMap<Deployment, ColorIdentity>();

export function colorIdentity(
  deployment: Deployment,
  selectorLabel: string,
  stored: WorkloadContent | undefined,
): ColorIdentity {
  const known = colors.get(deployment);
  if (known?.selectorLabel === selectorLabel && known.stored === stored) return known;
  const content = contentOfColor(deployment, selectorLabel);
  const matches = stored !== undefined && holds(content, stored);
  const identity = { selectorLabel, stored, fingerprint: fingerprint(content), matches };
  colors.set(deployment, identity);
  return identity;
}
