/** Invariants 5 and 6: unknown is not bad, and what was rejected is not tried again by itself. */
import { newestFirst, type RevisionTruth } from './truth.ts';
import { fail, type View } from './view.ts';

export function guardRevisions(
  view: View,
  before: readonly RevisionTruth[],
  after: readonly RevisionTruth[],
): void {
  for (const now of after) {
    const old = before.find(({ name }) => name === now.name);
    if (old?.facts.attempt !== now.facts.attempt) guardStart(view, now, before);
    const { outcome } = now.facts;
    if (outcome?.reason === 'CheckFailed' && old?.facts.outcome === undefined && view.world.metrics.bad === 0)
      fail(`${now.name} was put back for a failed check, and no measurement was ever bad`);
  }
}

function guardStart(view: View, now: RevisionTruth, before: readonly RevisionTruth[]): void {
  const last = newestFirst(before.filter(({ image }) => image === now.image))[0];
  if (last?.facts.rejected === undefined || now.facts.adoption) return;
  const asked = view.users().orders.some(({ text }) => text === `retry@${now.facts.attempt - 1}`);
  if (!asked && now.facts.outcome?.reason !== 'Readopted')
    fail(`the content of ${last.name} was rejected and is tried again as ${now.name}`);
}
