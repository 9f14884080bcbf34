import { expect } from 'chai';
import type { RevisionFacts } from '../../../src/release/facts.ts';
import type { Verdict } from '../../../src/release/plan.ts';
import { align, rescue, tellOutage } from '../../../src/release/protect.ts';
import { rolesOf } from '../../../src/release/roles.ts';
import type { Snapshot } from '../../../src/release/snapshot.ts';
import { data, type ExternalPicture, external, onBlue, watched } from './external.ts';
import {
  built,
  committed,
  FORWARD_1,
  fresh,
  idle,
  observed,
  r1,
  r2Committed,
  r2Verified,
  returning,
  switched,
} from './situations.ts';
import { editServices, endpointsOf, LABEL, MINUTE, NOON, type Picture, SECOND, UID, world } from './world.ts';

const DEAD = { desired: 3, ready: 0 };
/** No pod of r2 is ready, all of r1 are. */
const dead = (picture: Picture): Picture => ({ ...picture, green: { revision: 'r2', ...DEAD } });

/** The selectors give the traffic to this pod all the same. */
const served = (snapshot: Snapshot): Snapshot =>
  editServices(snapshot, { endpoints: endpointsOf([{ uid: 'somebody', ready: true }]) });

/** The selectors lead nowhere; one pod of r2 is ready. */
const astray = (picture: Picture): Snapshot =>
  editServices(world({ ...picture, green: { revision: 'r2', desired: 3, ready: 1 } }), { endpoints: [] });

describe('production without a ready pod', () => {
  const rescued = (snapshot: Snapshot): string | undefined => rescue(snapshot, rolesOf(snapshot))?.message;
  const said = 'no green pod (revision r2) is ready; putting the traffic back to blue (revision r1)';

  for (const [when, picture] of [
    ['in the switch', switched],
    ['while it is watched', observed],
    ['inside its window', committed],
  ] as const)
    it(`goes back to a side that is ready, ${when}`, () => {
      expect(rescued(world(dead(picture)))).to.equal(said);
    });

  it('waits for a side of another revision while it is watched, and gives way to a fix at rest', () => {
    const spec = { rollback: { scaleUpSeconds: 10 } };
    const returnWanted = { at: NOON - 20 * SECOND, reason: 'NoReadyEndpoints', message: 'dead' };
    const blue = { revision: 'r0', ready: 3 };
    const shut = (picture: Picture, r2: RevisionFacts): string | undefined =>
      rescued(
        world({
          ...dead(picture),
          spec,
          blue,
          source: { fingerprint: 'v3' },
          revisions: { r1, r2: { ...r2, returnWanted } },
        }),
      );
    expect(shut(observed, r2Verified)).to.equal(
      'no green pod (revision r2) is ready; 0 of 3 blue pods (revision r1) are ready to take the traffic back, waiting until 2026-06-01T11:59:50Z',
    );
    expect(shut(committed, r2Committed)).to.equal(undefined);
  });

  const r3 = { ...r2Committed, attempt: 3, color: 'blue' as const };
  const { outcome: _, windowUntil: __, committedAt: ___, verifiedAt: ____, ...begun } = r3;
  for (const [when, snapshot] of [
    ['one pod of it is ready', world({ ...committed, green: { revision: 'r2', desired: 3, ready: 1 } })],
    ['one pod of it is ready, although the selectors lead nowhere', astray(committed)],
    ['the selectors lead to another pod that is', served(world(dead(committed)))],
    ['nothing else is ready', world({ ...dead(committed), blue: { revision: 'r1', ...DEAD } })],
    ['nothing can be gone back to', world({ ...idle, blue: { revision: 'r1', ...DEAD } })],
    ['nothing was released yet', world({ ...fresh, source: { replicas: 0 } })],
    ['it is on its way back already', world({ ...returning, blue: { revision: 'r1', ...DEAD } })],
    [
      'the next release is built on the other side',
      world({ ...dead(committed), revisions: { r1, r2: r2Committed, r3: begun } }),
    ],
  ] as readonly (readonly [string, Snapshot])[])
    it(`stays where it is when ${when}`, () => expect(rescued(snapshot)).to.equal(undefined));
});

