import { expect } from 'chai';
import type { RevisionFacts } from '../../../src/release/facts.ts';
import { formatFacts } from '../../../src/release/facts.ts';
import { violations } from '../../../src/release/invariants.ts';
import type { Effect } from '../../../src/release/plan.ts';
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
  started,
  validated,
} from './situations.ts';
import { HOUR, NOON, type Picture, UID, world } from './world.ts';

type Patch = Extract<Effect, { kind: 'PatchSelector' }>;

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
const remove = (color: 'blue' | 'green'): Effect => ({ kind: 'DeleteColor', color, uid: `${color}-uid` });

const none = { desired: 3, ready: 0 };
const checks = [{ name: 'errors', prometheus: { query: 'q', max: '1' } }];

const refused: [string, Picture, Effect | Effect[], string][] = [
  [
    'a switch to a side without ready pods',
    { ...validated, green: { revision: 'r2', ...none } },
    patch(validated, {}),
    'Service checkout has ready endpoints, and green has none',
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
    'a way back to what was never committed',
    { ...observed, revisions: { r1: { ...r2, color: 'blue' }, r2: r2Verified } },
    patch(observed, { color: 'blue', mark: back(2), rescue: true }),
    'revision r1 was never committed on blue',
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
    'overwriting the rollback target with a revision that is not under way',
    { ...committed, revisions: { r1, r2: r2Committed, r3: { ...r2RolledBack, color: 'blue', attempt: 3 } } },
    write('blue', 'r3'),
    'blue holds the rollback target r1 and would be overwritten',
  ],
  [
    'parking the source that a Service rests on',
    fresh,
    { kind: 'ScaleSource', uid: 'source-uid', from: 3, to: 0, at: NOON },
    'a Service names no colour, and the source would shrink',
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
    'forgetting a revision in use',
    committed,
    { kind: 'DeleteRevision', revision: 'r1' },
    'revision r1 is in use and would be forgotten',
  ],
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
  ['fewer replicas, where a person says so', { ...committed, spec: { replicas: 2 } }, scale('green', 3, 2)],
  ['the old side going to 0 after its window', { ...committed, now: NOON + 49 * HOUR }, scale('blue', 3, 0)],
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
    'another attempt that a person orders',
    { ...idle, revisions: { r1, r2: r2RolledBack }, release: { action: 'retry@2' } },
    record('r2', r2RolledBack, { ...r2, attempt: 3 }),
  ],
  [
    'parking the source once a colour is named',
    idle,
    { kind: 'ScaleSource', uid: 'source-uid', from: 3, to: 0, at: NOON },
  ],
];

describe('the second opinion refuses', () => {
  for (const [name, picture, effects, sentence] of refused) {
    it(`${name}: ${sentence}`, () => {
      const list = Array.isArray(effects) ? effects : [effects];
      const [first] = world(picture).services;
      const fitted = list.map((effect) =>
        effect.kind === 'PatchSelector' && !name.includes('precondition') && first !== undefined
          ? { ...effect, from: first.selector, expectedMark: first.rawMark }
          : effect,
      );
      expect(violations(world(picture), fitted)).to.include(sentence);
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
