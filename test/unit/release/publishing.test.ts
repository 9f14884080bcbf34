/** An external workload begins: what serves is recorded, published with a mark, and its consumers are restarted once. */
import { expect } from 'chai';
import type { RevisionFacts } from '../../../src/release/facts.ts';
import { decidedOn, effectOf } from './decided.ts';
import { decide, type ExternalPicture, external } from './external.ts';
import { MINUTE, NOON, UID } from './world.ts';

const begun: RevisionFacts = { color: 'blue', attempt: 1, startedAt: NOON - 5 * MINUTE, adoption: true };
const valid: RevisionFacts = { ...begun, validatedAt: NOON - 2 * MINUTE };
const FIRST = `${UID}/r1/1`;

const frozen: ExternalPicture = { says: 'blue', endpoint: { data: {} }, revisions: { r1: begun } };
const ordered: ExternalPicture = { ...frozen, revisions: { r1: valid } };
const published: ExternalPicture = { says: 'blue', mark: FIRST, revisions: { r1: valid } };
const changed: ExternalPicture = { ...frozen, blue: 'https://blue.example.org' };

const PUBLISHED = 'revision r1 is published:';
const REFUSED =
  'Deployment "api" (1 of 2) cannot be restarted (nobody restarts it): it is tried again every 15 seconds';
const STARTING = '0 of 2 pods are new and available, 2 old';

describe('an external workload begins', () => {
  for (const [what, picture, phase, reason, stalled, message, effects] of [
    [
      'with what people say: there is nothing to compare it with',
      frozen,
      'Adopting',
      'Validated',
      undefined,
      'revision r1 is what people say serves: there is nothing here to compare it with',
      ['RecordFacts r1'],
    ],
    [
      'and claims what it publishes again, where somebody deleted it meanwhile',
      { ...frozen, says: undefined },
      'Adopting',
      'ClaimingEndpoint',
      undefined,
      'claiming what is published',
      ['ClaimEndpoint search'],
    ],
    [
      'by publishing it',
      ordered,
      'Adopting',
      'Switching',
      undefined,
      'publishing blue as revision r1',
      ['Publish search -> blue'],
    ],
    [
      'by restarting its consumers, one after the other',
      published,
      'Adopting',
      'RestartingConsumers',
      false,
      `${PUBLISHED} restarting Deployment "api" (1 of 2)`,
      ['RestartConsumer Deployment api'],
    ],
    [
      'and waits for each of them',
      { ...published, now: NOON + 9 * MINUTE - 1, runs: { api: 'r1!' } },
      'Adopting',
      'RestartingConsumers',
      false,
      `${PUBLISHED} Deployment "api" (1 of 2) does not run with it yet: ${STARTING}`,
      [],
    ],
    [
      'and says so when one takes longer than it may: there is nothing to go back to',
      { ...published, now: NOON + 9 * MINUTE, runs: { api: 'r1!' } },
      'Adopting',
      'RestartingConsumers',
      true,
      `${PUBLISHED} Deployment "api" (1 of 2) does not run with it yet: ${STARTING}`,
      [],
    ],
    [
      'and says so when one cannot be restarted',
      {
        ...published,
        observations: {
          refusals: { 'Deployment/api': { at: NOON, message: 'nobody restarts it', final: true } },
        },
      },
      'Adopting',
      'RestartingConsumers',
      true,
      `${PUBLISHED} ${REFUSED}`,
      [],
    ],
    [
      'and restarts nobody before the credentials are published',
      { ...published, secret: { blue: { state: 'Absent' } } },
      'Adopting',
      'PublishingCredentials',
      true,
      'revision r1 is published, and nobody is restarted yet: Secret "search-blue" does not exist: create it, with the label bluegreen.dev/config, or correct its name',
      [],
    ],
    [
      'and is kept when all of them run with it',
      { ...published, runs: { api: 'r1', worker: 'r1' } },
      'Adopting',
      'Began',
      undefined,
      'revision r1 is the first to be published',
      ['RecordFacts r1 Committed'],
    ],
    [
      'anew, where people have said something else of that side before anybody used it',
      changed,
      'Adopting',
      'Superseded',
      undefined,
      'revision r1 is no longer wanted: spec.workload.external.blue changed before anybody was known to use it',
      ['RecordFacts r1 Superseded'],
    ],
    [
      'not anew with what is wrong',
      { ...changed, secret: { blue: { lacks: 'password' } } },
      'Stalled',
      'CredentialsIncomplete',
      true,
      'spec.workload.external.blue.secretRef: Secret "search-blue" has no key "password", or nothing in it: add it, or correct spec.traffic.endpoint.secretRef.keys',
      [],
    ],
  ] as readonly (readonly [
    string,
    ExternalPicture,
    string,
    string,
    boolean | undefined,
    string,
    readonly string[],
  ])[]) {
    it(what, () => {
      const seen = decide(picture);
      expect([seen.phase, seen.reason, seen.plan.verdict.stalled]).to.deep.equal([phase, reason, stalled]);
      expect([seen.message, seen.effects]).to.deep.equal([message, effects]);
    });
  }

  it('not anew before it was judged', () => {
    const snapshot = external(changed);
    const preflight = { key: 'another', at: NOON, problems: [] };
    const asking = { ...snapshot, observations: { ...snapshot.observations, preflight } };
    const { phase, reason, effects } = decidedOn(asking);
    expect([phase, reason, effects]).to.deep.equal(['Adopting', 'Preflight', []]);
  });

  it('and records when it was validated, published, and known to be used', () => {
    expect(effectOf(decide(frozen), 'RecordFacts').facts).to.deep.equal({ ...begun, validatedAt: NOON });
    expect(effectOf(decide(ordered), 'Publish')).to.deep.include({
      mark: { uid: UID, revision: 'r1', attempt: 1, direction: 'Forward' },
      reason: 'Adopted: publishing blue as revision r1',
      rescue: false,
    });
    const done = decide({ ...published, runs: { api: 'r1', worker: 'r1' } });
    expect(effectOf(done, 'RecordFacts').facts).to.deep.equal({
      ...valid,
      verifiedAt: NOON,
      committedAt: NOON,
      outcome: {
        kind: 'Committed',
        at: NOON,
        reason: 'Began',
        message: 'revision r1 is the first to be published',
      },
    });
  });

  it('anew under the next attempt', () => {
    const result = decide(changed);
    const { outcome } = effectOf(result, 'RecordFacts').facts;
    expect(outcome).to.deep.equal({
      kind: 'Superseded',
      at: NOON,
      reason: 'Superseded',
      message:
        'revision r1 is no longer wanted: spec.workload.external.blue changed before anybody was known to use it',
    });
    const over = { ...begun, ...(outcome !== undefined && { outcome }) };
    const anew = decide({ ...changed, revisions: { r1: over } });
    expect([anew.phase, anew.reason, anew.message]).to.deep.equal([
      'Adopting',
      'FreezingRevision',
      'nobody is known to use blue yet: spec.workload.external.blue becomes revision r2',
    ]);
    expect(effectOf(anew, 'CreateRevision').facts).to.deep.equal({
      color: 'blue',
      attempt: 2,
      startedAt: NOON,
      adoption: true,
    });
  });
});
