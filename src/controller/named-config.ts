/** Config that a release names: what of it is there, and what it holds. */
import type { NamedConfig } from '../api/config.ts';
import { colorName, LABEL_COLOR } from '../api/names.ts';
import type { Color } from '../api/status.ts';
import type { KubeClient } from '../kube/ports.ts';
import { CONFIG_MAPS, type ConfigMap } from '../kube/types.ts';
import type { CredentialsView } from '../release/endpoint-view.ts';
import type { ConfigView, CopyView } from '../release/snapshot.ts';
import { type ConfigData, configData, configDigest, secretIdentity } from '../workload/config.ts';
import type { ReleaseRef } from '../workload/render.ts';
import { BY_RELEASE, type Cache, keyOf } from './cache.ts';

export function configView(cache: Cache, { namespace, spec }: ReleaseRef): ConfigView {
  if (spec.config === undefined) return { found: undefined, missing: [], bytes: 0 };
  const missing: ConfigView['missing'][number][] = [];
  const configMaps: Record<string, string> = {};
  const secrets: Record<string, string> = {};
  let bytes = 0;
  for (const [index, { name }] of spec.config.configMaps.entries()) {
    const known = cache.configMaps.get({ namespace, name });
    const field = `spec.config.configMaps[${index}].name`;
    if (known === undefined) missing.push({ kind: 'ConfigMap', name, field });
    else configMaps[name] = known.digest;
    bytes += known?.bytes ?? 0;
  }
  const forbidden = !cache.secrets.isSyncedIn(namespace);
  for (const [index, { name }] of spec.config.secrets.entries()) {
    const known = cache.secrets.get({ namespace, name });
    const field = `spec.config.secrets[${index}].name`;
    if (known === undefined) missing.push({ kind: 'Secret', name, field, ...(forbidden && { forbidden }) });
    else secrets[name] = secretIdentity(known);
  }
  return { found: stated({ configMaps, secrets }), missing, bytes };
}

/** The credentials of the side that is to serve, as config that the release names. */
export function credentialConfig(credentials: CredentialsView | undefined, active: Color): ConfigView {
  if (credentials === undefined) return { found: undefined, missing: [], bytes: 0 };
  const { name, state, lacks } = credentials.sides[active];
  const field = `spec.workload.external.${active}.secretRef.name`;
  const isThere = state === 'Found' && lacks === undefined;
  return {
    found: { secrets: { [name]: credentials.versions[active] } },
    missing: isThere ? [] : [{ kind: 'Secret', name, field }],
    bytes: 0,
  };
}

/** Nothing empty: a release that names nothing has the contents that it always had. */
function stated({ configMaps = {}, secrets = {} }: NamedConfig): NamedConfig | undefined {
  const own = {
    ...(Object.keys(configMaps).length > 0 && { configMaps }),
    ...(Object.keys(secrets).length > 0 && { secrets }),
  };
  return Object.keys(own).length === 0 ? undefined : own;
}

/** By our label and a name of ours: what somebody made of a copy under another name is theirs. */
export function copyViews(cache: Cache, { namespace, name: release }: ReleaseRef, color: Color): CopyView[] {
  return cache.configMaps
    .byIndex(BY_RELEASE, keyOf(namespace, release))
    .filter(
      ({ metadata }) =>
        metadata.labels?.[LABEL_COLOR] === color &&
        metadata.name.startsWith(`${colorName(release, color)}-`) &&
        metadata.deletionTimestamp === undefined,
    )
    .map(({ metadata, digest }) => ({ name: metadata.name, uid: metadata.uid ?? '', digest }));
}

/** undefined where there is none, or where it holds something else. */
export async function readConfigMap(
  client: KubeClient,
  namespace: string,
  name: string,
  digest: string,
): Promise<ConfigData | undefined> {
  const found = await client.get<ConfigMap>(CONFIG_MAPS, { namespace, name });
  const held = found && configData(found);
  return held !== undefined && configDigest(held) === digest ? held : undefined;
}
