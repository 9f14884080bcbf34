import { expect } from 'chai';
import { explainsMarks, rolesOf } from '../../../src/release/roles.ts';
import { type Decided, decided, decidedOn } from './decided.ts';
import {
  BACK_1,
  built,
  committed,
  FORWARD_1,
  FORWARD_2,
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
  SITUATIONS,
  switched,
} from './situations.ts';
import { editServices, HOUR, LABEL, MINUTE, NOON, type Picture, SECOND, UID, world } from './world.ts';

const of = (picture: Picture): (string | undefined)[] => {
  const { stage, active, subject, target } = rolesOf(world(picture));
  return [stage, active?.name, subject?.name, target?.name];
};

describe('roles are derived from the Services and the revisions', () => {
  const table: Record<string, (string | undefined)[]> = {
    fresh: ['Unadopted', undefined, undefined, undefined],
    idle: ['Resting', 'r1', 'r1', undefined],
    started: ['Preparing', 'r1', 'r2', undefined],
    built: ['Preparing', 'r1', 'r2', undefined],
    validated: ['Preparing', 'r1', 'r2', undefined],
    switched: ['Switching', 'r2', 'r2', 'r1'],
    observed: ['Observing', 'r2', 'r2', 'r1'],
    committed: ['Resting', 'r2', 'r2', 'r1'],
    returning: ['Returning', 'r1', 'r2', undefined],
    rolledBack: ['Resting', 'r1', 'r2', undefined],
  };
  for (const [name, picture] of Object.entries(SITUATIONS)) {
    it(`${name}: ${table[name]?.map(String).join(', ')}`, () => {
      expect(of(picture)).to.deep.equal(table[name]);
    });
  }

  it('the window closes the way back', () => {
    expect(of({ ...committed, now: NOON + 48 * HOUR })).to.deep.equal(['Resting', 'r2', 'r2', undefined]);
  });

  for (const [name, active] of Object.entries({
    idle: 'r1',
    started: 'r1',
    validated: 'r1',
    observed: 'r2',
    committed: 'r2',
    rolledBack: 'r1',
  })) {
    it(`${name}: without any annotation the facts still say that ${active} is active`, () => {
      expect(of({ ...SITUATIONS[name], mark: undefined })[1]).to.equal(active);
    });
  }

  it('nothing begins anew where the revision that serves was deleted, however the latest attempt ended', () => {
    const ended = (kind: 'Failed' | 'Superseded', facts: typeof r2): unknown => {
      const outcome = { kind, at: NOON, reason: kind, message: '' };
      const revisions = { r2: { ...facts, outcome } };
      const { reason, effects } = decided({ ...built, revisions });
      return [...of({ ...built, revisions }).slice(0, 2), reason, effects];
    };
    const lost = ['Resting', undefined, 'RevisionsLost', []];
    expect(ended('Failed', r2)).to.deep.equal(lost);
    expect(ended('Superseded', r2)).to.deep.equal(lost);
    expect(ended('Failed', { ...r2, adoption: true })).to.deep.equal(lost);
  });

  it('a revision that failed when it was tried again is not active because it once was committed', () => {
    const again = { ...r2, attempt: 3, committedAt: NOON - HOUR };
    const outcome = { kind: 'Failed' as const, at: NOON, reason: 'GateFailed', message: '' };
    const picture = {
      ...idle,
      mark: undefined,
      revisions: { r1: { ...r1, committedAt: NOON - 2 * HOUR }, r2: { ...again, outcome } },
    };
    expect(of(picture)[1]).to.equal('r1');
  });
});

