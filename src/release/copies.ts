/**
 * Each colour's own copies of the ConfigMaps that the release names. They stand before the pods that read them, come
 * back when somebody deletes them, and go with the last revision that has them.
 */
import { copiesOf } from '../api/config.ts';
import { copyName } from '../api/names.ts';
import { COLORS, type Color } from '../api/status.ts';
import type { Effect } from './plan.ts';
import type { RevisionView, Snapshot } from './snapshot.ts';

/** Copies that a revision needs on this colour and that do not stand there. */
export function writeCopies(snapshot: Snapshot, color: Color, revision: RevisionView | undefined): Effect[] {
  if (revision === undefined) return [];
  const standing = new Map(snapshot.sides[color].copies.map(({ name, digest }) => [name, digest]));
  return Object.entries(revision.config?.configMaps ?? {}).flatMap(([configMap, digest]): Effect[] => {
    const name = copyName(snapshot.release.name, color, configMap, digest);
    if (standing.get(name) === digest) return [];
    return [{ kind: 'WriteCopy', color, revision: revision.name, configMap, digest }];
  });
}

/** Those of the revisions that stand on the two sides. */
export function keepCopies(snapshot: Snapshot, colors: readonly Color[] = COLORS): Effect[] {
  return colors.flatMap((color) => {
    const { deployment } = snapshot.sides[color];
    const held = snapshot.revisions.find(({ name }) => name === deployment?.revision);
    return deployment?.ours ? writeCopies(snapshot, color, held) : [];
  });
}

/** What neither a revision nor what stands on the colour needs. A revision may be tried again on either colour. */
export function dropCopies(snapshot: Snapshot, color: Color): Effect[] {
  const { copies, deployment } = snapshot.sides[color];
  const configs = [...snapshot.revisions, deployment];
  const needed = new Set(
    configs.flatMap((each) => Object.values(copiesOf(snapshot.release.name, color, each?.config))),
  );
  return copies
    .filter(({ name }) => !needed.has(name))
    .map(({ name, uid }) => ({ kind: 'RemoveCopy', color, name, uid }));
}
