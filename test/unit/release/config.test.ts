import { expect } from 'chai';
import type { NamedConfig } from '../../../src/api/config.ts';
import type { ReleaseSpecInput } from '../../../src/api/schema.ts';
import { violations } from '../../../src/release/invariants.ts';
import type { Snapshot } from '../../../src/release/snapshot.ts';
import { decided, decidedOn, effectOf } from './decided.ts';
import {
  built,
  committed,
  fresh,
  idle,
  observed,
  r1,
  r2,
  r2RolledBack,
  returning,
  started,
  switched,
  validated,
} from './situations.ts';
import { editServices, endpointsOf, HOUR, MINUTE, NOON, type Picture, SECOND, world } from './world.ts';

const spec: Partial<ReleaseSpecInput> = { config: { configMaps: [{ name: 'settings' }] } };
const missing = [{ kind: 'ConfigMap' as const, name: 'settings', field: 'spec.config.configMaps[0].name' }];
const OLD: NamedConfig = { configMaps: { settings: 'aaaaaaaaaaaaaaaa' } };
const NEW: NamedConfig = { configMaps: { settings: 'bbbbbbbbbbbbbbbb' } };
const copy = (color: string, digest: string, held = digest) => ({
  name: `checkout-${color}-settings-${digest.slice(0, 10)}`,
  uid: `${color}-${digest}`,
  digest: held,
});

/** r1 was frozen with OLD and r2 with NEW; each colour has what it needs unless `copies` says otherwise. */
function named(picture: Picture, copies: { blue?: any[]; green?: any[] } = {}): Snapshot {
  const snapshot = world({ ...picture, spec: { ...picture.spec, ...spec }, config: { found: NEW } });
  const configs: Record<string, NamedConfig> = { r1: OLD, r2: NEW };
  const stands = {
    blue: [copy('blue', 'aaaaaaaaaaaaaaaa')],
    green: [copy('green', 'bbbbbbbbbbbbbbbb')],
    ...copies,
  };
  const side = (color: 'blue' | 'green') => {
    const { deployment, ...rest } = snapshot.sides[color];
    const config = configs[deployment?.revision ?? ''];
    return { ...rest, deployment: deployment && { ...deployment, config }, copies: stands[color] };
  };
  return {
    ...snapshot,
    sides: { blue: side('blue'), green: side('green') },
    revisions: snapshot.revisions.map((revision) => ({ ...revision, config: configs[revision.name] })),
  };
}

