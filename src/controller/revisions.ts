/** The revisions of a release, as the cache has them, or newer where a mark cannot be explained by those. */
import { LABEL_RELEASE } from '../api/names.ts';
import type { ReleaseSpec } from '../api/schema.ts';
import type { KubeObject } from '../kube/ports.ts';
import { CONTROLLER_REVISIONS, type ControllerRevision } from '../kube/types.ts';
import type { Marked } from '../release/mark.ts';
import { explainsMarks } from '../release/roles.ts';
import type { RevisionView } from '../release/snapshot.ts';
import type { ReleaseRef } from '../workload/render.ts';
import { BY_RELEASE, type Cache, keyOf, type Reader } from './cache.ts';
import { type Aliases, revisionView } from './views/revision.ts';

/**
 * Watches of two kinds may tell of two writes in the wrong order. The facts are written before the mark that needs
 * them: a mark that the cache cannot explain is drift only if facts that are read after it cannot either. Otherwise a
 * process that just started would undo a switch of the one before.
 */
export async function currentRevisions(
  { cache, client }: Reader,
  { namespace, name }: ReleaseRef,
  carriers: readonly Marked[],
  cached: () => readonly RevisionView[],
): Promise<readonly RevisionView[]> {
  const known = cached();
  if (explainsMarks(carriers, known)) return known;
  const labelSelector = `${LABEL_RELEASE}=${name}`;
  const current = await client.list<ControllerRevision>(CONTROLLER_REVISIONS, { namespace, labelSelector });
  for (const revision of current) cache.revisions.note(revision);
  return cached();
}

interface Viewed {
  readonly all: readonly ControllerRevision[];
  readonly aliases: Aliases;
  readonly wished: string | undefined;
  readonly views: readonly RevisionView[];
}

/** By the last of them: as long as none has changed it is the same list, of which roles and history are worked out once. */
const viewed = new WeakMap<ControllerRevision, Viewed>();

export function revisionsOf(
  cache: Cache,
  release: ReleaseRef,
  aliases: Aliases,
  wished: string | undefined,
): readonly RevisionView[] {
  const all = cache.revisions
    .byIndex(BY_RELEASE, keyOf(release.namespace, release.name))
    .filter(
      ({ metadata }) =>
        metadata.deletionTimestamp === undefined && isOwnedBy(metadata.ownerReferences, release.uid),
    );
  const last = all.at(-1);
  if (last === undefined) return [];
  const known = viewed.get(last);
  const isSame = known?.all.length === all.length && all.every((revision, at) => revision === known.all[at]);
  if (isSame && known.aliases === aliases && known.wished === wished) return known.views;
  const views = all
    .map((revision) => revisionView(revision, aliases, wished))
    .filter((view) => view !== undefined)
    .sort((a, b) => a.number - b.number);
  viewed.set(last, { all, aliases, wished, views });
  return views;
}

/** The spec under which this release last started something, as it was frozen. */
export function lastSpec(cache: Cache, { metadata }: KubeObject): ReleaseSpec | undefined {
  const { namespace, name, uid = '' } = metadata;
  return cache.revisions
    .byIndex(BY_RELEASE, keyOf(namespace, name))
    .filter((revision) => isOwnedBy(revision.metadata.ownerReferences, uid))
    .toSorted((a, b) => b.revision - a.revision)
    .map((revision) => revisionView(revision)?.frozen)
    .find((spec) => spec !== undefined);
}

/** Revisions and Jobs of an earlier release of the same name tell of another life. */
export function isOwnedBy(owners: readonly { uid: string }[] | undefined, uid: string): boolean {
  return owners?.some((owner) => owner.uid === uid) ?? false;
}