describe('a mark that somebody wrote into a Service is not taken for progress', () => {
  const putBack = ['PatchSelector checkout -> blue'];

  it('for a candidate that is not validated', () => {
    const forged = { ...switched, revisions: { r1, r2 } };
    const { reason, effects } = decided(forged);
    expect([reason, effects]).to.deep.equal(['SelectorRestored', putBack]);
  });

  it('for a candidate validated in an earlier attempt', () => {
    const forged = { ...switched, revisions: { r1, r2: { ...r2Validated, attempt: 3 } } };
    expect(decided(forged).effects).to.deep.equal(putBack);
  });

  it('for a candidate that was validated and then given up', () => {
    const outcome = {
      kind: 'Superseded' as const,
      at: NOON,
      reason: 'Superseded',
      message: 'no longer wanted',
    };
    const late = { ...switched, source: {}, revisions: { r1, r2: { ...r2Validated, outcome } } };
    expect(of(late).slice(0, 2)).to.deep.equal(['Resting', 'r1']);
    expect(decided(late).effects).to.deep.equal(putBack);
  });

  it('for a revision that lost the traffic and is rejected', () => {
    const restored = { ...rolledBack, route: 'green' as const, mark: FORWARD_2 };
    expect(of(restored).slice(0, 2)).to.deep.equal(['Resting', 'r1']);
    expect(decided(restored).effects).to.deep.equal(putBack);
  });

  it('for an earlier switch, as a backup of the Service has it, while r2 is watched', () => {
    const restored = { ...observed, route: 'blue' as const, mark: FORWARD_1 };
    expect(of(restored).slice(0, 2)).to.deep.equal(['Observing', 'r2']);
    expect(decided(restored).effects).to.deep.equal(['PatchSelector checkout -> green']);
  });

  it('for an earlier switch after r2 was committed', () => {
    const restored = { ...committed, route: 'blue' as const, mark: FORWARD_1 };
    expect(of(restored).slice(0, 2)).to.deep.equal(['Resting', 'r2']);
    expect(decided(restored).effects).to.deep.equal(['PatchSelector checkout -> green']);
  });

  it('for a way back that comes from the future', () => {
    const forged = { ...committed, now: NOON + 49 * HOUR, route: 'blue' as const, mark: `${UID}/r1/99/back` };
    expect(of(forged).slice(0, 2)).to.deep.equal(['Resting', 'r2']);
  });

  it('for a way back after the window', () => {
    const now = NOON + 49 * HOUR;
    const forged = { ...committed, now, switchedAt: now - SECOND, route: 'blue' as const, mark: BACK_1 };
    expect(of(forged).slice(0, 2)).to.deep.equal(['Resting', 'r2']);
    expect(decided(forged).effects).to.deep.equal(['PatchSelector checkout -> green']);
  });

  it('for a way back that was ordered in the moment in which the window closed, or nobody knows when', () => {
    const back = { ...committed, route: 'blue' as const, mark: BACK_1 };
    const windowUntil = r2Committed.windowUntil ?? 0;
    const late = { ...back, now: windowUntil + SECOND };
    expect(of({ ...late, switchedAt: windowUntil - 1 }).slice(0, 2)).to.deep.equal(['Returning', 'r1']);
    expect(of({ ...late, switchedAt: windowUntil }).slice(0, 2)).to.deep.equal(['Resting', 'r2']);
    expect(of({ ...back, service: { switchedAt: undefined } }).slice(0, 2)).to.deep.equal(['Resting', 'r2']);
  });

  it('for a way back from a revision whose window was never opened', () => {
    const { windowUntil: _, ...shut } = r2Committed;
    const forged = { ...committed, route: 'blue' as const, mark: BACK_1, revisions: { r1, r2: shut } };
    expect(of(forged).slice(0, 2)).to.deep.equal(['Resting', 'r2']);
  });

  it('for a way back from what had lost the traffic to a later release', () => {
    const r3 = { ...r2Committed, color: 'blue' as const, attempt: 3 };
    const forged = {
      ...committed,
      route: 'blue' as const,
      mark: BACK_1,
      revisions: { r1, r2: r2Committed, r3 },
    };
    expect(of(forged)).to.deep.equal(['Resting', 'r3', 'r3', 'r2']);
  });

  it('for a way back from a revision of the same side', () => {
    const onBlue = { ...observed, route: 'blue' as const, mark: BACK_1, blue: { revision: 'r2', ready: 3 } };
    const r2OnBlue = { ...r2Verified, color: 'blue' as const };
    expect(of({ ...onBlue, revisions: { r1, r2: r2OnBlue } }).slice(0, 2)).to.deep.equal(['Observing', 'r2']);
  });

  it('for a way back to what was never kept, although it was brought back there once', () => {
    const failed = { ...r1, outcome: { ...r2RolledBack.outcome, kind: 'Failed' as const } } as typeof r1;
    expect(of({ ...returning, revisions: { r1: failed, r2: r2Verified } }).slice(0, 2)).to.deep.equal([
      'Observing',
      'r2',
    ]);
  });

  it('for a way back from a candidate that was not validated', () => {
    const forged = { ...returning, revisions: { r1, r2 } };
    expect(of(forged).slice(0, 2)).to.deep.equal(['Preparing', 'r1']);
  });

  it('for a way back that was done, after the next release', () => {
    const r3 = { ...r2Committed, attempt: 3 };
    const restored = { ...rolledBack, revisions: { r1, r2: r2RolledBack, r3 } };
    expect(of(restored).slice(0, 2)).to.deep.equal(['Resting', 'r3']);
    expect(of({ ...restored, revisions: { r1, r3 } }).slice(0, 2), 'forgotten').to.deep.equal([
      'Resting',
      'r3',
    ]);
  });

  it('for a way back to a revision that is rejected', () => {
    const back = {
      ...idle,
      route: 'green' as const,
      mark: `${UID}/r2/2/back`,
      green: { revision: 'r2', ready: 3 },
    };
    const forged = { ...back, revisions: { r1, r2: { ...r2RolledBack, committedAt: NOON - HOUR } } };
    expect(of(forged).slice(0, 2)).to.deep.equal(['Resting', 'r1']);
  });

  it('for a way back to the candidate under way, although its content was committed once', () => {
    const again = { ...r2, attempt: 3, committedAt: NOON - 30 * SECOND };
    const forged = { ...switched, mark: `${UID}/r2/3/back`, revisions: { r1, r2: again } };
    expect(of(forged).slice(0, 2)).to.deep.equal(['Preparing', 'r1']);
  });

  it('of another release', () => {
    const foreign = decided({ ...idle, mark: 'another-uid/r2/2' });
    expect(foreign.effects).to.deep.equal(putBack);
  });

  it('but a way back that was ordered while r2 was watched is obeyed', () => {
    expect(of(returning).slice(0, 2)).to.deep.equal(['Returning', 'r1']);
  });

  it('and a way back stays true when the loser is tried again under a new attempt', () => {
    const again = { ...rolledBack, revisions: { r1, r2: { ...r2, attempt: 3 } } };
    expect(of(again).slice(0, 2)).to.deep.equal(['Preparing', 'r1']);
    expect(decided({ ...again, blue: { revision: 'r1', ready: 3 } }).reason).to.not.equal('SelectorRestored');
  });

  it('and a way back inside the window is obeyed', () => {
    const back = { ...committed, route: 'blue' as const, mark: BACK_1 };
    expect(of(back).slice(0, 2)).to.deep.equal(['Returning', 'r1']);
  });
});

