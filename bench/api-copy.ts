/** One release made from the objects of another through the API: the controllers make its pods and endpoints. */
import { RELEASES } from '../src/api/resource.ts';
import { isKubeError } from '../src/kube/errors.ts';
import type { KubeClient, KubeObject, ObjectMeta, ResourceType } from '../src/kube/ports.ts';
import { CONTROLLER_REVISIONS, DEPLOYMENTS, SERVICES } from '../src/kube/types.ts';
import type { Copy, Template } from './copies.ts';

const WRITTEN: Readonly<Record<string, ResourceType>> = {
  deployments: DEPLOYMENTS,
  'services/specs': SERVICES,
  controllerrevisions: CONTROLLER_REVISIONS,
};

const CREATE_TRIES = 5;

type Whole = KubeObject & { spec?: Record<string, unknown>; status?: unknown };

/** The release first: the others name its uid. Its status last, for an object without one counts as new. */
export async function createCopy(client: KubeClient, template: Template, copy: Copy): Promise<void> {
  const release = template.stored.find(({ object }) => object.kind === RELEASES.kind)?.object as Whole;
  const { status, ...body } = renamed(release, template, copy);
  const created = await createOnce(client, RELEASES, body);
  const [old = '', fresh = ''] = [release.metadata.uid, created.metadata.uid];
  await Promise.all(
    template.stored.map(async ({ folder, object }) => {
      const type = WRITTEN[folder];
      if (type === undefined) return;
      const { status: _, ...own } = renamed(object, template, copy);
      await createOnce(client, type, JSON.parse(JSON.stringify(own).replaceAll(old, fresh)) as KubeObject);
    }),
  );
  await client.patch(RELEASES, copy, { type: 'merge', body: { status } }, { subresource: 'status' });
}

/** On a busy machine an answer is late or lost: then the create is sent again, and may find what it made. */
async function createOnce(client: KubeClient, type: ResourceType, body: KubeObject): Promise<KubeObject> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await client.create(type, body);
    } catch (error) {
      if (tries >= CREATE_TRIES || !isKubeError(error, 'Timeout', 'AlreadyExists')) throw error;
    }
    const there = await client.get<KubeObject>(type, body.metadata);
    if (there !== undefined) return there;
  }
}

/** Under the copy's name, and without what the API server gives. */
export function renamed(object: KubeObject, { place }: Template, copy: Copy): Whole {
  const text = JSON.stringify(object).replaceAll(place.name, copy.name);
  const whole = JSON.parse(text) as Whole;
  const { name, labels, annotations, finalizers, ownerReferences } = whole.metadata;
  const given = { labels, annotations, finalizers, ownerReferences };
  const kept = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const metadata: ObjectMeta = { name, namespace: copy.namespace, ...kept };
  const { clusterIP: _, clusterIPs: __, ...spec } = whole.spec ?? {};
  return { ...whole, metadata, ...(whole.spec !== undefined && { spec }) };
}