describe('named config', () => {
  it('starts a release where it changed, and the message names it', () => {
    const { reason, message, effects } = decidedOn(named({ ...idle, source: { fingerprint: 'v2' } }));
    expect([reason, message, effects]).to.deep.equal([
      'ReleaseStarted',
      'ConfigMap "settings" changed: starting attempt 2',
      ['CreateRevision r2 from source'],
    ]);
  });

  it('is read again where it changed before anything of what is adopted could serve', () => {
    const facts = {
      color: 'blue',
      attempt: 1,
      startedAt: NOON - HOUR,
      adoption: true,
      sourceReplicas: 3,
    } as const;
    const live = { fingerprint: 'v2', replicaSet: 'checkout-abc' };
    const running = { replicas: 3, ready: 3, paused: true, fingerprint: 'v2' };
    const adopting: Picture = {
      source: { ...running, live },
      revisions: { r1: facts },
      blue: { revision: 'r1', desired: 3, ready: 0 },
    };
    const { reason, message, effects } = decidedOn(named(adopting));
    expect([reason, message, effects]).to.deep.equal([
      'Superseded',
      'revision r1 is no longer wanted: ConfigMap "settings" changed before anything else served',
      ['RecordFacts r1 Superseded'],
    ]);
    const outcome = { kind: 'Superseded' as const, at: NOON, reason, message };
    const anew = decidedOn(named({ ...adopting, revisions: { r1: { ...facts, outcome } } }));
    expect(effectOf(anew, 'CreateRevision')).to.deep.include({
      from: 'live',
      fingerprint: 'v2',
      facts: { ...facts, attempt: 2, startedAt: NOON, replicaSet: 'checkout-abc' },
    });
    const some = { ...adopting, blue: { revision: 'r1', desired: 3, ready: 1 } };
    expect(decidedOn(named(some)).reason, 'not all are ready').to.equal('Superseded');
    const proven = { ...adopting, revisions: { r1: { ...facts, validatedAt: NOON - HOUR } } };
    expect(decidedOn(named({ ...proven, blue: { revision: 'r1', ready: 3 } })).reason).to.equal('Switching');
    // What was ready has died, and the source has the traffic again.
    const died = decidedOn(named(proven));
    expect([died.reason, died.message]).to.deep.equal([reason, message]);
    const gone = { ...named(adopting), config: { found: undefined, missing, bytes: 0 } };
    expect(decidedOn(gone).reason).not.to.equal('Superseded');
    expect(decidedOn(named({ ...adopting, source: running })).reason).not.to.equal('Superseded');
    const { config, ...both } = named(adopting);
    const found = { ...config.found, secrets: { login: 'uid/2' } };
    expect(decidedOn({ ...both, config: { ...config, found } }).message).to.equal(
      'revision r1 is no longer wanted: ConfigMap "settings" and Secret "login" changed before anything else served',
    );
  });

  it('has its copy before the pods that read it', () => {
    const { effects } = decidedOn(named(started, { green: [] }));
    expect(effects.slice(-2)).to.deep.equal([
      'WriteCopy green settings of r2',
      'WriteColor green r2, 3 replicas',
    ]);
  });

  it('has its copy already where the colour had the same content before', () => {
    const { effects } = decidedOn(named(started));
    expect(effects).to.include('WriteColor green r2, 3 replicas');
    expect(effects.join()).not.to.include('WriteCopy');
  });

  for (const [what, copies] of [
    ['that somebody deleted', []],
    ['that somebody made again with another content', [copy('blue', 'aaaaaaaaaaaaaaaa', 'cccccccccccccccc')]],
  ] as const) {
    it(`of the active side ${what} comes back`, () => {
      const { effects, message } = decidedOn(named(idle, { blue: [...copies], green: [] }));
      expect(effects).to.deep.equal(['WriteCopy blue settings of r1']);
      expect(message).to.equal('revision r1 is active on blue; blue lacks its copy of ConfigMap "settings"');
    });
  }

  it('of the old side comes back inside the window, and is what a way back returns to', () => {
    expect(decidedOn(named(committed, { blue: [] })).effects).to.deep.equal([
      'WriteCopy blue settings of r1',
    ]);
  });

  const dead = (revision: string) => ({ revision, desired: 3, ready: 0 });
  const ended = { kind: 'Inconclusive' as const, at: NOON, reason: 'GateTimedOut', message: 'gate "smoke"' };
  const given: Picture = { ...built, source: {}, route: 'green', blue: dead('r1') };
  const astray: Picture = { ...given, revisions: { r1, r2: { ...r2, outcome: ended } } };
  for (const [where, picture, reason, color] of [
    ['where a Service is on the other side, and none of its own is ready', astray, 'SelectorAstray', 'blue'],
    ['on that other side', astray, 'SelectorAstray', 'green'],
    [
      'where production is to go back to it',
      { ...observed, release: { action: 'abort@2' }, blue: dead('r1') },
      'Requested',
      'blue',
    ],
    ['on the way back', { ...returning, green: dead('r2'), blue: dead('r1') }, 'WaitingForEndpoints', 'blue'],
  ] as const)
    it(`comes back wherever pods are waited for that need it: ${where}`, () => {
      const { reason: told, effects } = decidedOn(named(picture as Picture, { [color]: [] }));
      expect(told).to.equal(reason);
      expect(effects).to.include(`WriteCopy ${color} settings of ${color === 'blue' ? 'r1' : 'r2'}`);
    });

  it('comes back in the switch as well, which waits for the endpoints of the side that reads it', () => {
    const endpoints = endpointsOf(world(switched).sides.blue.pods);
    const { reason, effects } = decidedOn(editServices(named(switched, { green: [] }), { endpoints }));
    expect([reason, effects]).to.deep.equal(['WaitingForEndpoints', ['WriteCopy green settings of r2']]);
  });

  it('of what may go on serving comes back before its release is gone, unless that takes too long', () => {
    const release = { deleting: true, deletedAt: NOON };
    const going = { ...committed, now: NOON + MINUTE, source: { fingerprint: 'v7' }, release };
    const asked = (picture: Picture) => {
      const { phase, reason, message, effects } = decidedOn(named(picture, { blue: [], green: [] }));
      return [phase, reason, message, effects[0]];
    };
    const lost = [
      'Deleting',
      'RestoringCopies',
      'green lacks its copy of ConfigMap "settings", which its pods need if it goes on serving',
      'WriteCopy green settings of r2',
    ];
    expect(asked(going)).to.deep.equal(lost);
    expect(asked({ ...going, release: { ...release, onDelete: 'Keep' } })).to.deep.equal(lost);
    // A foreground delete has removed the ControllerRevisions, and what a copy said with them.
    for (const late of [
      { ...going, now: NOON + 630 * SECOND },
      { ...going, revisions: {} },
    ])
      expect(asked(late)[1]).to.equal('ColorKept');
  });

  it('goes with the last revision that has it, and stays while a revision or a Deployment does', () => {
    const old = copy('green', 'cccccccccccccccc');
    const picture = { ...committed, revisions: { r1, r2: r2RolledBack, ...committed.revisions } };
    const { effects, message } = decidedOn(
      named(picture, { green: [old, copy('green', 'bbbbbbbbbbbbbbbb'), copy('green', 'aaaaaaaaaaaaaaaa')] }),
    );
    expect(effects).to.deep.equal([`RemoveCopy ${old.name}`]);
    expect(message).to.include(`ConfigMap "${old.name}" is a copy that no revision needs`);
    const { revisions: _, ...lost } = named(idle, { green: [] });
    const guard = { kind: 'RemoveCopy', color: 'blue', ...copy('blue', 'aaaaaaaaaaaaaaaa') } as const;
    expect(violations({ ...lost, revisions: [] }, [guard])).to.deep.equal([
      'ConfigMap checkout-blue-settings-aaaaaaaaaa would be removed, and pods read it',
    ]);
    expect(violations(named(idle), [{ ...guard, ...old }])).to.deep.equal([]);
    for (const bare of [idle, { ...idle, blue: {} }])
      expect(violations(world(bare), [{ ...guard, ...old }])).to.deep.equal([]);
  });

  it('that is missing starts nothing, and is told with its field and its object', () => {
    const picture = { ...idle, source: { fingerprint: 'v2' }, spec, config: { missing } };
    const { phase, reason, message, effects } = decided(picture);
    expect([phase, reason, effects]).to.deep.equal(['Stalled', 'ConfigNotFound', []]);
    expect(message).to.equal(
      'spec.config.configMaps[0].name: no ConfigMap "settings" with the label bluegreen.dev/config exists in namespace "shop": create it, label it (kubectl label configmap settings bluegreen.dev/config=true -n shop) or correct the name',
    );
  });

  it('that the operator may not see starts nothing either, and says who can mend it', () => {
    const hidden = [
      { kind: 'Secret' as const, name: 'keys', field: 'spec.config.secrets[0].name', forbidden: true },
    ];
    for (const picture of [fresh, { ...idle, source: { fingerprint: 'v2' } }]) {
      const { reason, message, effects } = decided({ ...picture, spec, config: { missing: hidden } });
      expect([reason, effects]).to.deep.equal(['ConfigForbidden', []]);
      expect(message).to.equal(
        'spec.config.secrets[0].name: the operator may not watch Secrets, and would not see Secret "keys" change: its administrator can give it the ClusterRole bluegreen-operator-secrets (deploy/kustomize/secrets-rbac.yaml); or name no Secret',
      );
    }
  });

  it('that is missing keeps a release from being adopted', () => {
    expect(decided({ ...fresh, spec, config: { missing } }).reason).to.equal('ConfigNotFound');
  });

  it('that is missing takes nothing from a candidate under way: created again, it may be what it was', () => {
    const lost: Picture = { ...started, source: { fingerprint: 'v3' }, spec };
    expect(decided(lost).reason).to.equal('Superseded');
    expect(decided({ ...lost, config: { missing } }).reason).not.to.equal('Superseded');
    expect(
      decided({ ...validated, source: { fingerprint: 'v3' }, spec, config: { missing } }).effects,
    ).to.include('PatchSelector checkout -> green');
  });

  it('that is missing takes no traffic back: without it, what is wished for may be what the old side is', () => {
    for (const [picture, reason] of [
      [observed, 'Observing'],
      [committed, 'ConfigNotFound'],
    ] as const) {
      const lost = { ...picture, source: { fingerprint: 'v1' }, spec };
      expect(decided(lost).reason).to.equal('Reverted');
      const result = decided({ ...lost, config: { missing } });
      expect([result.reason, result.effects]).to.deep.equal([reason, []]);
    }
  });

  it('that is missing is in the way of no rollback', () => {
    const { effects } = decided({
      ...observed,
      source: { fingerprint: 'v3' },
      spec,
      config: { missing },
      release: { action: 'rollback@2' },
    });
    expect(effects).to.include('PatchSelector checkout -> blue');
  });

  it('that is too large for a revision is refused', () => {
    const { reason, message } = decided({ ...fresh, spec, config: { bytes: 600_000 } });
    expect([reason, message]).to.deep.equal([
      'ConfigTooLarge',
      'spec.config.configMaps: together they hold 586 KiB, and a revision keeps at most 512: name fewer, or bring large files with the image',
    ]);
    expect(decided({ ...fresh, spec, config: { bytes: 512 * 1024 } }).reason).not.to.equal('ConfigTooLarge');
  });

  it('of a colour that goes on serving stays when the release is deleted, and nothing else', () => {
    const release = { deleting: true, deletedAt: NOON };
    const picture = { ...committed, now: NOON + HOUR, release, source: { fingerprint: 'v9' } };
    const { effects } = decidedOn(named(picture));
    expect(effects.filter((effect) => effect.includes('Copy'))).to.deep.equal([
      'RemoveCopy checkout-blue-settings-aaaaaaaaaa',
    ]);
    expect(effects.at(-1)).to.equal('RemoveFinalizer');
  });
});
