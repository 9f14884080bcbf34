import { expect } from 'chai';
import type { RevisionFacts } from '../../../src/release/facts.ts';
import { formatFacts } from '../../../src/release/facts.ts';
import { violations } from '../../../src/release/invariants.ts';
import type { Effect } from '../../../src/release/plan.ts';
import type { Snapshot } from '../../../src/release/snapshot.ts';
import {
  built,
  committed,
  fresh,
  idle,
  observed,
  r1,
  r2,
  r2Committed,
  r2RolledBack,
  r2Validated,
  r2Verified,
  returning,
  rolledBack,
  started,
  validated,
} from './situations.ts';
import { endpointsOf, HOUR, NOON, type Picture, UID, world } from './world.ts';

type Patch = Extract<Effect, { kind: 'PatchSelector' }>;
type HandBack = Extract<Effect, { kind: 'HandBack' }>;

/** The patch that the picture's Service would get, in its own terms. */
function patch(picture: Picture, change: Partial<Patch>): Patch {
  const [service] = world(picture).services;
  if (service === undefined) throw new Error('there is a Service');
  return {
    kind: 'PatchSelector',
    service: service.name,
    uid: service.uid,
    from: service.selector,
    expectedMark: service.rawMark,
    color: 'green',
    mark: { uid: UID, revision: 'r2', attempt: 2, direction: 'Forward' },
    decidedAt: NOON,
    reason: 'Validated: yes',
    rescue: false,
    ...change,
  };
}

/** The Service goes to one template of the source, with the release. */
function handBack(picture: Picture, change: Partial<HandBack> = {}): HandBack {
  const { service, uid, from, expectedMark, decidedAt, reason } = patch(picture, {});
  return { kind: 'HandBack', service, uid, from, expectedMark, decidedAt, reason, hash: 'abc', ...change };
}

/** Of a twin that is as it should be. */
const STANDS = { found: true, ours: true, matches: true };
const back = (attempt: number) => ({ uid: UID, revision: 'r1', attempt, direction: 'Back' as const });
const record = (revision: string, before: RevisionFacts, facts: RevisionFacts): Effect => ({
  kind: 'RecordFacts',
  revision,
  expected: formatFacts(before),
  facts,
});
const scale = (color: 'blue' | 'green', from: number, to: number): Effect => ({
  kind: 'ScaleColor',
  color,
  uid: `${color}-uid`,
  from,
  to,
});
const write = (color: 'blue' | 'green', revision: string, replicas = 3): Effect => ({
  kind: 'WriteColor',
  color,
  revision,
  replicas,
  expected: { uid: `${color}-uid`, resourceVersion: '1' },
});
const create = (fingerprint: string): Effect => ({
  kind: 'CreateRevision',
  revision: 'r3',
  number: 3,
  from: 'source',
  fingerprint,
  facts: { ...r2, attempt: 3 },
});
const park = (from: number, to: number): Effect => ({
  kind: 'ScaleSource',
  uid: 'source-uid',
  from,
  to,
  at: NOON,
});
const forget = (revision: string): Effect => ({ kind: 'DeleteRevision', revision });
const remove = (color: 'blue' | 'green'): Effect => ({ kind: 'DeleteColor', color, uid: `${color}-uid` });

const none = { desired: 3, ready: 0 };
const checks = [{ name: 'errors', prometheus: { query: 'q', max: '1' } }];
const watched: Picture = { ...observed, spec: { observation: { checks } } };
const measured = (...verdicts: ('Good' | 'Unknown')[]) => ({
  measurements: {
    errors: verdicts.map((verdict) => ({
      at: NOON,
      verdict,
      reason: 'WithinBounds' as const,
      message: 'measured',
    })),
  },
});
const deleting = { release: { deleting: true } };
const r2Kept = r2Committed.outcome;
const rejectedAt = r2RolledBack.rejected;
const bare = { found: true, ours: true, matches: true, endpoints: [] };
const LABELLED = { 'bluegreen.dev/color': 'blue' };

