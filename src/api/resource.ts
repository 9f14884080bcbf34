/** The resource as it stands in a URL path. */
import type { KubeObject, ResourceType } from '../kube/ports.ts';
import { GROUP, KIND, VERSION } from './schema.ts';

export const RELEASES: ResourceType = {
  group: GROUP,
  version: VERSION,
  kind: KIND,
  plural: 'bluegreenreleases',
  namespaced: true,
};

/** As the API server sends it: nothing is known of spec and status before `parseRelease`. */
export interface BlueGreenReleaseObject extends KubeObject {
  spec?: unknown;
  status?: unknown;
}
