import { expect } from 'chai';
import type { Measurement } from '../../../src/analysis/measurement.ts';
import { sideDrainedAt } from '../../../src/release/drain.ts';
import { rolesOf } from '../../../src/release/roles.ts';
import type { ScrapeSeen } from '../../../src/release/snapshot.ts';
import { decided, decidedOn, effectOf } from './decided.ts';
import {
  ADOPTED_AT,
  BACK_1,
  committed,
  idle,
  observed,
  r1,
  r2,
  r2Committed,
  r2Verified,
} from './situations.ts';
import { MINUTE, NOON, type Picture, SECOND, world } from './world.ts';

const until = { prometheus: { query: 'sum(in_flight{color="$(BLUEGREEN_COLOR)"})' } };
const drain = { until, timeoutSeconds: 120 };
const spec = { traffic: { services: [{ name: 'checkout' }], drainSeconds: 30, drain } };
const old = { createdAt: ADOPTED_AT };
const blue = { revision: 'r1', ready: 3, pods: [old, old, old] };
const verifiedAt = NOON - 5 * SECOND;
const drained = verifiedAt + 30 * SECOND;

const seen = (verdict: Measurement['verdict'], at: number): NonNullable<Picture['observations']> => ({
  measurements: { 'traffic.drain.until': [{ at, verdict, reason: 'NoData', message: 'm' }] },
});
const picture = (now: number, observations: NonNullable<Picture['observations']> = {}): Picture => ({
  ...observed,
  now,
  spec,
  blue,
  observations,
});

describe('an old side that is drained when it is idle', () => {
  it('is not asked before drainSeconds are over', () => {
    const { plan } = decided(picture(NOON));
    expect([plan.requests, plan.lookAgainAt]).to.deep.equal([[], drained]);
  });

  it('is not asked about after an adoption, where it was the source', () => {
    const { plan } = decided({ ...idle, spec, now: ADOPTED_AT + 40 * SECOND });
    expect(plan.requests).to.deep.equal([]);
  });

  it('is not waited for after an adoption where a candidate failed on the other colour', () => {
    const now = ADOPTED_AT + 40 * SECOND;
    const failed = { kind: 'Failed' as const, at: now - SECOND, reason: 'GateFailed', message: 'm' };
    const green = { revision: 'r2', ready: 0, desired: 0 };
    const r3 = { ...r2, attempt: 3, startedAt: now };
    const revisions = { r1, r2: { ...r2, outcome: failed }, r3 };
    const { reason, plan } = decided({ ...idle, spec, now, green, source: { fingerprint: 'v3' }, revisions });
    expect([reason, plan.requests]).to.deep.equal(['BuildingCandidate', []]);
  });

  it('is asked then, for its own colour and revision', () => {
    const { effects, plan } = decided(picture(drained));
    expect([effects, plan.lookAgainAt]).to.deep.equal([[], drained + 5 * SECOND]);
    const check = {
      name: 'traffic.drain.until',
      intervalSeconds: 5,
      failureLimit: 1,
      onUnknown: 'Hold',
      prometheus: { source: 'default', ...until.prometheus, max: '0' },
    };
    expect(plan.requests).to.deep.equal([
      { kind: 'Measure', check, revision: 'r1', attempt: 2, color: 'blue' },
    ]);
  });

  it('is not asked about where its Deployment is gone', () => {
    const { plan } = decided({ ...picture(drained), blue: {} });
    expect(plan.requests).to.deep.equal([]);
  });

  it('is asked every five seconds while it is busy, or nobody knows', () => {
    for (const verdict of ['Bad', 'Unknown'] as const) {
      const early = decided(picture(drained + 4 * SECOND, seen(verdict, drained)));
      expect([early.effects, early.plan.requests, early.plan.lookAgainAt]).to.deep.equal([
        [],
        [],
        drained + 5 * SECOND,
      ]);
      const unknown = verdict === 'Unknown' ? '; whether blue is idle is unknown: m' : '';
      const { message } = decided(picture(verifiedAt + 29 * SECOND));
      expect(early.message).to.equal(`${message}${unknown}`);
      const due = decided(picture(drained + 5 * SECOND, seen(verdict, drained)));
      expect([due.effects, due.plan.requests.length]).to.deep.equal([[], 1]);
    }
  });

  it('is recorded when it is, and then its pods are replaced', () => {
    const idle = decided(picture(drained + SECOND, seen('Good', drained)));
    expect([idle.reason, idle.effects]).to.deep.equal(['OldSideIdle', ['RecordFacts r2']]);
    expect(idle.message).to.equal('blue is idle: connections made before the switch need it no more');
    expect(effectOf(idle, 'RecordFacts').facts).to.deep.equal({ ...r2Verified, drainedAt: drained + SECOND });
    const known = { r1, r2: { ...r2Verified, drainedAt: drained + SECOND } };
    const { effects, plan } = decided({ ...picture(drained + SECOND), revisions: known });
    expect([effects, plan.requests]).to.deep.equal([['ScaleColor blue 3 -> 4'], []]);
  });

  it('is recorded after what is more urgent', () => {
    const now = drained + SECOND;
    const resting = { ...committed, now, spec, blue, observations: seen('Good', drained) };
    const { reason, effects } = decided({ ...resting, source: { fingerprint: 'v3' } });
    expect([reason, effects]).to.deep.equal(['ReleaseStarted', ['CreateRevision r3 from source']]);
    expect(decided({ ...resting, source: { fingerprint: 'v2' } }).reason).to.equal('OldSideIdle');
  });

  it('counts as drained after timeoutSeconds, whatever the metrics say, and is asked no more', () => {
    const late = verifiedAt + 120 * SECOND;
    for (const observations of [{}, seen('Bad', late - SECOND), seen('Unknown', late - SECOND)]) {
      const { effects, plan } = decided(picture(late, observations));
      expect([effects, plan.requests]).to.deep.equal([['ScaleColor blue 3 -> 4'], []]);
    }
  });

  it('an answer from before drainSeconds were over says nothing', () => {
    expect(decided(picture(drained + SECOND, seen('Good', drained - SECOND))).effects).to.deep.equal([]);
  });

  it('is asked after the commit too, and before the next candidate takes its place', () => {
    const now = drained + SECOND;
    const inWindow = { ...committed, now, spec, blue, revisions: { r1, r2: r2Committed } };
    expect(decided(inWindow).plan.requests.map(({ kind }) => kind)).to.deep.equal(['Measure']);
    const r3 = { ...r2, color: 'blue' as const, attempt: 3, startedAt: NOON };
    const next = { ...inWindow, source: { fingerprint: 'v3' }, revisions: { r1, r2: r2Committed, r3 } };
    const waiting = decided(next);
    expect([waiting.reason, waiting.plan.requests.length]).to.deep.equal(['Draining', 1]);
    expect(decided({ ...next, observations: seen('Good', drained) }).reason).to.equal('OldSideIdle');
    const later = { ...next, now: NOON + 3 * MINUTE };
    expect(decided(later).reason).to.equal('BuildingCandidate');
  });
});

