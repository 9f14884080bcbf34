/**
 * Config that a release names, as a part of its revisions. A ConfigMap is known by a digest of what it holds, and each
 * colour has a copy of its own, so that an edit reaches nothing that runs. A Secret is never read: it is known by the
 * uid and the resourceVersion of its metadata, which say that it changed and nothing of what it holds. A digest of a
 * Secret would: a short one can be guessed, and the guess be compared.
 */
import { copyName } from './names.ts';
import type { Color } from './status.ts';

/** By name of the object. */
export interface NamedConfig {
  /** Digest of what it holds. */
  readonly configMaps?: Readonly<Record<string, string>>;
  /** `uid/resourceVersion`. */
  readonly secrets?: Readonly<Record<string, string>>;
}

/** The copies that a colour needs, by the name of the ConfigMap that each was made from. */
export function copiesOf(
  release: string,
  color: Color,
  config: NamedConfig | undefined,
): Readonly<Record<string, string>> {
  const digests = Object.entries(config?.configMaps ?? {});
  return Object.fromEntries(digests.map(([name, digest]) => [name, copyName(release, color, name, digest)]));
}

/** Names of what differs, such as `ConfigMap "settings"`. */
export function changedConfig(before: NamedConfig | undefined, after: NamedConfig | undefined): string[] {
  const differs = (kind: string, one: Record<string, string> = {}, other: Record<string, string> = {}) =>
    [...new Set([...Object.keys(one), ...Object.keys(other)])]
      .filter((name) => one[name] !== other[name])
      .map((name) => `${kind} "${name}"`);
  return [
    ...differs('ConfigMap', before?.configMaps, after?.configMaps),
    ...differs('Secret', before?.secrets, after?.secrets),
  ];
}

/** Of an external workload, where which Secret a side has stands in the spec: those that are the same, and were written since. */
export function writtenSecrets(before: NamedConfig | undefined, after: NamedConfig | undefined): string[] {
  return Object.entries(before?.secrets ?? {})
    .filter(([name, version]) => (after?.secrets?.[name] ?? version) !== version)
    .map(([name]) => `Secret "${name}"`);
}