const refused: [string, Picture, Effect | Effect[], string | string[]][] = [
  [
    'a switch to a side without ready pods',
    { ...validated, green: { revision: 'r2', ...none } },
    patch(validated, {}),
    [
      'Service checkout has ready endpoints, and green has none',
      '0 ready green pods would replace 3 behind Service checkout',
    ],
  ],
  [
    'a switch to a side without ready pods, of a Deployment that stands in the release',
    {
      ...validated,
      source: null,
      spec: { workload: { deployment: { spec: { template: { spec: { containers: [] } } } } } },
      green: { revision: 'r2', ...none },
    },
    patch(validated, {}),
    [
      'Service checkout has ready endpoints, and green has none',
      '0 ready green pods would replace 3 behind Service checkout',
    ],
  ],
  [
    'a switch to a side that is too small',
    { ...validated, green: { revision: 'r2', ready: 2 } },
    patch(validated, {}),
    '2 ready green pods would replace 3 behind Service checkout',
  ],
  [
    'a switch to what was not validated',
    built,
    patch(built, {}),
    'revision r2 was not validated in attempt 2',
  ],
  [
    'a switch to what was validated in another attempt',
    { ...validated, revisions: { r1, r2: { ...r2Validated, attempt: 3 } } },
    patch(validated, {}),
    'revision r2 was not validated in attempt 2',
  ],
  [
    'a switch to a rejected revision',
    { ...validated, revisions: { r1, r2: r2RolledBack } },
    patch(validated, {}),
    'revision r2 is rejected',
  ],
  [
    'a switch to a colour that holds something else',
    { ...validated, green: { revision: 'r7', ready: 3 } },
    patch(validated, {}),
    'the Deployment of green does not hold revision r2',
  ],
  [
    'a switch to pods of which one is of another revision',
    { ...validated, green: { revision: 'r2', ready: 3, pods: [{}, { revision: 'r7' }, {}] } },
    patch(validated, {}),
    'pod checkout-green-1 of green is not of revision r2',
  ],
  [
    'a mark of another colour',
    validated,
    patch(validated, { color: 'blue' }),
    'the mark does not belong to blue',
  ],
  [
    'an empty selector',
    { ...idle, service: { selector: { 'bluegreen.dev/color': 'blue' } }, source: { replicas: 1 } },
    patch(idle, { from: { 'bluegreen.dev/color': 'blue' }, color: undefined, mark: undefined }),
    'Service checkout would have an empty selector',
  ],
  [
    'a patch under another precondition than what was seen',
    validated,
    patch(validated, { expectedMark: undefined }),
    'Service checkout is patched under a precondition that was not seen',
  ],
  [
    'a switch of a Service that is not named',
    validated,
    patch(validated, { service: 'cart' }),
    'Service cart is not one of this release',
  ],
  [
    'a patch of a Service that was created anew',
    validated,
    patch(validated, { uid: 'another' }),
    'Service checkout is patched under a precondition that was not seen',
  ],
  [
    'a patch under the precondition of another selector',
    validated,
    patch(validated, { from: { app: 'cart' } }),
    'Service checkout is patched under a precondition that was not seen',
  ],
  [
    'going back to a source without pods',
    idle,
    patch(idle, { color: undefined, mark: undefined }),
    'Service checkout has ready endpoints, and the source has none',
  ],
  [
    'going back to a source that is gone',
    { ...idle, source: null },
    patch(idle, { color: undefined, mark: undefined }),
    'Service checkout has ready endpoints, and the source has none',
  ],
  [
    'a switch to a colour that is gone',
    { ...validated, green: {} },
    patch(validated, {}),
    [
      'Service checkout has ready endpoints, and green has none',
      '0 ready green pods would replace 3 behind Service checkout',
      'the Deployment of green does not hold revision r2',
    ],
  ],
  [
    'a switch to a side that is too small, the other way round',
    {
      ...committed,
      blue: { revision: 'r3', ready: 2 },
      revisions: { r1, r2: r2Committed, r3: { ...r2Validated, color: 'blue', attempt: 3 } },
    },
    patch(committed, {
      color: 'blue',
      mark: { uid: UID, revision: 'r3', attempt: 3, direction: 'Forward' },
    }),
    '2 ready blue pods would replace 3 behind Service checkout',
  ],
  [
    'a way back to a revision that nobody knows',
    observed,
    patch(observed, { color: 'blue', mark: { ...back(2), revision: 'r9' }, rescue: true }),
    'revision r9 was never committed on blue',
  ],
  [
    'a switch to fewer pods than the number asked for',
    { ...validated, spec: { capacity: { candidate: 2 } }, green: { revision: 'r2', ready: 1 } },
    patch(validated, {}),
    '1 ready green pods would replace 3 behind Service checkout',
  ],
  [
    'a switch to less than the share asked for',
    { ...validated, spec: { capacity: { candidate: '50%' } }, green: { revision: 'r2', ready: 1 } },
    patch(validated, {}),
    '1 ready green pods would replace 3 behind Service checkout',
  ],
  [
    'a switch to a revision that nobody knows',
    validated,
    patch(validated, { mark: { uid: UID, revision: 'r9', attempt: 2, direction: 'Forward' } }),
    'revision r9 is unknown',
  ],
  [
    'a mark of another release',
    validated,
    patch(validated, { mark: { uid: 'another', revision: 'r2', attempt: 2, direction: 'Forward' } }),
    'the mark does not belong to green',
  ],
  [
    'a switch to a Deployment that was edited',
    { ...validated, green: { revision: 'r2', ready: 3, deployment: { matches: false } } },
    patch(validated, {}),
    'the Deployment of green does not hold revision r2',
  ],
  [
    'a way back to another colour than that of its revision',
    { ...idle, green: { revision: 'r1', ready: 3 } },
    patch(idle, { mark: back(2), rescue: true }),
    'revision r1 was never committed on green',
  ],
  [
    'a way back to what was rejected',
    {
      ...observed,
      revisions: {
        r1: { ...r1, ...(r2RolledBack.rejected && { rejected: r2RolledBack.rejected }) },
        r2: r2Verified,
      },
    },
    patch(observed, { color: 'blue', mark: back(2), rescue: true }),
    'revision r1 is rejected',
  ],
  [
    'a way back to a colour that holds something else',
    { ...observed, blue: { revision: 'r7', ready: 3 } },
    patch(observed, { color: 'blue', mark: back(2), rescue: true }),
    'the Deployment of blue does not hold revision r1',
  ],
  [
    'giving a Service back that is not named',
    { ...idle, ...deleting, source: { replicas: 3 } },
    handBack(idle, { service: 'cart' }),
    'Service cart is not one of this release',
  ],
  [
    'giving production back to the source while the release goes on',
    { ...idle, source: { replicas: 3 } },
    handBack(idle),
    'the source would take over from a release that goes on',
  ],
  [
    'giving production back to a source that is gone',
    { ...idle, ...deleting, source: null },
    handBack(idle),
    'Service checkout has ready endpoints, and the source has none',
  ],
  [
    'giving production back to a source without ready pods',
    { ...idle, ...deleting },
    handBack(idle),
    'Service checkout has ready endpoints, and the source has none',
  ],
  [
    'giving a Service back under a precondition that was not seen',
    { ...idle, ...deleting, source: { replicas: 3 } },
    handBack(idle, { uid: 'another' }),
    'Service checkout is patched under a precondition that was not seen',
  ],
  [
    'giving a Service back with nothing in its selector',
    {
      ...idle,
      ...deleting,
      source: { replicas: 3 },
      service: { selector: { ...LABELLED, 'pod-template-hash': 'abc' } },
    },
    handBack(idle, { from: { ...LABELLED, 'pod-template-hash': 'abc' } }),
    'Service checkout would have an empty selector',
  ],
  [
    'pointing one of the production Services as a preview',
    { ...idle, services: ['till', 'checkout'] },
    { kind: 'PointPreview', service: 'checkout', uid: 'checkout-uid', resourceVersion: '1', color: 'blue' },
    'Service checkout is pointed as a preview, and is production',
  ],
  [
    'a way back to what was never committed',
    { ...observed, revisions: { r1: { ...r2, color: 'blue' }, r2: r2Verified } },
    patch(observed, { color: 'blue', mark: back(2), rescue: true }),
    'revision r1 was never committed on blue',
  ],
  [
    'a way back to pods of which one is of another revision, and ready by its endpoint alone',
    {
      ...observed,
      blue: { revision: 'r1', ready: 3, pods: [{}, { revision: 'r7', ready: false }, {}] },
      service: {
        twins: {
          blue: { ...STANDS, endpoints: endpointsOf([{ uid: 'blue-pod-1', ready: true }]) },
          green: { ...STANDS, endpoints: [] },
        },
      },
    },
    patch(observed, { color: 'blue', mark: back(2), rescue: true }),
    'pod checkout-blue-1 of blue is not of revision r1',
  ],
  [
    'a way back to dead pods',
    { ...observed, blue: { revision: 'r1', ...none } },
    patch(observed, { color: 'blue', mark: back(2), rescue: true }),
    'Service checkout has ready endpoints, and blue has none',
  ],
  [
    'shrinking the side that serves',
    committed,
    scale('green', 3, 2),
    'green serves and would shrink from 3 to 2',
  ],
  [
    'overwriting the side that serves',
    committed,
    write('green', 'r3'),
    'green serves and would be overwritten',
  ],
  [
    'deleting the side that serves',
    { ...committed, release: { deleting: true } },
    remove('green'),
    'green would be deleted while production rests on it',
  ],
  [
    'deleting the side that serves, while none of its pods is ready',
    { ...committed, ...deleting, green: { revision: 'r2', ...none } },
    remove('green'),
    'green would be deleted while production rests on it',
  ],
  [
    'deleting both sides behind a Service that lost its key',
    { ...committed, route: undefined, release: { deleting: true } },
    [remove('blue'), remove('green')],
    'blue and green would be deleted while production rests on it',
  ],
  [
    'shrinking the rollback target',
    committed,
    scale('blue', 3, 0),
    'blue holds the rollback target r1 and would shrink from 3 to 0',
  ],
  [
    'shrinking the rollback target of a colour that another revision had before',
    {
      ...committed,
      mark: `${UID}/r3/3`,
      green: { revision: 'r3', ready: 3 },
      revisions: { r1, r2: r2RolledBack, r3: { ...r2Committed, attempt: 3 } },
    },
    scale('blue', 3, 0),
    'blue holds the rollback target r1 and would shrink from 3 to 0',
  ],
  [
    'overwriting the rollback target with a revision that is not under way',
    { ...committed, revisions: { r1, r2: r2Committed, r3: { ...r2RolledBack, color: 'blue', attempt: 3 } } },
    write('blue', 'r3'),
    'blue holds the rollback target r1 and would be overwritten',
  ],
  [
    'parking the source that a Service rests on',
    fresh,
    park(3, 0),
    'a Service names no colour, and the source would shrink',
  ],
  [
    'deleting the rollback target',
    committed,
    remove('blue'),
    'blue holds the rollback target r1 and would shrink from 3 to 0',
  ],
  [
    'writing the rollback target anew with fewer pods',
    committed,
    write('blue', 'r1', 2),
    'blue holds the rollback target r1 and would shrink from 3 to 2',
  ],
  [
    'overwriting the rollback target with a revision that nobody knows',
    committed,
    write('blue', 'r9'),
    'blue holds the rollback target r1 and would be overwritten',
  ],
  [
    'overwriting the rollback target with a revision of the other colour',
    { ...committed, revisions: { r1, r2: r2Committed, r3: { ...r2, attempt: 3 } } },
    write('blue', 'r3'),
    'blue holds the rollback target r1 and would be overwritten',
  ],
  [
    'shrinking the side that a release under way left',
    observed,
    scale('blue', 3, 0),
    'blue holds the rollback target r1 and would shrink from 3 to 0',
  ],
  [
    'a proof for what was not validated',
    built,
    record('r2', r2, { ...r2, verifiedAt: NOON }),
    'revision r2 would count as switched without having been validated',
  ],
  [
    'a commit on a check that is unknown',
    { ...observed, spec: { observation: { checks } } },
    record('r2', r2Verified, r2Committed),
    'revision r2 would be committed although check errors is not good',
  ],
  [
    'a commit on a check that is good no more',
    { ...watched, observations: measured('Good', 'Unknown') },
    record('r2', r2Verified, r2Committed),
    'revision r2 would be committed although check errors is not good',
  ],
  [
    'a commit on a check that was never measured',
    { ...watched, observations: measured() },
    record('r2', r2Verified, r2Committed),
    'revision r2 would be committed although check errors is not good',
  ],
  [
    'a commit that was ordered of another attempt',
    { ...watched, release: { action: 'promote@1' } },
    record('r2', r2Verified, r2Committed),
    'revision r2 would be committed although check errors is not good',
  ],
  ['facts of a revision that nobody knows', observed, record('r9', r2, r2Verified), 'revision r9 is unknown'],
  [
    'facts over facts that were not seen',
    observed,
    record('r2', r2, r2Verified),
    'the facts of r2 were not the ones seen',
  ],
  [
    'another attempt at rejected content',
    { ...idle, revisions: { r1, r2: r2RolledBack } },
    record('r2', r2RolledBack, { ...r2, attempt: 3 }),
    'the content of revision r2 was rejected and would be tried again',
  ],
  [
    'a new revision of rejected content',
    rolledBack,
    create('v2'),
    'the content of revision r2 was rejected and would be tried again',
  ],
  [
    'another attempt that was ordered of an earlier one',
    { ...rolledBack, release: { action: 'retry@1' } },
    record('r2', r2RolledBack, { ...r2, attempt: 3 }),
    'the content of revision r2 was rejected and would be tried again',
  ],
  [
    'forgetting a revision that the mark names',
    { ...idle, blue: { revision: 'r7', ready: 3 } },
    forget('r1'),
    'revision r1 is in use and would be forgotten',
  ],
  ['forgetting a revision in use', committed, forget('r1'), 'revision r1 is in use and would be forgotten'],
  [
    'letting go of a release that is not being deleted',
    idle,
    { kind: 'RemoveFinalizer' },
    'the finalizer of a release that is not being deleted',
  ],
  [
    'letting go before the rest is done',
    { ...idle, release: { deleting: true } },
    [{ kind: 'RemoveFinalizer' }, { kind: 'ReleaseSource', uid: 'source-uid', serves: true }],
    'the finalizer goes before the rest is done',
  ],
];

