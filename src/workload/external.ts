/** What makes an environment what it is: the content of a revision of an external workload. */
import type { Color } from '../api/status.ts';
import type { External } from '../api/workload.ts';

export interface ExternalContent {
  readonly external: { readonly color: Color; readonly url: string; readonly revision?: string };
}

/** The colour is part of it: that both have one address would not make them one environment. */
export function externalContent(external: External, color: Color): ExternalContent {
  const { url, revision } = external[color];
  return { external: { color, url, ...(revision !== undefined && { revision }) } };
}
