/** What makes an environment what it is: the content of a revision of an external workload. */
import type { NamedConfig } from '../api/config.ts';
import type { ReleaseSpec } from '../api/schema.ts';
import type { Color } from '../api/status.ts';
import { credentialsOf } from '../api/workload.ts';

export interface ExternalContent {
  readonly external: {
    readonly color: Color;
    readonly url: string;
    readonly revision?: string;
    /** Keys of its credentials, in any order. */
    readonly keys?: readonly string[];
  };
  /** The Secret with its credentials, known by its version alone. */
  readonly config?: NamedConfig;
}

/**
 * The colour is part of it: that both have one address would not make them one environment. `version`: of the Secret with
 * its credentials, where it has one.
 */
export function externalContent(
  spec: ReleaseSpec,
  color: Color,
  version: string | undefined,
): ExternalContent {
  const { url = '', revision } = spec.workload.external?.[color] ?? {};
  const credentials = credentialsOf(spec, color);
  const external = { color, url, ...(revision !== undefined && { revision }) };
  if (credentials === undefined || version === undefined) return { external };
  return {
    external: { ...external, keys: credentials.keys.toSorted() },
    config: { secrets: { [credentials.source]: version } },
  };
}