describe('the order in which the revisions come', () => {
  const kept = (color: 'blue' | 'green', attempt: number) => ({
    ...r1,
    color,
    attempt,
    windowUntil: NOON + HOUR,
  });
  const failed = {
    ...r2,
    attempt: 4,
    outcome: { kind: 'Failed' as const, at: NOON, reason: 'GateFailed', message: '' },
  };
  const all = { r1: kept('blue', 1), r2: kept('green', 2), r3: kept('blue', 3), r4: failed };
  const names = ['r1', 'r2', 'r3', 'r4'] as const;
  const orders = names.flatMap((_, by) => {
    const turned = [...names.slice(by), ...names.slice(0, by)];
    return [turned, turned.toReversed()];
  });
  for (const order of orders)
    it(`does not matter: ${order.join(', ')}`, () => {
      const revisions = Object.fromEntries(order.map((name) => [name, all[name]]));
      expect(of({ ...idle, mark: undefined, revisions })).to.deep.equal(['Resting', 'r3', 'r4', 'r2']);
    });
});

describe('the attempt that was last', () => {
  const attempt = (picture: Picture): number => rolesOf(world(picture)).attempt;

  it('is that of the latest revision, and 0 before there is one', () => {
    expect(attempt(observed)).to.equal(2);
    expect(attempt({})).to.equal(0);
  });

  it('is that of a Job or a mark that is left of a revision which was deleted', () => {
    expect(attempt({ ...idle, jobs: [{ attempt: 5 }, { attempt: 3 }] })).to.equal(5);
    expect(attempt({ ...idle, mark: `${UID}/r9/7` })).to.equal(7);
  });

  it('is told by no Job whose label says no number', () => {
    expect(attempt({ ...observed, jobs: [{ attempt: Number.NaN }, { attempt: 1 }] })).to.equal(2);
  });
});