describe('an old side that is drained when its pods count no more requests', () => {
  const podMetrics = { counter: 'http_requests_total', idleSeconds: 20 };
  const byPods = { ...spec.traffic, drain: { until: { podMetrics }, timeoutSeconds: 120 } };
  const scraped = (now: number, ...seen: (ScrapeSeen | undefined)[]): Picture => ({
    ...observed,
    now,
    spec: { traffic: byPods },
    blue,
    observations: {
      scrapes: Object.fromEntries(seen.flatMap((each, index) => (each ? [[`blue-pod-${index}`, each]] : []))),
    },
  });
  const asked = (picture: Picture): string[] =>
    decided(picture).plan.requests.flatMap((one) => (one.kind === 'Scrape' ? [one.pod] : []));
  const idleAt = (at: number): ScrapeSeen => ({ at, unchangedSince: at - 20 * SECOND });
  const end = drained + 20 * SECOND;

  it('asks each pod of that side when drainSeconds are over, and again after half of idleSeconds', () => {
    expect(decided(scraped(drained - 1)).plan.requests).to.deep.equal([]);
    const { plan } = decided(scraped(drained));
    expect(plan.requests[0]).to.deep.equal({
      kind: 'Scrape',
      revision: 'r1',
      attempt: 2,
      color: 'blue',
      pod: 'checkout-blue-0',
      uid: 'blue-pod-0',
      asked: { path: '/metrics', ...podMetrics },
    });
    expect([plan.requests.length, plan.lookAgainAt]).to.deep.equal([3, drained + 10 * SECOND]);
    const fresh = { at: drained, unchangedSince: drained };
    const known = scraped(drained + 9 * SECOND, fresh, fresh, { ...fresh, at: drained - 1 });
    expect(asked(known)).to.deep.equal([]);
    expect(decided(known).plan.lookAgainAt).to.equal(drained + 10 * SECOND - 1);
    expect(asked({ ...known, now: drained + 10 * SECOND })).to.have.length(3);
  });

  it('is idle when every pod has said the same for idleSeconds', () => {
    const { reason, effects, message } = decided(scraped(end, idleAt(end), idleAt(end), idleAt(end)));
    expect([reason, effects]).to.deep.equal(['OldSideIdle', ['RecordFacts r2']]);
    expect(message).to.equal('blue is idle: connections made before the switch need it no more');
  });

  const busy: Readonly<Record<string, ScrapeSeen | undefined>> = {
    'has not been asked': undefined,
    'counted a request a moment ago': { at: end, unchangedSince: end - 20 * SECOND + 1 },
    'was heard once': { at: end, unchangedSince: end },
    'said so before drainSeconds were over': { at: end, unchangedSince: drained - 1 },
    'does not answer': { at: end, trouble: 'ECONNREFUSED' },
  };
  for (const [what, seen] of Object.entries(busy))
    it(`is not while one of them ${what}`, () => {
      const { effects } = decided(scraped(end, idleAt(end), seen, idleAt(end)));
      expect(effects).to.deep.equal([]);
    });

  it('is not by what one of them said half of idleSeconds ago: it is asked again', () => {
    const now = end + 10 * SECOND;
    const picture = scraped(now, idleAt(now), idleAt(end), idleAt(now));
    expect([decided(picture).effects, asked(picture)]).to.deep.equal([[], ['checkout-blue-1']]);
  });

  it('says which pod does not answer, and why', () => {
    const { message } = decided(scraped(end, idleAt(end), { at: end, trouble: 'ECONNREFUSED' }));
    expect(message).to.match(/; whether blue is idle is unknown: pod checkout-blue-1: ECONNREFUSED$/);
  });

  it('says it of the first by name, in whatever order they are listed', () => {
    const silent = { at: end, trouble: 'ECONNREFUSED' };
    const pods = ['c', 'b', 'a'].map((name) => ({ ...old, name }));
    const { message } = decided({ ...scraped(end, silent, silent, silent), blue: { ...blue, pods } });
    expect(message).to.match(/; whether blue is idle is unknown: pod a: ECONNREFUSED$/);
  });

  it('asks nothing of a pod that is younger than the switch: it never had traffic', () => {
    const young = { createdAt: verifiedAt + 5 * SECOND };
    const justBefore = { createdAt: verifiedAt + 5 * SECOND - 1 };
    const picture = scraped(end, idleAt(end));
    const side = { ...blue, pods: [old, young, young] };
    expect(decided({ ...picture, blue: side }).effects).to.deep.equal(['RecordFacts r2']);
    expect(asked({ ...scraped(end), blue: side })).to.deep.equal(['checkout-blue-0']);
    const last = { ...blue, pods: [old, justBefore, young] };
    expect(asked({ ...scraped(end), blue: last })).to.deep.equal(['checkout-blue-0', 'checkout-blue-1']);
  });

  it('asks sixteen pods at once, first those that were never asked or not for the longest time', () => {
    const answers = Array.from({ length: 20 }, (_, pod) =>
      pod === 19 ? undefined : { at: drained + pod * 500, trouble: 'ECONNREFUSED' },
    );
    const many = { revision: 'r1', ready: 20, pods: answers.map(() => old) };
    const names = asked({ ...scraped(end, ...answers), blue: many });
    const longestAgo = Array.from({ length: 15 }, (_, pod) => `checkout-blue-${pod}`);
    expect(names).to.deep.equal(['checkout-blue-19', ...longestAgo]);
  });

  it('counts as drained after timeoutSeconds, whatever the pods say', () => {
    const late = verifiedAt + 120 * SECOND;
    const silent = { at: late, trouble: 'ECONNREFUSED' };
    for (const seen of [undefined, silent, { at: late, unchangedSince: late }])
      expect(decided(scraped(late, seen)).effects).to.deep.equal(['ScaleColor blue 3 -> 4']);
  });
});