const allowed: [string, Picture, Effect][] = [
  ['the switch', validated, patch(validated, {})],
  [
    'a switch to fewer pods where that is asked for',
    { ...validated, spec: { capacity: { candidate: '50%' } }, green: { revision: 'r2', ready: 2 } },
    patch(validated, {}),
  ],
  [
    'a switch to the number of pods asked for',
    { ...validated, spec: { capacity: { candidate: 2 } }, green: { revision: 'r2', ready: 2 } },
    patch(validated, {}),
  ],
  [
    'a switch while pods of another revision still end',
    {
      ...validated,
      green: { revision: 'r2', ready: 3, pods: [{}, {}, {}, { ready: false, revision: 'r7' }] },
    },
    patch(validated, {}),
  ],
  [
    'taking over a side that an earlier release left, beside a revision that was never started',
    { ...idle, mark: undefined, revisions: { r1: undefined } },
    patch(
      { ...idle, mark: undefined },
      { color: 'blue', mark: { uid: UID, revision: 'r1', attempt: 1, direction: 'Forward' } },
    ),
  ],
  [
    'taking over a side that an earlier release left',
    { ...idle, mark: undefined, revisions: {} },
    patch(
      { ...idle, mark: undefined },
      { color: 'blue', mark: { uid: UID, revision: 'r1', attempt: 1, direction: 'Forward' } },
    ),
  ],
  [
    'going back to the source while it has pods',
    { ...idle, source: { replicas: 1 } },
    patch(idle, { color: undefined, mark: undefined }),
  ],
  [
    'a way back once more, whatever has become of its revision',
    { ...returning, revisions: { r1: { ...r1, committedAt: undefined } as never, r2: r2Verified } },
    patch(returning, { color: 'blue', mark: back(2), rescue: true }),
  ],
  [
    'giving production back to the source with the release',
    { ...idle, ...deleting, source: { replicas: 1 } },
    handBack(idle),
  ],
  [
    'giving a dead Service back to a source without pods',
    { ...idle, ...deleting, blue: { revision: 'r1', ...none } },
    handBack(idle),
  ],
  [
    'giving a Service back as it was before the adoption',
    { ...idle, ...deleting },
    handBack(idle, { hash: undefined }),
  ],
  [
    'pointing a preview',
    idle,
    { kind: 'PointPreview', service: 'next', uid: 'next-uid', resourceVersion: '1', color: 'blue' },
  ],
  [
    'fewer pods than the number asked for, while production is dead',
    {
      ...validated,
      spec: { capacity: { candidate: 2 } },
      blue: { revision: 'r1', ...none },
      green: { revision: 'r2', ready: 1 },
    },
    patch(validated, {}),
  ],
  [
    'a switch of a Service whose selector is the colour alone',
    { ...validated, service: { selector: LABELLED } },
    patch(validated, { from: LABELLED }),
  ],
  [
    'a fix while production is dead',
    { ...validated, blue: { revision: 'r1', ...none }, green: { revision: 'r2', ready: 1 } },
    patch(validated, {}),
  ],
  [
    'a way back to a single pod',
    { ...observed, blue: { revision: 'r1', desired: 3, ready: 1 } },
    patch(observed, { color: 'blue', mark: back(2), rescue: true }),
  ],
  [
    'restoring the selector of an active side whose Deployment was edited',
    { ...committed, route: undefined, green: { revision: 'r2', ready: 3, deployment: { matches: false } } },
    patch({ ...committed, route: undefined }, { rescue: true }),
  ],
  [
    'writing a lost mark again while the active side is dead',
    { ...idle, mark: undefined, blue: { revision: 'r1', ...none } },
    patch(
      { ...idle, mark: undefined },
      { color: 'blue', mark: { uid: UID, revision: 'r1', attempt: 1, direction: 'Forward' }, rescue: true },
    ),
  ],
  [
    'writing a lost mark again before the twin has its endpoints',
    { ...idle, mark: undefined, service: { twins: { blue: bare, green: bare } } },
    patch(
      { ...idle, mark: undefined },
      { color: 'blue', mark: { uid: UID, revision: 'r1', attempt: 1, direction: 'Forward' }, rescue: true },
    ),
  ],
  [
    'restoring the selector where nothing is ready anywhere',
    { ...committed, route: 'blue', blue: { revision: 'r1', ...none }, green: { revision: 'r2', ...none } },
    patch({ ...committed, route: 'blue' }, { rescue: true }),
  ],
  ['more pods for a colour whose Deployment is gone', { ...idle, green: {} }, scale('green', 0, 3)],
  [
    'more pods for the other side, where what serves is gone',
    { ...committed, green: {} },
    scale('blue', 3, 4),
  ],
  ['writing the rollback target anew where it is gone', { ...committed, blue: {} }, write('blue', 'r1')],
  [
    'emptying a side that holds what nobody knows',
    { ...committed, blue: { revision: 'r7', ready: 3 } },
    scale('blue', 3, 0),
  ],
  [
    'emptying a side whose revision was rejected since it was kept',
    {
      ...committed,
      revisions: { r1: { ...r1, ...(rejectedAt && { rejected: rejectedAt }) }, r2: r2Committed },
    },
    scale('blue', 3, 0),
  ],
  [
    'emptying a side that holds a revision of the other colour',
    {
      ...committed,
      blue: { revision: 'r3', ready: 3 },
      revisions: { r1, r2: r2Committed, r3: { ...r2Committed, attempt: 3 } },
    },
    scale('blue', 3, 0),
  ],
  [
    'emptying a side beside one of which nobody knows that it had the traffic',
    { ...committed, green: { revision: 'r3', ready: 3 }, revisions: { r1, r3: undefined } },
    scale('blue', 3, 0),
  ],
  [
    'emptying a side beside one that holds a revision of this colour',
    {
      ...committed,
      green: { revision: 'r3', ready: 3 },
      revisions: { r1, r3: { ...r2Committed, color: 'blue', attempt: 3 } },
    },
    scale('blue', 3, 0),
  ],
  [
    'more pods for the rollback target, though fewer than were asked for once',
    {
      ...committed,
      green: { revision: 'r2', ready: 6 },
      revisions: { r1, r2: { ...r2Committed, tooLarge: { since: NOON - HOUR, most: 6 } } },
    },
    scale('blue', 3, 4),
  ],
  [
    'the candidate of a new release in place of what could be gone back to',
    { ...committed, revisions: { r1, r2: r2Committed, r3: { ...r2, color: 'blue', attempt: 3 } } },
    write('blue', 'r3'),
  ],
  [
    'fewer replicas, where a person says so, while the window of the other side is open',
    {
      ...committed,
      spec: { replicas: 2 },
      revisions: { r1: { ...r1, windowUntil: NOON + HOUR }, r2: r2Committed },
    },
    scale('green', 3, 2),
  ],
  ['fewer replicas, where a person says so', { ...committed, spec: { replicas: 2 } }, scale('green', 3, 2)],
  ['the old side going to 0 after its window', { ...committed, now: NOON + 49 * HOUR }, scale('blue', 3, 0)],
  ['the old side at the end of its window', { ...committed, now: NOON + 48 * HOUR }, scale('blue', 3, 0)],
  [
    'the old side before the switch to the other was proven',
    { ...observed, revisions: { r1, r2: r2Validated } },
    scale('blue', 3, 0),
  ],
  ['the same number of pods for the side that serves', committed, scale('green', 3, 3)],
  ['writing the rollback target anew with as many pods', committed, write('blue', 'r1', 3)],
  [
    'writing the rollback target anew with as many pods, though more were asked for once',
    {
      ...committed,
      blue: { revision: 'r1', ready: 3, deployment: { matches: false } },
      revisions: { r1, r2: { ...r2Committed, tooLarge: { since: NOON - HOUR, most: 6 } } },
    },
    write('blue', 'r1', 3),
  ],
  [
    'the colour of what was never kept going to 0',
    { ...committed, revisions: { r1: { ...r2Verified, color: 'blue' }, r2: r2Committed } },
    scale('blue', 3, 0),
  ],
  ['deleting the rollback target with the release', { ...committed, ...deleting }, remove('blue')],
  [
    'deleting half of what a Service without its key rests on',
    { ...committed, ...deleting, route: undefined },
    remove('blue'),
  ],
  [
    'a loser going to 0',
    { ...idle, green: { revision: 'r2', ready: 3 }, revisions: { r1, r2: r2RolledBack } },
    scale('green', 3, 0),
  ],
  ['the candidate of a new release in place of the rollback target', started, write('green', 'r2')],
  [
    'a commit that a person orders on an unknown check',
    { ...observed, spec: { observation: { checks } }, release: { action: 'promote@2' } },
    record('r2', r2Verified, r2Committed),
  ],
  [
    'a commit that a person orders while the mark is lost',
    { ...watched, mark: undefined, release: { action: 'promote@2' } },
    record('r2', r2Verified, r2Committed),
  ],
  [
    'a commit that is ordered of the attempt that the mark of a deleted revision tells',
    { ...watched, mark: `${UID}/r9/5`, release: { action: 'promote@5' } },
    record('r2', r2Verified, r2Committed),
  ],
  ['a way back that is noted on an unknown check', watched, record('r2', r2Verified, r2RolledBack)],
  [
    'an adoption of what was never started',
    { ...watched, revisions: { r1: undefined } },
    { kind: 'RecordFacts', revision: 'r1', expected: undefined, facts: r1 },
  ],
  [
    'facts of what was rejected, in the same attempt',
    rolledBack,
    record('r2', r2RolledBack, { ...r2RolledBack, startUpSeconds: 9 }),
  ],
  [
    'a commit on a check that is good at last',
    { ...watched, observations: measured('Unknown', 'Good') },
    record('r2', r2Verified, r2Committed),
  ],
  [
    'a commit on an unknown check that is not waited for',
    {
      ...observed,
      spec: {
        observation: {
          checks: [{ name: 'errors', onUnknown: 'Ignore', prometheus: { query: 'q', max: '1' } }],
        },
      },
    },
    record('r2', r2Verified, r2Committed),
  ],
  [
    'an adoption, which nothing is measured of',
    watched,
    record('r2', r2Verified, { ...r2Committed, adoption: true }),
  ],
  [
    'facts of what was committed before',
    { ...watched, revisions: { r1, r2: r2Committed } },
    record('r2', r2Committed, { ...r2Committed, startUpSeconds: 9 }),
  ],
  [
    'leaving what gives way to a fix',
    watched,
    record('r2', r2Verified, {
      ...r2Committed,
      ...(r2Kept && { outcome: { ...r2Kept, reason: 'GaveWay' } }),
    }),
  ],
  [
    'a commit that is ordered of the attempt that is shown, which a Job of a deleted revision tells',
    { ...watched, jobs: [{ attempt: 5 }], release: { action: 'promote@5' } },
    record('r2', r2Verified, r2Committed),
  ],
  ['a new revision of other content', rolledBack, create('v3')],
  [
    'a new revision of content that was never started',
    { ...rolledBack, revisions: { r1, r2: r2RolledBack, r3: undefined } },
    create('v3'),
  ],
  ['forgetting a revision while the mark is lost', { ...idle, mark: undefined }, forget('r7')],
  [
    'a new revision of rejected content that a person orders',
    { ...rolledBack, release: { action: 'retry@2' } },
    create('v2'),
  ],
  [
    'a new revision of content that was rejected once, and passed since',
    {
      ...rolledBack,
      contents: { r3: 'v2' },
      revisions: { r1, r2: r2RolledBack, r3: { ...r2Committed, attempt: 3 } },
    },
    create('v2'),
  ],
  ['forgetting a revision that nothing uses', rolledBack, forget('r7')],
  [
    'another attempt that a person orders',
    { ...idle, revisions: { r1, r2: r2RolledBack }, release: { action: 'retry@2' } },
    record('r2', r2RolledBack, { ...r2, attempt: 3 }),
  ],
  ['leaving the source as large as it is, where a Service rests on it', fresh, park(3, 3)],
  ['waking the source that a Service rests on', fresh, park(0, 3)],
  ['parking the source once a colour is named', idle, park(3, 0)],
];

