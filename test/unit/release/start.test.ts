import { expect } from 'chai';
import type { RevisionFacts } from '../../../src/release/facts.ts';
import { rolesOf } from '../../../src/release/roles.ts';
import type { Snapshot } from '../../../src/release/snapshot.ts';
import { judgeInput, notNow, preflightKey, startAttempt, whatChanged } from '../../../src/release/start.ts';
import { fresh, idle, r1, r2 } from './situations.ts';
import { MINUTE, NOON, type Picture, revisionOf, SECOND, specOf, world } from './world.ts';

/** r2 is wished for, and was tried before; r1 serves. */
const tried = (facts: Partial<RevisionFacts>, more: Picture = {}): Snapshot =>
  world({ ...idle, source: { fingerprint: 'v2' }, revisions: { r1, r2: { ...r2, ...facts } }, ...more });

describe('what the API server is asked', () => {
  it('is asked anew for another generation, another wish and another attempt', () => {
    const key = (picture: Picture) => preflightKey(world(picture), rolesOf(world(picture)));
    expect(key(idle)).to.equal('1/v1/1');
    expect(key({ ...idle, source: null, release: { generation: 7 } })).to.equal('7//1');
  });

  const told = (previous: Snapshot['previous'], key?: string): string => {
    const snapshot = world({ ...fresh, previous: { observedGeneration: 1, ...previous } });
    const preflight = key === undefined ? undefined : { key, at: NOON, problems: [] };
    const asking = { ...snapshot, observations: { ...snapshot.observations, preflight } };
    const { phase, reason, message, stalled } = judgeInput(asking, rolesOf(asking)) ?? {};
    return `${phase} ${reason}${stalled ? ', stalled' : ''}: ${message}`;
  };
  const condition = (type: string, reason: string) => ({
    type,
    status: 'True' as const,
    reason,
    message: `it is ${reason}`,
    lastTransitionTime: '2026-06-01T11:00:00Z',
  });
  const ASKING =
    'Idle Preflight: asking the API server and the metric sources whether they accept the release';
  const others = [condition('Reconciling', 'Other')];
  const refusal = {
    phase: 'Stalled' as const,
    conditions: [...others, condition('Stalled', 'WorkloadClaimed')],
  };
  const waiting = {
    phase: 'Adopting' as const,
    conditions: [...others, condition('Ready', 'WaitingForSource')],
  };

  it('is asked by a process that has just begun, which tells on what the one before it told', () => {
    expect(told(refusal)).to.equal('Stalled WorkloadClaimed, stalled: it is WorkloadClaimed');
    expect(told(waiting)).to.equal('Adopting WaitingForSource: it is WaitingForSource');
  });

  it('is asked without a word of before where that was of another generation, or nobody waits', () => {
    for (const previous of [
      {},
      { ...refusal, observedGeneration: 0 },
      { phase: 'Stalled' as const, conditions: others },
      { phase: 'Adopting' as const },
      { phase: 'Adopting' as const, conditions: [condition('Ready', 'BuildingColor')] },
      { ...waiting, phase: 'Preparing' as const },
      { ...refusal, phase: 'Idle' as const },
    ])
      expect(told(previous), JSON.stringify(previous)).to.equal(ASKING);
  });

  it('is asked without a word of before by a process that had an answer to something else', () => {
    expect(told(refusal, 'another')).to.equal(ASKING);
    expect(told(waiting, 'another')).to.equal(ASKING);
  });
});

describe('what has changed', () => {
  const config = (settings: string, flags: string) => ({ configMaps: { settings, flags } });
  const changed = (found: object | undefined, since: object | undefined): string => {
    const snapshot = world({ ...idle, config: { found: found as never } });
    const revision = snapshot.revisions[0];
    return whatChanged(snapshot, revision && since && { ...revision, config: since });
  };

  it('is the config that differs, each by its name, or else the Deployment', () => {
    expect(changed(config('a', 'b'), config('a', 'b'))).to.equal('the Deployment changed');
    expect(changed(config('x', 'b'), config('a', 'b'))).to.equal('ConfigMap "settings" changed');
    expect(changed(config('x', 'y'), config('a', 'b'))).to.equal(
      'ConfigMap "settings" and ConfigMap "flags" changed',
    );
    expect(changed(undefined, undefined)).to.equal('the Deployment changed');
    expect(changed(config('x', 'y'), undefined)).to.equal(
      'ConfigMap "settings" and ConfigMap "flags" changed',
    );
  });
});

