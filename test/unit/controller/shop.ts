/** What stands in a cluster of the release "shop", uid "u": its first revision, which serves, and Services that are its own. */
import { ANNOTATION_CLAIM, ANNOTATION_FACTS, LABEL_RELEASE, LABEL_REVISION } from '../../../src/api/names.ts';
import type { ControllerRevision, Service } from '../../../src/kube/types.ts';
import { r1 } from '../release/situations.ts';

export function firstRevision(spec: object): ControllerRevision {
  return {
    metadata: {
      namespace: 'demo',
      name: 'shop-r1',
      resourceVersion: '3',
      labels: { [LABEL_RELEASE]: 'shop', [LABEL_REVISION]: 'r1' },
      annotations: { [ANNOTATION_FACTS]: JSON.stringify(r1) },
      ownerReferences: [{ apiVersion: 'v1', kind: 'BlueGreenRelease', name: 'shop', uid: 'u' }],
    },
    revision: 1,
    data: { spec, content: { template: { spec: { containers: [{ image: 'a:1' }] } } } },
  } as unknown as ControllerRevision;
}

/** It selects no colour. */
export function serviceOf(name: string): Service {
  return {
    metadata: {
      namespace: 'demo',
      name,
      uid: name,
      resourceVersion: '4',
      labels: { [LABEL_RELEASE]: 'shop' },
      annotations: { [ANNOTATION_CLAIM]: 'u' },
    },
    spec: { selector: { app: 'shop' }, ports: [] },
  };
}
