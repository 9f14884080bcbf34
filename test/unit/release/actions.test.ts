import { expect } from 'chai';
import { act, unheard, waitingOrder } from '../../../src/release/actions.ts';
import type { RevisionFacts } from '../../../src/release/facts.ts';
import { rolesOf } from '../../../src/release/roles.ts';
import { decided } from './decided.ts';
import { committed, idle, observed, r2RolledBack, rolledBack, switched, validated } from './situations.ts';
import { HOUR, MINUTE, NOON, type Picture, UID, world } from './world.ts';

const ordered = (picture: Picture, action: string): string | undefined => {
  const snapshot = world({ ...picture, release: { action } });
  return act(snapshot, rolesOf(snapshot))?.message;
};

describe('a rollback that people order', () => {
  const kept = (color: 'blue' | 'green', attempt: number): RevisionFacts => ({
    color,
    attempt,
    startedAt: NOON - HOUR,
    validatedAt: NOON - HOUR,
    verifiedAt: NOON - HOUR,
    verifiedReady: 3,
    committedAt: NOON - HOUR,
    windowUntil: NOON + HOUR,
    outcome: { kind: 'Committed', at: NOON - HOUR, reason: 'Committed', message: 'kept' },
  });
  const outcome = { at: NOON - MINUTE, reason: 'Requested', message: 'm' };
  const lost: RevisionFacts = { ...kept('green', 3), outcome: { kind: 'RolledBack', ...outcome } };
  const failed: RevisionFacts = {
    color: 'green',
    attempt: 4,
    startedAt: NOON - MINUTE + 1,
    outcome: { kind: 'Failed', ...outcome },
  };
  /** r2 serves, and r1 stands by. */
  const once: Picture = {
    route: 'blue',
    mark: `${UID}/r2/2`,
    blue: { revision: 'r2', ready: 3 },
    green: { revision: 'r1', ready: 3 },
    revisions: { r1: kept('green', 1), r2: kept('blue', 2), r9: undefined },
    source: { fingerprint: 'v2' },
  };
  /** The traffic came back to r2 from r3. */
  const back: Picture = {
    ...once,
    mark: `${UID}/r2/3/back`,
    revisions: { ...once.revisions, r3: lost },
  };
  const done =
    'a rollback of revision r2 was requested by annotation; putting the traffic back to green (revision r1)';

  it('is carried out', () => expect(ordered(once, 'rollback@2')).to.equal(done));

  it('is carried out where another process had begun the same attempt as well', () => {
    const begun: RevisionFacts = { color: 'blue', attempt: 2, startedAt: NOON - HOUR };
    const twice: Picture = {
      ...once,
      mark: `${UID}/r3/2`,
      blue: { revision: 'r3', ready: 3 },
      revisions: { r1: kept('green', 1), r2: begun, r3: kept('blue', 2) },
      source: { fingerprint: 'v3' },
    };
    expect(ordered(twice, 'rollback@2')).to.equal(done.replace('revision r2', 'revision r3'));
  });

  it('is carried out once: the side that it led to may be able to go back as well', () => {
    expect(ordered(back, 'rollback@3'), 'the mark says it').to.equal(undefined);
    expect(ordered({ ...back, mark: undefined }, 'rollback@3'), 'the facts say it').to.equal(undefined);
    const forgotten = { ...back, ...(once.revisions && { revisions: once.revisions }) };
    expect(ordered(forgotten, 'rollback@3'), 'the mark says it alone').to.equal(undefined);
  });

  it('is carried out of a later attempt', () => {
    const later = { ...back, revisions: { ...back.revisions, r4: failed } };
    for (const picture of [later, { ...later, mark: undefined }])
      expect(ordered(picture, 'rollback@4')).to.equal(done);
    const sooner = { ...failed, startedAt: NOON - MINUTE };
    expect(ordered({ ...later, revisions: { ...later.revisions, r4: sooner } }, 'rollback@4')).to.equal(
      undefined,
    );
  });

  it('is answered where nothing can be gone back to, and only there', () => {
    const answer = (picture: Picture, action: string): string => {
      const snapshot = world({ ...picture, release: { action } });
      return unheard(snapshot, rolesOf(snapshot));
    };
    expect(answer(idle, 'rollback@1')).to.equal(
      '; rollback@1 is not possible: no earlier revision stands by inside a rollback window',
    );
    expect(answer(committed, 'rollback@2')).to.equal('');
    expect(answer(idle, 'retry@1')).to.equal('');
  });
});

describe('a promotion that people order', () => {
  const answer = (picture: Picture): string => {
    const snapshot = world({ ...picture, release: { action: 'promote@2' } });
    return waitingOrder(snapshot, rolesOf(snapshot));
  };
  it('is told of while it waits for its stage', () => {
    const waits = '; promote@2 waits until the traffic has moved, and then commits without a watch';
    expect([validated, switched, observed, committed].map(answer)).to.deep.equal([waits, waits, '', '']);
  });
});

describe('another attempt that people order', () => {
  it('is none where nobody knows of what: that it is gone is told anyway', () => {
    const gone = { ...idle, source: null };
    expect(ordered(gone, 'retry@1')).to.equal(undefined);
    expect(decided({ ...gone, release: { action: 'retry@1' } }).reason).to.equal('WorkloadNotFound');
  });

  it('is none where nobody knows what serves: that it is lost is told anyway', () => {
    const lost = { ...rolledBack, revisions: { r2: r2RolledBack } };
    expect(ordered(lost, 'retry@2')).to.equal(undefined);
    expect(decided({ ...lost, release: { action: 'retry@2' } }).reason).to.equal('RevisionsLost');
  });

  it('is none of what serves, or stands by', () => {
    expect(ordered(idle, 'retry@1')).to.equal(undefined);
    expect(ordered({ ...committed, source: { fingerprint: 'v1' } }, 'retry@2')).to.equal(undefined);
    expect(ordered({ ...idle, source: { fingerprint: 'v2' } }, 'retry@1')).to.equal(
      'attempt 2 was requested by annotation',
    );
  });
});
