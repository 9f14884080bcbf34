/** What several views are made with. */
import { LABEL_RELEASE } from '../../api/names.ts';
import type { KubeObject } from '../../kube/ports.ts';

/** Characters of a message of somebody else's that are kept. */
export const MAX_MESSAGE = 1024;

export function isOurs(object: KubeObject, release: string): boolean {
  return object.metadata.labels?.[LABEL_RELEASE] === release;
}
