/** A selector is put back each time; telling of it backs off. */
import { expect } from 'chai';
import { eventFor } from '../../../src/controller/report.ts';
import type { Snapshot } from '../../../src/release/snapshot.ts';
import { type Decided, decidedOn } from './decided.ts';
import { committed } from './situations.ts';
import { editServices, MINUTE, NOON, SECOND, world } from './world.ts';

const RELEASE = { metadata: { name: 'checkout', namespace: 'shop', generation: 1 } } as never;
const REMEDY =
  'it was put back before: leave /spec/selector of Service "checkout" out of what is applied (Argo CD: ignoreDifferences, with RespectIgnoreDifferences=true), or install deploy/policies/selector-keeper.yaml';

/** What Argo CD leaves behind at each sync. */
const synced = (now: number, previous: Snapshot['previous']): Snapshot =>
  editServices(world({ ...committed, now, previous, mark: undefined }), {
    selector: { app: 'checkout' },
    selectorWriter: 'argocd-controller',
  });

describe('a writer that puts the selector back every second', () => {
  let first: Decided;
  let again: Decided;
  let later: Decided;

  beforeEach(() => {
    first = decidedOn(synced(NOON, {}));
    again = decidedOn(synced(NOON + SECOND, first.plan.status));
    later = decidedOn(synced(NOON + MINUTE, first.plan.status));
  });

  it('is undone each time, at once', () => {
    for (const { effects } of [first, again, later])
      expect(effects).to.deep.equal(['PatchSelector checkout -> green']);
  });

  it('is told of when it begins, with its name, as a warning', () => {
    expect(first.message).to.equal(
      'Service "checkout" selected no colour (last written by argocd-controller); putting it back to green (revision r2)',
    );
    expect(eventFor(RELEASE, {}, first.plan.verdict)).to.deep.include({
      type: 'Warning',
      reason: 'SelectorRestored',
    });
  });

  it('is not told of again within a minute: no event, no status', () => {
    expect(eventFor(RELEASE, first.plan.status, again.plan.verdict)).to.equal(undefined);
    expect(again.plan.status).to.deep.equal(first.plan.status);
    expect(decidedOn(synced(NOON, first.plan.status)).plan.verdict.drift, 'at once').to.equal('Told');
  });

  it('is told of with the name of the Service that is astray, and of nobody who wrote it where that is not known', () => {
    const services = ['till', 'checkout'];
    const spec = { traffic: { services: services.map((name) => ({ name })) } };
    const [till, checkout] = world({ ...committed, spec, services }).services;
    if (till === undefined || checkout === undefined) throw new Error('two Services');
    const stripped = { ...checkout, selector: { app: 'checkout' } };
    const { message } = decidedOn({ ...world({ ...committed, spec, services }), services: [till, stripped] });
    expect(message).to.equal('Service "checkout" selected no colour; putting it back to green (revision r2)');
  });

  it('is told of where nobody can tell what was done about it before', () => {
    const [told] = first.plan.status.decisions ?? [];
    if (told === undefined) throw new Error('nothing was told');
    const { effects: _, ...odd } = told;
    const { plan } = decidedOn(synced(NOON + SECOND, { ...first.plan.status, decisions: [odd] }));
    expect(plan.verdict.drift).to.equal('New');
  });

  it('is told of after a minute, with what would end it', () => {
    expect(later.message.split('; ')[2]).to.equal(REMEDY);
    expect(eventFor(RELEASE, first.plan.status, later.plan.verdict)?.note).to.equal(later.message);
    const told = later.plan.status.decisions?.filter(({ reason }) => reason === 'SelectorRestored');
    expect(told?.map(({ at }) => at)).to.deep.equal(['2026-06-01T12:01:00.000Z']);
    const next = decidedOn(synced(NOON + MINUTE + SECOND, later.plan.status));
    expect(next.plan.verdict.drift).to.equal('Told');
  });

  it('is told of at once when it comes to another Service, or another colour is in force: no patch goes unsaid', () => {
    const other = { ...first.plan.status.decisions?.[0], effects: ['PatchSelector till -> green'] };
    const decisions = [other] as Snapshot['previous']['decisions'];
    const { plan } = decidedOn(synced(NOON + SECOND, { ...first.plan.status, decisions }));
    expect(plan.verdict.drift).to.equal('New');
    expect(plan.status.decisions?.map(({ effects }) => effects)).to.deep.equal([
      ['PatchSelector till -> green'],
      ['PatchSelector checkout -> green'],
    ]);
  });

  it('is told of where it was told of one Service, and another one lost its key as well', () => {
    const services = ['till', 'checkout'];
    const spec = { traffic: { services: services.map((name) => ({ name })) } };
    const both = world({ ...committed, mark: undefined, spec, services, now: NOON + SECOND });
    const stripped = editServices(both, { selector: { app: 'checkout' } });
    const { plan } = decidedOn({ ...stripped, previous: first.plan.status });
    expect(plan.verdict.drift).to.equal('New');
  });

  it('that comes back after a long while is an accident again', () => {
    const { message } = decidedOn(synced(NOON + 11 * MINUTE, first.plan.status));
    expect(message).to.equal(first.message);
  });
});