describe('an outage that nobody can end', () => {
  const rest: Verdict = { phase: 'Idle', reason: 'Idle', message: 'all is well' };
  const told = (snapshot: Snapshot, verdict: Verdict = rest): Verdict =>
    tellOutage(snapshot, rolesOf(snapshot), verdict);
  const outage = world({ ...idle, blue: { revision: 'r1', ...DEAD } });

  for (const phase of ['Observing', 'Held', 'Committed', 'Idle', 'Suspended'] as const)
    it(`is told instead of ${phase}`, () => {
      const { reason, message, stalled } = told(outage, { ...rest, phase });
      expect([reason, stalled]).to.deep.equal(['RollbackImpossible', true]);
      expect(message).to.match(/^no blue pod \(revision r1\) is ready/);
    });

  for (const [what, verdict] of [
    ['that something is under way', { ...rest, phase: 'Preparing' }],
    ['that people have to do something', { ...rest, stalled: true }],
    ['that the spec has to wait', { ...rest, specPending: true }],
    ['that something is done', { ...rest, effects: [{ kind: 'AddFinalizer' }] }],
  ] as readonly (readonly [string, Verdict])[])
    it(`is not told in place of the word ${what}`, () => expect(told(outage, verdict)).to.equal(verdict));

  for (const [when, snapshot] of [
    ['one pod is ready', world({ ...idle, blue: { revision: 'r1', desired: 3, ready: 1 } })],
    ['one pod is ready, although the selectors lead nowhere', astray(committed)],
    ['the selectors lead to another pod that is', served(outage)],
    ['nothing was released yet', world({ ...fresh, source: { replicas: 0 } })],
    ['the next release is built', world({ ...built, blue: { revision: 'r1', ...DEAD } })],
    ['the pods are not in this cluster', external(watched)],
  ] as readonly (readonly [string, Snapshot])[])
    it(`is none when ${when}`, () => expect(told({ ...snapshot, now: NOON })).to.equal(rest));
});

describe('what is published is put back', () => {
  const lost = { data: data('green') };
  const aligned = (picture: ExternalPicture): Verdict | undefined => {
    const snapshot = external(picture);
    return align(snapshot, rolesOf(snapshot));
  };
  const unwritable = (at: number): ExternalPicture['observations'] & object => ({
    refusals: { search: { at, message: 'nobody writes it', final: true } },
  });
  /** It was told so long ago, of these effects. */
  const told = (reason: string, effect: string, ago: number): ExternalPicture['previous'] & object => ({
    decisions: [
      { at: new Date(NOON - ago).toISOString(), reason, message: 'told', effects: [effect] },
    ] as Snapshot['previous']['decisions'] & object,
  });

  it('and stalls where that is refused', () => {
    const verdict = aligned({ ...onBlue, endpoint: lost, observations: unwritable(NOON) });
    expect([verdict?.phase, verdict?.reason, verdict?.stalled]).to.deep.equal([
      'Stalled',
      'EndpointRefused',
      true,
    ]);
  });

  it('and labelled anew, although a write was refused a while ago', () => {
    const late = unwritable(NOON - 15 * SECOND);
    expect(aligned({ ...onBlue, endpoint: { state: 'Free' }, observations: late })?.reason).to.equal(
      'EndpointRestored',
    );
  });

  for (const [what, picture, reason, effect] of [
    ['the address', { ...onBlue, endpoint: lost }, 'EndpointRestored', 'Publish search -> blue'],
    [
      'the credentials',
      { ...onBlue, secret: { mark: `${UID}/r1/1`, blue: { shaped: false } } },
      'CredentialsRestored',
      'PublishSecret search-login -> blue',
    ],
  ] as readonly (readonly [string, ExternalPicture, string, string])[])
    it(`and told once a minute for as long as somebody else writes ${what}`, () => {
      const drift = (previous: ExternalPicture['previous']): unknown => {
        const verdict = aligned({ ...picture, ...(previous && { previous }) });
        return [verdict?.reason, verdict?.drift];
      };
      expect(drift(undefined)).to.deep.equal([reason, 'New']);
      expect(drift(told(reason, effect, MINUTE - 1))).to.deep.equal([reason, 'Told']);
      expect(drift(told(reason, effect, MINUTE)), 'a minute ago').to.deep.equal([reason, 'New']);
      expect(drift(told(reason, 'Publish search -> green', 1)), 'of another').to.deep.equal([reason, 'New']);
      expect(drift(told('ReleaseStarted', effect, 1)), 'for another reason').to.deep.equal([reason, 'New']);
      expect(drift(told(reason, effect, -1)), 'by a clock that is ahead').to.deep.equal([reason, 'New']);
    });
});