describe('a mark that came before its facts', () => {
  const explains = (picture: Picture): boolean => {
    const { services, revisions } = world(picture);
    return explainsMarks(services, revisions);
  };

  it('is not explained, so that they are read anew before it is taken for drift', () => {
    expect(explains({ ...switched, revisions: { r1, r2 } })).to.equal(false);
    expect(explains({ ...switched, revisions: { r1 } })).to.equal(false);
  });

  it('is not explained by what another Service says, nor by a revision that was never begun', () => {
    const { services, revisions } = world(switched);
    const [service] = services;
    if (service === undefined) throw new Error('there is a Service');
    const forged = {
      ...service,
      mark: { uid: UID, revision: 'r2', attempt: 9, direction: 'Forward' as const },
    };
    expect(explainsMarks([service, forged], revisions)).to.equal(false);
    expect(explainsMarks([service, service], revisions)).to.equal(true);
    expect(explains({ ...switched, revisions: { r1, r2: undefined } })).to.equal(false);
  });

  for (const [name, picture] of Object.entries(SITUATIONS)) {
    it(`${name}: the facts explain every mark`, () => {
      expect(explains(picture)).to.equal(true);
    });
  }
});

describe('several Services', () => {
  const services = ['checkout', 'checkout-grpc'];
  const half = (picture: Picture) => {
    const snapshot = world({ ...picture, services, spec: twoServices });
    const [first, second] = snapshot.services;
    if (first === undefined || second === undefined) throw new Error('two services');
    return { snapshot, first, second };
  };
  const twoServices = {};

  it('a crash between two patches of one switch is mended by the missing patch', () => {
    const { snapshot, first } = half(switched);
    const { second } = half({ ...switched, route: 'blue', mark: FORWARD_1 });
    const result = decidedOn({ ...snapshot, services: [first, second] });
    expect(result.effects).to.deep.equal(['PatchSelector checkout-grpc -> green']);
  });

  it('a crash between two patches of a way back is mended by the missing patch', () => {
    const { snapshot, first } = half(returning);
    const { second } = half(observed);
    const result = decidedOn({ ...snapshot, services: [first, second] });
    expect(result.effects).to.deep.equal(['PatchSelector checkout-grpc -> blue']);
  });

  it('so is one of a way back from what another way back had brought back', () => {
    const r2Again = { ...r2Committed, committedAt: NOON - HOUR };
    const r3 = { ...r2RolledBack, color: 'blue' as const, attempt: 3, committedAt: NOON - MINUTE };
    const revisions = { r1, r2: r2Again, r3 };
    const { snapshot, first } = half({ ...returning, revisions });
    const { second } = half({ ...observed, revisions, mark: `${UID}/r2/3/back` });
    const result = decidedOn({ ...snapshot, services: [first, second] });
    expect(result.effects).to.deep.equal(['PatchSelector checkout-grpc -> blue']);
    const reverse = decidedOn({ ...snapshot, services: [second, first] });
    expect(reverse.effects).to.deep.equal(['PatchSelector checkout-grpc -> blue']);
  });

  it('the switch moves all of them in one plan', () => {
    const { snapshot } = half({ ...SITUATIONS.validated });
    expect(decidedOn(snapshot).effects).to.deep.equal([
      'PatchSelector checkout -> green',
      'PatchSelector checkout-grpc -> green',
    ]);
  });

  it('is not proven while one of them lags', () => {
    const { snapshot, first } = half(switched);
    const { second } = half(switched);
    const behind = half({ ...switched, route: 'blue' }).second.endpoints;
    const result = decidedOn({ ...snapshot, services: [first, { ...second, endpoints: behind }] });
    expect([result.reason, result.effects]).to.deep.equal(['WaitingForEndpoints', []]);
  });
});