describe('a side to which another process went back, after a commit that it had not seen', () => {
  const decidedAt = NOON - 2 * MINUTE;
  const kept = { ...r2Committed, decidedAt, verifiedAt: decidedAt + SECOND, windowUntil: NOON - MINUTE };
  const picture: Picture = { ...committed, revisions: { r1, r2: kept }, blue };
  const wentBack: Picture = { ...picture, route: 'blue', mark: BACK_1, switchedAt: NOON - 6 * SECOND };
  const undone: Picture = { ...picture, switchedAt: NOON };

  it('loses the traffic again, and when is written down', () => {
    const seen = decided(wentBack);
    const { color, mark, decidedAt } = effectOf(seen, 'PatchSelector');
    expect([seen.reason, color, mark?.revision, decidedAt]).to.deep.equal([
      'SelectorRestored',
      'green',
      'r2',
      NOON,
    ]);
  });

  it('also where another Service stayed: what that one says is the time of the switch', () => {
    const snapshot = world({ ...wentBack, services: ['checkout', 'till'] });
    const [till] = world({ ...picture, services: ['till'], switchedAt: decidedAt }).services;
    const services = snapshot.services.map((each) => (each.name === 'till' && till ? till : each));
    expect(effectOf(decidedOn({ ...snapshot, services }), 'PatchSelector').decidedAt).to.equal(NOON);
  });

  it('keeps its pods until drainSeconds are over from then, when the proxies of all nodes have followed', () => {
    const { effects, plan } = decided(undone);
    expect([effects, plan.lookAgainAt]).to.deep.equal([[], NOON + 35 * SECOND]);
    const later = decided({ ...undone, now: NOON + 35 * SECOND });
    expect(later.effects).to.deep.equal(['ScaleColor blue 3 -> 0']);
  });

  it('and is no place for the next candidate before', () => {
    const r3 = { ...r2, color: 'blue' as const, attempt: 3, startedAt: NOON };
    const next = { ...undone, source: { fingerprint: 'v3' }, revisions: { r1, r2: kept, r3 } };
    expect(decided(next).reason).to.equal('Draining');
    expect(decided({ ...next, now: NOON + 35 * SECOND }).reason).to.equal('BuildingCandidate');
  });

  it('nor are its pods replaced before', () => {
    const open = { ...kept, windowUntil: NOON + MINUTE };
    const inWindow = { ...undone, revisions: { r1, r2: open } };
    const { effects, plan } = decided(inWindow);
    expect([effects, plan.lookAgainAt]).to.deep.equal([[], NOON + 35 * SECOND]);
    expect(decided({ ...inWindow, now: NOON + 35 * SECOND }).effects).to.deep.equal([
      'ScaleColor blue 3 -> 4',
    ]);
  });

  it('while a writer that takes the selector and the mark away drains nothing, however often', () => {
    const astray = { ...picture, route: 'blue' as const, mark: undefined };
    expect(effectOf(decided(astray), 'PatchSelector').decidedAt).to.equal(decidedAt);
  });
});