describe('a Service that selects what still serves', () => {
  const aligned = (snapshot: Snapshot): string | undefined => align(snapshot, rolesOf(snapshot))?.reason;
  const bothDead: Picture = {
    blue: { revision: 'r1', ...DEAD },
    green: { revision: 'r2', ...DEAD },
    route: undefined,
    source: { fingerprint: 'v3', replicas: 1 },
  };

  it('is not astray where it should be, although its twin is gone for a moment', () => {
    const snapshot = world(idle);
    const [service] = snapshot.services;
    if (service === undefined) throw new Error('there is a Service');
    const { blue, green } = service.twins;
    const twins = { blue: { ...blue, endpoints: [] }, green: { ...green, endpoints: [] } };
    expect(aligned(editServices(snapshot, { twins }))).to.equal(undefined);
  });

  it('is left to a fix that may start, and told while another revision is watched', () => {
    const ended = { ...r2Committed, windowUntil: NOON };
    const rest = world({ ...committed, ...bothDead, revisions: { r1, r2: ended } });
    expect(aligned(rest)).to.equal(undefined);
    const watched = world({ ...observed, ...bothDead, service: { selectorWriter: 'argocd-controller' } });
    const { effects: _, ...told } = align(watched, rolesOf(watched)) ?? {};
    expect(told).to.deep.equal({
      phase: 'Stalled',
      reason: 'SelectorAstray',
      message:
        'Service "checkout" selects no colour (last written by argocd-controller) and is left so: it has ready endpoints, and no green pod (revision r2), where it should point, is ready',
      stalled: true,
    });
  });

  it('is left to the adoption where that is the source, and told of where there is no source', () => {
    const adopted: RevisionFacts = {
      color: 'blue',
      attempt: 1,
      startedAt: NOON - MINUTE,
      adoption: true,
      validatedAt: NOON - MINUTE,
    };
    const lostKey: Picture = {
      mark: FORWARD_1,
      blue: { revision: 'r1', ...DEAD },
      revisions: { r1: adopted },
      source: { replicas: 3, paused: true },
    };
    expect(aligned(world(lostKey))).to.equal(undefined);
    const endpoints = endpointsOf([{ uid: 'somebody', ready: true }]);
    const inline = world({ ...lostKey, source: null, service: { endpoints } });
    expect(aligned(inline)).to.equal('SelectorAstray');
  });

  it('keeps no candidate waiting where its own pods are all that serves', () => {
    const own = { ...built, route: undefined, blue: { revision: 'r1', ...DEAD } };
    expect(aligned(world({ ...own, source: { fingerprint: 'v2' } }))).to.equal(undefined);
  });

  it('keeps a candidate waiting where one of several rests on what is not proven', () => {
    const dead1 = { revision: 'r1', ...DEAD };
    const base = world({
      ...built,
      services: ['shop', 'admin'],
      route: undefined,
      source: { fingerprint: 'v2', replicas: 1 },
      blue: dead1,
      green: { revision: 'r0', ready: 1 },
    });
    const onSource = { endpoints: endpointsOf([{ uid: 'source-pod-0', ready: true }]) };
    const calm = editServices(base, onSource);
    expect(aligned(calm)).to.equal(undefined);
    const [shop, admin] = calm.services;
    if (shop === undefined || admin === undefined) throw new Error('two Services');
    const selected = { ...admin, selector: { ...admin.selector, [LABEL]: 'green' } };
    expect(aligned({ ...calm, services: [shop, selected] })).to.equal('SelectorAstray');
    const served = { ...admin, endpoints: endpointsOf(calm.sides.green.pods) };
    expect(aligned({ ...calm, services: [shop, served] })).to.equal('SelectorAstray');
    const also = { ...admin, endpoints: [...admin.endpoints, ...served.endpoints] };
    expect(aligned({ ...calm, services: [shop, also] })).to.equal('SelectorAstray');
  });
});