describe('drift', () => {
  it('a selector that Helm put back is restored, with the mark', () => {
    const drifted = editServices(world({ ...committed, mark: undefined }), {
      selector: { app: 'checkout' },
      selectorWriter: 'helm',
    });
    const { reason, message, effects } = decidedOn(drifted);
    expect([reason, effects]).to.deep.equal(['SelectorRestored', ['PatchSelector checkout -> green']]);
    expect(message).to.equal(
      'Service "checkout" selected no colour (last written by helm); putting it back to green (revision r2)',
    );
  });

  it('an annotation that was lost is written again', () => {
    const { effects } = decided({ ...committed, mark: undefined });
    expect(effects).to.deep.equal(['PatchSelector checkout -> green']);
  });

  it('is left and reported where the active side has no ready pod and what is selected has', () => {
    const astray = world({
      ...committed,
      now: NOON + 49 * HOUR,
      route: 'blue',
      mark: FORWARD_2,
      green: { revision: 'r2', desired: 3, ready: 0 },
    });
    const { phase, reason, effects, plan } = decidedOn(
      editServices(astray, { selectorWriter: 'kubectl-edit' }),
    );
    expect([phase, reason, effects, plan.verdict.stalled]).to.deep.equal([
      'Stalled',
      'SelectorAstray',
      [],
      true,
    ]);
  });

  it('is no reason to stay where all that serves is the side that may take over: it goes back there', () => {
    const lost = (more: Picture): Decided =>
      decided({ ...committed, green: { revision: 'r2', desired: 3, ready: 0 }, ...more });
    for (const route of [undefined, 'blue'] as const) {
      const { phase, reason, effects } = lost({ route, mark: FORWARD_2 });
      expect([phase, reason], route).to.deep.equal(['RollingBack', 'NoReadyEndpoints']);
      expect(effects, route).to.deep.equal(['PatchSelector checkout -> blue']);
    }
    const beside = lost({ route: undefined, mark: FORWARD_2, source: { replicas: 1, ready: 1 } });
    expect(beside.reason, 'others serve as well').to.equal('SelectorAstray');
  });

  /** No pod of r1 is ready where r1 has the traffic, and a Service that lost its key has other pods. */
  const dead = (picture: Picture, source = 0): Picture => ({
    ...picture,
    route: undefined,
    source: { ...picture.source, replicas: source },
    blue: { revision: 'r1', desired: 3, ready: 0 },
  });

  it('is left so until the side comes back where it should point, which it is helped to', () => {
    const standby = { revision: 'r0', ready: 1 };
    const gone = decided({ ...dead(idle), blue: {}, green: standby });
    expect([gone.reason, gone.effects]).to.deep.equal(['SelectorAstray', ['WriteColor blue r1, 3 replicas']]);
  });

  it('does not keep a fix waiting: what is ready and proven takes all of them over', () => {
    expect(decided(dead(built)).reason).to.equal('Validated');
    const ordered = decided(dead(SITUATIONS.validated as Picture));
    expect(ordered.effects).to.deep.equal(['PatchSelector checkout -> green']);
    const wished = decided(dead({ ...idle, source: { fingerprint: 'v2' } }, 1));
    expect([wished.reason, wished.effects]).to.deep.equal([
      'ReleaseStarted',
      ['CreateRevision r2 from source'],
    ]);
    const begun = decided(dead(SITUATIONS.started as Picture, 1));
    expect(begun.effects).to.deep.equal(['WriteColor green r2, 3 replicas']);
  });

  it('but no fix is built, or goes on, where another revision or its own pods serve unproven', () => {
    const standby = { green: { revision: 'r0', ready: 1 } };
    for (const picture of [SITUATIONS.started as Picture, { ...idle, source: { fingerprint: 'v2' } }])
      expect(decided({ ...dead(picture), ...standby }).reason).to.equal('SelectorAstray');
    expect(decided({ ...dead(built), route: 'green' }).reason).to.equal('SelectorAstray');
    expect(decided(dead(idle, 1)).reason, 'nothing else is wished for').to.equal('SelectorAstray');
  });

  it('is repaired in the middle of a switch too', () => {
    const astray = editServices(world(switched), { selector: { app: 'checkout', [LABEL]: 'blue' } });
    expect(decidedOn(astray).effects).to.deep.equal(['PatchSelector checkout -> green']);
  });

  it('during the switch, when selector and mark are both replaced, the traffic goes back and is ordered anew', () => {
    const astray = { ...switched, route: undefined, mark: undefined };
    expect(decided(astray).effects).to.deep.equal(['PatchSelector checkout -> blue']);
  });
});
