/** The second opinion on what is published: written, as its sibling, without the helpers of the rules. */

import type { EndpointView } from './endpoint-view.ts';
import { formatMark } from './mark.ts';
import type { Effect } from './plan.ts';
import type { RevisionView, Snapshot } from './snapshot.ts';

type Of<Kind extends Effect['kind']> = Extract<Effect, { kind: Kind }>;

export function published(snapshot: Snapshot, effect: Of<'Publish'>): (string | undefined)[] {
  const { endpoint, revisions, release } = snapshot;
  const { configMap, mark, color, data } = effect;
  if (endpoint?.name !== configMap) return [`ConfigMap ${configMap} is not what this release publishes`];
  const revision = revisions.find(({ name }) => name === mark.revision);
  const said = revision?.frozen.workload.external?.[color];
  const url = said?.url === data.url && data.color === color;
  return [
    isSeen(endpoint, effect)
      ? undefined
      : `ConfigMap ${configMap} is written under a precondition that was not seen`,
    endpoint.state === 'Ours' ? undefined : `ConfigMap ${configMap} is not ours to write`,
    mark.uid === release.uid && revision?.facts?.color === color
      ? undefined
      : `the mark does not belong to ${color}`,
    url ? undefined : `what would be published is not what revision ${mark.revision} says of ${color}`,
    revision &&
      (mark.direction === 'Forward'
        ? unvalidated(revision, effect)
        : uncommitted(revision, endpoint, effect)),
  ];
}

function isSeen(endpoint: EndpointView, { uid, from, expectedMark }: Of<'Publish'>): boolean {
  const same = JSON.stringify(endpoint.data) === JSON.stringify(from);
  return same && endpoint.uid === uid && endpoint.rawMark === expectedMark;
}

/** 4. The revision that was validated is the one that is switched to. */
function unvalidated({ name, facts }: RevisionView, { mark }: Of<'Publish'>): string | undefined {
  if (facts?.validatedAt === undefined || facts.attempt !== mark.attempt)
    return `revision ${name} was not validated in attempt ${mark.attempt}`;
  return facts.rejected === undefined ? undefined : `revision ${name} is rejected`;
}

function uncommitted(
  { name, facts }: RevisionView,
  { rawMark }: EndpointView,
  { mark }: Of<'Publish'>,
): string | undefined {
  // The same order once more.
  if (rawMark === formatMark(mark)) return undefined;
  if (facts?.committedAt === undefined) return `revision ${name} was never committed`;
  return facts.rejected === undefined ? undefined : `revision ${name} is rejected`;
}

/** Of the side that the ConfigMap says, and only into what is ours or free to take. */
export function credited(
  { endpoint, revisions }: Snapshot,
  effect: Of<'PublishSecret'>,
): (string | undefined)[] {
  const { secret, mark, color, uid, resourceVersion, beside, source } = effect;
  const { credentials, rawMark } = endpoint ?? {};
  const revision = revisions.find(({ name }) => name === mark.revision);
  const said = revision?.frozen.workload.external?.[color];
  const names = [said?.secretRef?.name, credentials?.sides[color].name];
  const isSeen = credentials?.uid === uid && credentials.resourceVersion === resourceVersion;
  return [
    credentials?.name === secret && isSeen
      ? undefined
      : `Secret ${secret} is written under a precondition that was not seen`,
    credentials?.state === 'Ours' || credentials?.state === 'Free'
      ? undefined
      : `Secret ${secret} is not ours to write`,
    rawMark === formatMark(mark)
      ? undefined
      : `Secret ${secret} would say what ConfigMap ${endpoint?.name} does not`,
    revision?.facts?.color === color && beside.color === color && beside.url === said?.url
      ? undefined
      : `what Secret ${secret} would say does not belong to ${color}`,
    names.includes(source.name) ? undefined : `Secret ${source.name} is not what anybody names for ${color}`,
  ];
}

/** Consumers run with what is published, and with nothing else; one at a time. */
export function restarted({ endpoint }: Snapshot, effect: Of<'RestartConsumer'>): (string | undefined)[] {
  const { mark, digests = {}, consumers = [] } = endpoint ?? {};
  const known = consumers.find(({ uid, kind }) => uid === effect.uid && kind === effect.consumer);
  return [
    known?.obstacle && `${effect.consumer} ${effect.name} ${known.obstacle}`,
    known ? undefined : `${effect.consumer} ${effect.name} is not a consumer of this release`,
    mark !== undefined && digests[mark.revision] === effect.digest
      ? undefined
      : `${effect.consumer} ${effect.name} would run with what is not published`,
  ];
}

export function restartsMany(effects: readonly Effect[]): string | undefined {
  const restarts = effects.filter(({ kind }) => kind === 'RestartConsumer');
  return restarts.length > 1 ? `${restarts.length} consumers would be restarted at once` : undefined;
}