describe('an attempt', () => {
  const begun = (snapshot: Snapshot): unknown => {
    const effect = startAttempt(snapshot, rolesOf(snapshot));
    if (effect.kind !== 'RecordFacts' && effect.kind !== 'CreateRevision') return effect.kind;
    return [effect.kind, effect.revision, effect.facts];
  };
  const fresh3 = { color: 'green', attempt: 3, startedAt: NOON };
  const inconclusive = { count: 2, retryAt: NOON - SECOND };

  it('is of the same revision where nothing of it has changed, and keeps counting its failures', () => {
    expect(begun(tried({ inconclusive }))).to.deep.equal(['RecordFacts', 'r2', { ...fresh3, inconclusive }]);
  });

  it('is of another revision where the release says something else of the same content, and keeps counting as well', () => {
    const spec = { historyLimit: 3 };
    const frozen = specOf();
    const changed = (facts: RevisionFacts | undefined): Snapshot => {
      const snapshot = tried({}, { spec });
      const [first] = snapshot.revisions;
      return { ...snapshot, revisions: [...(first ? [first] : []), revisionOf('r2', facts, 'v2', frozen)] };
    };
    expect(begun(changed({ ...r2, inconclusive }))).to.deep.equal([
      'CreateRevision',
      'r3',
      { ...fresh3, inconclusive },
    ]);
    expect(begun(changed(r2))).to.deep.equal(['CreateRevision', 'r3', fresh3]);
    expect(begun(changed(undefined))).to.deep.equal(['CreateRevision', 'r3', { ...fresh3, attempt: 2 }]);
  });

  it('is on blue where nothing has the traffic yet', () => {
    const snapshot = world(fresh);
    expect(startAttempt(snapshot, rolesOf(snapshot))).to.deep.include({
      facts: { ...fresh3, color: 'blue', attempt: 1 },
    });
  });

  it('of a pair is of the same revision whichever side people wish for, and of another one on another workload', () => {
    const pair = (active: 'blue' | 'green', name = 'app-green') => ({
      workload: { pair: { active, blue: { name: 'app-blue' }, green: { name } } },
    });
    const of = (frozen: object): unknown => {
      const picture: Picture = { ...idle, source: null, spec: pair('green'), pair: {} };
      const snapshot = world({ ...picture, green: { revision: 'r2', ready: 3 } });
      const [first] = snapshot.revisions;
      const revisions = [
        ...(first ? [first] : []),
        revisionOf('r2', r2, 'v2', specOf({ deploymentRef: undefined, ...frozen } as never)),
      ];
      return (begun({ ...snapshot, revisions }) as unknown[]).slice(0, 2);
    };
    expect(of(pair('blue'))).to.deep.equal(['RecordFacts', 'r2']);
    expect(of(pair('green', 'app-other'))).to.deep.equal(['CreateRevision', 'r3']);
  });
});

describe('what is wished for and does not start', () => {
  const why = (facts: Partial<RevisionFacts>): string => {
    const snapshot = tried(facts);
    const { phase, reason, message } = notNow(snapshot, rolesOf(snapshot)) ?? {};
    return `${phase} ${reason}: ${message}`;
  };
  const rejected = { at: NOON, reason: 'CheckFailed', message: 'too many errors' };
  const said =
    'RevisionRejected: revision r2 was rejected and is not tried again by itself (too many errors); change the Deployment, or annotate bluegreen.dev/action=retry@2';

  it('was rejected, before it had the traffic or after', () => {
    const outcome = { at: NOON, reason: 'CheckFailed', message: 'too many errors' };
    expect(why({ rejected, outcome: { ...outcome, kind: 'RolledBack' } })).to.equal(`RolledBack ${said}`);
    expect(why({ rejected, outcome: { ...outcome, kind: 'Failed' } })).to.equal(`Failed ${said}`);
    expect(why({ rejected })).to.equal(`Failed ${said}`);
  });

  it('is tried again later, and says why and when', () => {
    const inconclusive = { count: 1, retryAt: NOON + MINUTE };
    const outcome = {
      kind: 'Inconclusive' as const,
      at: NOON,
      reason: 'Quota',
      message: 'the quota is used up',
    };
    expect(why({ inconclusive, outcome })).to.equal(
      'Failed Quota: the quota is used up; trying revision r2 again at 2026-06-01T12:01:00Z',
    );
    expect(why({ inconclusive })).to.equal(
      'Failed Inconclusive: the last attempt was inconclusive; trying revision r2 again at 2026-06-01T12:01:00Z',
    );
  });

  it('is nothing where it may start', () => {
    const snapshot = tried({ inconclusive: { count: 1, retryAt: NOON } });
    expect(notNow(snapshot, rolesOf(snapshot))).to.equal(undefined);
  });
});
