import { expect } from 'chai';
import type { SwitchStatus } from '../../../src/api/status.ts';
import { rolesOf } from '../../../src/release/roles.ts';
import type { ServiceView, Snapshot } from '../../../src/release/snapshot.ts';
import { switchStatus } from '../../../src/release/switch-status.ts';
import * as external from './external.ts';
import { FORWARD_1, FORWARD_2, fresh, switched } from './situations.ts';
import { editServices, NOON, type Picture, SECOND, world } from './world.ts';

const told = (snapshot: Snapshot): SwitchStatus | undefined => switchStatus(snapshot, rolesOf(snapshot));
const DECIDED = '2026-06-01T11:59:55.000Z';
const EARLIER = '2026-06-01T11:59:57.000Z';
const NOW = '2026-06-01T12:00:00.000Z';
const ordered = { direction: 'Forward', to: 'green', revision: 'r2', decidedAt: DECIDED } as const;

describe('what the status says of the last move', () => {
  const spec = { traffic: { services: [{ name: 'shop' }, { name: 'admin' }] } };
  const two: Picture = { ...switched, spec, services: ['shop', 'admin'] };
  const patch = (at: number) => ({ mark: FORWARD_2, at });
  const before = { ...ordered, patchedAt: EARLIER, convergedAt: EARLIER };
  const edited = (name: string, change: Partial<ServiceView>, picture = two): Snapshot => {
    const snapshot = world(picture);
    const services = snapshot.services.map((each) => (each.name === name ? { ...each, ...change } : each));
    return { ...snapshot, services };
  };

  it('is nothing before the first', () => {
    expect(told(world(fresh))).to.equal(undefined);
  });

  it('has no time of a decision that nobody wrote down', () => {
    const status = told(editServices(world(switched), { switchedAt: undefined }));
    expect(Object.keys(status ?? {})).to.deep.equal([
      'direction',
      'to',
      'revision',
      'convergedAt',
      'services',
    ]);
    expect(Object.keys(status?.services?.[0] ?? {})).to.deep.equal([
      'name',
      'inSync',
      'converged',
      'ready',
      'convergedAt',
    ]);
  });

  it('is patched when the last of its Services is, and not before all are', () => {
    const patchedAt = (patches: Snapshot['observations']['patches']) =>
      told(world({ ...two, observations: { patches } }))?.patchedAt;
    expect(patchedAt({ shop: patch(NOON - SECOND) })).to.equal(undefined);
    expect(patchedAt({ admin: patch(NOON - SECOND) })).to.equal(undefined);
    expect(patchedAt({ shop: patch(NOON - SECOND), admin: patch(NOON - 3 * SECOND) })).to.equal(
      '2026-06-01T11:59:59.000Z',
    );
  });

  it('has the times that an earlier process saw of it, and none that are of another move', () => {
    const times = (previous: SwitchStatus) => {
      const { patchedAt, convergedAt } = told(world({ ...switched, previous: { switch: previous } })) ?? {};
      return [patchedAt, convergedAt];
    };
    expect(times(before)).to.deep.equal([EARLIER, EARLIER]);
    expect(times({ ...before, revision: 'r3' })).to.deep.equal([undefined, NOW]);
    expect(times({ ...before, direction: 'Back' })).to.deep.equal([undefined, NOW]);
    expect(times({ ...before, decidedAt: EARLIER })).to.deep.equal([undefined, NOW]);
  });

  it('is proven by the Services of its revision: one that is named since proves nothing', () => {
    const keyless = { selector: { app: 'checkout' }, mark: undefined, rawMark: undefined, endpoints: [] };
    const picture = { ...two, spec: { traffic: { services: [{ name: 'shop' }] } } };
    expect(told(edited('admin', keyless, picture))?.convergedAt).to.equal(NOW);
    expect(told(edited('admin', keyless))?.convergedAt).to.equal(undefined);
  });

  it('says when a Service was told to move, where that is the move it was told of', () => {
    const status = told(edited('admin', { rawMark: FORWARD_1 }));
    expect(status?.services?.map(({ decidedAt }) => decidedAt)).to.deep.equal([DECIDED, undefined]);
  });

  it('says no more of a refusal than it may hold', () => {
    const refusals = { admin: { at: NOON, message: 'x'.repeat(300), final: true } };
    const astray = { selector: { app: 'checkout' }, endpoints: [] };
    const status = told(edited('admin', astray, { ...two, observations: { refusals } }));
    expect(status?.services?.map(({ message }) => message?.length)).to.deep.equal([undefined, 256]);
  });
});

describe('what the status says of the last move of an external workload', () => {
  const of = (picture: external.ExternalPicture): Omit<SwitchStatus, 'endpoint'> => {
    const { endpoint: _, ...move } =
      told(external.external({ switchedAt: NOON - 5 * SECOND, ...picture })) ?? {};
    return move as SwitchStatus;
  };
  const patches = { search: { mark: external.FORWARD, at: NOON - 2 * SECOND } };
  const patchedAt = '2026-06-01T11:59:58.000Z';
  const { switched: published, watched } = external;

  it('is what was decided, until it is seen to be done', () => {
    expect(of(published)).to.deep.equal(ordered);
    expect(of({ ...published, observations: { patches } })).to.deep.equal({ ...ordered, patchedAt });
    expect(
      of({ ...published, observations: { patches: { search: { mark: 'other', at: NOON } } } }),
    ).to.deep.equal(ordered);
  });

  it('is done when every consumer runs with it', () => {
    expect(of({ ...watched, runs: { api: 'r2', worker: 'r2!' } })).to.deep.equal(ordered);
    expect(of({ ...watched, observations: { patches } })).to.deep.equal({
      ...ordered,
      patchedAt,
      convergedAt: NOW,
    });
  });

  it('is not done while its credentials are not published, or something else stands there', () => {
    const secret = { mark: external.FORWARD.replace('r2/2', 'r1/1') };
    expect(of({ ...watched, secret })).to.deep.equal(ordered);
    const elsewhere = external.external({
      ...watched,
      switchedAt: NOON - 5 * SECOND,
      observations: { patches },
    });
    const roles = rolesOf(elsewhere);
    const endpoint = { ...elsewhere.endpoint, rawMark: 'other' } as NonNullable<Snapshot['endpoint']>;
    const { endpoint: seen, ...move } = switchStatus({ ...elsewhere, endpoint }, roles) ?? {};
    expect([seen?.inSync, move]).to.deep.equal([false, ordered]);
  });

  it('has the times that an earlier process saw', () => {
    const before = { ...ordered, patchedAt: EARLIER, convergedAt: EARLIER };
    const seen = { ...published, previous: { switch: before }, observations: { patches } };
    expect(of(seen)).to.deep.equal(before);
  });

  it('has no time of a decision that nobody wrote down', () => {
    const snapshot = external.external(published);
    const endpoint = { ...snapshot.endpoint, switchedAt: undefined } as NonNullable<Snapshot['endpoint']>;
    expect(Object.keys(told({ ...snapshot, endpoint }) ?? {})).to.deep.equal([
      'direction',
      'to',
      'revision',
      'endpoint',
    ]);
  });
});