describe('the second opinion refuses', () => {
  for (const [name, picture, effects, sentence] of refused) {
    const sentences = [sentence].flat();
    it(`${name}: ${sentences.join('; ')}`, () => {
      const list = Array.isArray(effects) ? effects : [effects];
      const [first] = world(picture).services;
      const fitted = list.map((effect) =>
        effect.kind === 'PatchSelector' && !name.includes('precondition') && first !== undefined
          ? { ...effect, from: first.selector, expectedMark: first.rawMark }
          : effect,
      );
      expect(violations(world(picture), fitted)).to.deep.equal(sentences);
    });
  }
});

describe('the second opinion lets pass', () => {
  for (const [name, picture, effect] of allowed) {
    it(name, () => {
      expect(violations(world(picture), [effect])).to.deep.equal([]);
    });
  }
});

describe('of several Services the second opinion', () => {
  /** `checkout` as in the picture, `till` with what is different of it. */
  const two = (picture: Picture, till: Picture): Snapshot => {
    const snapshot = world({ ...picture, services: ['checkout', 'till'] });
    const [, other] = world({ ...picture, ...till, services: ['checkout', 'till'] }).services;
    return { ...snapshot, services: [...snapshot.services.slice(0, 1), ...(other ? [other] : [])] };
  };

  it('lets a way back pass that one of them has been ordered already', () => {
    const uncommitted = { r1: { ...r1, committedAt: undefined } as never, r2: r2Verified };
    const again = patch(observed, { color: 'blue', mark: back(2), rescue: true });
    const ordered = two({ ...observed, revisions: uncommitted }, { mark: `${UID}/r1/2/back` });
    expect(violations(ordered, [again])).to.deep.equal([]);
    expect(violations(two({ ...observed, revisions: uncommitted }, {}), [again])).to.deep.equal([
      'revision r1 was never committed on blue',
    ]);
  });

  it('refuses a way back to pods of which the endpoints of one alone say that a stranger is ready', () => {
    const blue = { revision: 'r1', ready: 3, pods: [{}, { revision: 'r7', ready: false }, {}] };
    const told = endpointsOf([{ uid: 'blue-pod-1', ready: true }]);
    const twins = { blue: { ...STANDS, endpoints: told }, green: { ...STANDS, endpoints: [] } };
    const picture = { ...observed, blue };
    const order = patch(picture, { color: 'blue', mark: back(2), rescue: true });
    expect(violations(two(picture, {}), [order])).to.deep.equal([]);
    expect(violations(two(picture, { service: { twins } }), [order])).to.deep.equal([
      'pod checkout-blue-1 of blue is not of revision r1',
    ]);
  });

  it('keeps the rollback target where one of them is gone', () => {
    const gone = two(committed, { service: { found: false, selector: {} } });
    expect(violations(gone, [scale('blue', 3, 0)])).to.deep.equal([
      'blue holds the rollback target r1 and would shrink from 3 to 0',
    ]);
  });

  it('says of a side that one of them names only that it serves', () => {
    expect(violations(two(committed, { route: 'blue' }), [scale('blue', 3, 0)])).to.deep.equal([
      'blue serves and would shrink from 3 to 0',
    ]);
  });

  it('refuses to delete what one of them rests on', () => {
    const dead = two(
      { ...committed, ...deleting, route: undefined, blue: { revision: 'r1', ...none }, source: null },
      { service: { endpoints: [] } },
    );
    expect(violations(dead, [remove('green')])).to.deep.equal([
      'green would be deleted while production rests on it',
    ]);
  });

  it('refuses to park the source where one of them names no colour', () => {
    expect(
      violations(two({ ...idle, source: { replicas: 3 } }, { route: undefined }), [park(3, 0)]),
    ).to.deep.equal(['a Service names no colour, and the source would shrink']);
  });

  it('refuses to forget a revision that the mark of one of them names', () => {
    const named = two(idle, { mark: `${UID}/r7/7` });
    expect(violations(named, [forget('r7')])).to.deep.equal(['revision r7 is in use and would be forgotten']);
  });
});

describe('the second opinion leaves the workloads of a pair to people', () => {
  const shapes: readonly Effect[] = [
    write('green', 'r2'),
    remove('green'),
    { kind: 'LabelColor', color: 'green', uid: 'green-uid', resourceVersion: '1' },
    { kind: 'WriteAutoscaler', color: 'green', minReplicas: 1 },
    { kind: 'RemoveAutoscaler', name: 'checkout', uid: 'hpa' },
    { kind: 'WriteBudget', color: 'green', asks: { minAvailable: 1 } },
    { kind: 'WriteCopy', color: 'green', revision: 'r2', configMap: 'settings', digest: 'a' },
  ];
  const pair: Picture['spec'] = {
    workload: { pair: { blue: { name: 'checkout-b' }, green: { name: 'checkout-g' }, active: 'blue' } },
  };
  for (const effect of shapes)
    it(effect.kind, () => {
      expect(violations(world({ ...idle, spec: pair, pair: {} }), [effect])).to.include(
        `${effect.kind}: the workloads of a pair are written by people alone`,
      );
    });
});