describe('when the side without traffic may be emptied or built anew', () => {
  const lostAt = NOON + MINUTE;
  const lost = { kind: 'RolledBack' as const, at: lostAt, reason: 'Requested', message: 'm' };
  const r3 = {
    ...r2,
    color: 'blue' as const,
    attempt: 3,
    validatedAt: NOON,
    verifiedAt: NOON,
    outcome: lost,
  };
  const drainedAfter = (revisions: NonNullable<Picture['revisions']>, switchedAt = verifiedAt): number => {
    const drainSeconds = { traffic: { services: [{ name: 'checkout' }], drainSeconds: 30 } };
    const snapshot = world({ ...committed, spec: drainSeconds, switchedAt, revisions });
    const { active } = rolesOf(snapshot);
    if (active?.name !== 'r2') throw new Error('r2 does not serve');
    return sideDrainedAt(snapshot, active);
  };

  it('is drainSeconds after the proof that the other side has the traffic', () => {
    expect(drainedAfter({ r1, r2: r2Committed, r3: undefined })).to.equal(verifiedAt + 30 * SECOND);
  });

  it('is drainSeconds after it lost the traffic on a way back since', () => {
    expect(drainedAfter({ r1, r2: r2Committed, r3 })).to.equal(lostAt + 30 * SECOND);
  });

  it('is when the proxies have followed, where what it had was rejected', () => {
    const rejected = { at: lostAt, reason: 'CheckFailed', message: 'm' };
    expect(drainedAfter({ r1, r2: r2Committed, r3: { ...r3, rejected } })).to.equal(lostAt + 5 * SECOND);
  });

  it('does not depend on what the side that serves once lost', () => {
    const other = { ...r3, color: 'green' as const };
    expect(drainedAfter({ r1, r2: r2Committed, r3: other })).to.equal(verifiedAt + 30 * SECOND);
  });

  it('is both after an order that was undone since, which nothing proves', () => {
    const undoneAt = lostAt + MINUTE;
    expect(drainedAfter({ r1, r2: r2Committed, r3 }, undoneAt)).to.equal(undoneAt + 35 * SECOND);
    expect(drainedAfter({ r1, r2: r2Committed, r3 }, lostAt)).to.equal(lostAt + 30 * SECOND);
  });
});
