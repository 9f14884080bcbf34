/** Invariants 6, 8 and 9: what was rejected is not tried again, facts are not forgotten, and proofs are proofs. */

import { LABEL_REVISION } from '../../../src/api/names.ts';
import { COLORS } from '../../../src/api/status.ts';
import { PODS, type Pod } from '../../../src/kube/types.ts';
import type { RevisionFacts } from '../../../src/release/facts.ts';
import { isReady } from '../cluster/deployments.ts';
import { imageIn, isInline } from '../content.ts';
import { SERVICE } from '../scenario.ts';
import { LABEL } from '../world.ts';
import { guardComplete } from './config.ts';
import { guardOutcome, isBlamed } from './deserved.ts';
import { guardTogether } from './siblings.ts';
import { lastKept, newestFirst, type RevisionTruth, recorded } from './truth.ts';
import { fail, isRecent, isTouched, type View } from './view.ts';

export function guardRevisions(
  view: View,
  before: readonly RevisionTruth[],
  after: readonly RevisionTruth[],
): void {
  const adopted = after.find(({ facts }) => facts.adoption);
  if (
    adopted !== undefined &&
    before.length === 0 &&
    !isInline(view.world.scenario) &&
    !ranOnce(view, adopted.image)
  )
    fail(`${adopted.name} was adopted, and no pod of it was ever ready`);
  for (const { name, facts } of before)
    if (!after.some((each) => each.name === name)) guardForgotten(view, name, facts, before);
  for (const now of after) {
    const old = before.find(({ name }) => name === now.name);
    if (old?.facts.attempt !== now.facts.attempt) guardStart(view, now, before);
    else if (old !== undefined) guardKept(now, old.facts);
    guardLoser(now, old?.facts, before);
    guardOutcome(view, now, old?.facts);
    guardProof(view, now, old?.facts);
    guardTogether(view, now, old);
  }
}

/** What serves, or stands by, is built anew from it where it is lost: it is no history. */
function guardForgotten(
  view: View,
  name: string,
  { startedAt }: RevisionFacts,
  before: readonly RevisionTruth[],
): void {
  const held = COLORS.filter(
    (color) => view.truth.deployment(color)?.metadata.labels?.[LABEL_REVISION] === name,
  );
  // Another process has begun with it anew a moment ago.
  if (isRecent(view, startedAt) || held.some((color) => isTouched(view, color))) return;
  if (held.length > 0) fail(`${name} was forgotten, and ${held.join(' and ')} holds it`);
  if (recorded(before)?.name === name) fail(`${name} was forgotten, and is active`);
}

/** Only what has the traffic by the facts can lose it: what another writer moved was drift, and no release. */
function guardLoser(
  { name, facts }: RevisionTruth,
  old: RevisionFacts | undefined,
  before: readonly RevisionTruth[],
): void {
  if (facts.outcome?.kind !== 'RolledBack' || old?.outcome?.kind !== 'Committed') return;
  const active = lastKept(before);
  if (active !== undefined && active.facts.attempt > facts.attempt)
    fail(`${name} counts as rolled back, and ${active.name} had the traffic`);
}

/** With the config that people name now: their Deployment's pods have read what it said when they began. */
function ranOnce({ world }: View, name: string): boolean {
  const image = imageIn(name);
  return [...world.ran].some((each) => imageIn(each) === image);
}

/** Within an attempt nothing that was proven or decided is taken back. */
function guardKept({ name, facts }: RevisionTruth, old: RevisionFacts): void {
  const lost = (['validatedAt', 'outcome', 'rejected', 'committedAt'] as const).find(
    (fact) => old[fact] !== undefined && facts[fact] === undefined,
  );
  if (lost !== undefined) fail(`the facts of ${name} no longer say ${lost}`);
  if (old.outcome?.kind === 'RolledBack' && facts.outcome?.kind === 'Committed')
    fail(`${name} was rolled back and counts as committed`);
}

function isAlive({ world }: View, color: string): boolean {
  return world.api.list<Pod>(PODS, `${LABEL}=${color}`).some(isReady);
}

/** A switch, forward or back, is proven when its own pods are behind the Service, and no others. */
function guardProof(view: View, { name, facts }: RevisionTruth, old: RevisionFacts | undefined): void {
  const forward = facts.verifiedAt !== undefined && old !== undefined && old.verifiedAt === undefined;
  const back = facts.outcome?.kind === 'RolledBack' && old?.outcome?.kind !== 'RolledBack';
  if ((!forward && !back) || isTouched(view, 'service')) return;
  // Nobody has brought it back yet: a way back is proven at the others, which must not wait for people.
  if (back && view.truth.service() === undefined) return;
  const to = view.truth.selected();
  // What was gone back to died on the way: nothing is left to be proven, and a fix must not wait for it.
  if (back && to !== undefined && !isAlive(view, to)) return;
  const isEmpty = view.range(SERVICE).most === 0;
  // What had died has a pod ready again, whose endpoint is still to come.
  if (isEmpty && back && to !== undefined && view.range(`${SERVICE}-${to}`).fewest === 0) return;
  if (isEmpty) fail(`the switch of ${name} counts as proven, and no endpoint is ready`);
  if (to === undefined || isRecent(view, view.purity.lastAlone(to))) return;
  fail(`the switch of ${name} counts as proven, and ${view.purity.stranger(to)} still serves`);
}

function guardStart(view: View, now: RevisionTruth, before: readonly RevisionTruth[]): void {
  guardComplete(view, now);
  const active = recorded(before);
  if (active?.image === now.image && !now.facts.adoption && now.facts.outcome === undefined)
    fail(`${now.name} was begun as attempt ${now.facts.attempt}, and is active by the facts already`);
  const last = newestFirst(before.filter(({ image }) => image === now.image))[0];
  if (last === undefined || !isBlamed(last.facts) || now.facts.adoption) return;
  const asked = view.users().orders.some(({ text }) => text === `retry@${now.facts.attempt - 1}`);
  if (!asked && now.facts.outcome?.reason !== 'Readopted')
    fail(
      `the content of ${last.name} failed (${last.facts.outcome?.reason}) and is tried again as ${now.name}`,
    );
}
