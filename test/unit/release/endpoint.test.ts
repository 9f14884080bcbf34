import { expect } from 'chai';
import type { ConsumerView, EndpointView } from '../../../src/release/endpoint-view.ts';
import { violations } from '../../../src/release/invariants.ts';
import { parseMark } from '../../../src/release/mark.ts';
import type { Snapshot } from '../../../src/release/snapshot.ts';
import { condition, decidedOn } from './decided.ts';
import {
  BACK,
  committed,
  data,
  decide,
  type ExternalPicture,
  external,
  FORWARD,
  goingBack,
  onBlue,
  r1,
  r2,
  ready,
  switched,
  verified,
  watched,
} from './external.ts';
import { HOUR, MINUTE, NOON, SECOND, UID } from './world.ts';

const undone = (revision: string): NonNullable<ExternalPicture['consumers']> => ({
  api: { restartedWith: `digest-${revision}` },
});
/** What this process remembers, where the owner of the consumer writes its metadata back as well. */
const remembered = (revision: string): Partial<Snapshot['observations']> => ({
  patches: { 'Deployment/api': { mark: `api-uid/digest-${revision}`, at: NOON - MINUTE } },
});
const refused = (at: number): Partial<Snapshot['observations']> => ({
  refusals: { 'Deployment/api': { at, message: 'nobody restarts it', final: true } },
});
const CONTESTED =
  'was restarted with what is published, and its pod template was put back since: have whoever writes it keep the annotation bluegreen.dev/endpoint-checkout of its pod template, or take it out of spec.traffic.endpoint.restart';
const AGAIN = '; it is restarted again at 2026-06-01T12:09:00Z';
const REFUSED = 'cannot be restarted (nobody restarts it): it is tried again every 15 seconds';
const unwritable = (at: number): Partial<Snapshot['observations']> => ({
  refusals: { search: { at, message: 'nobody writes it', final: true } },
});
const LOST = { data: data('green') };
const ELSEWHERE = 'belongs to release "shop/find"';

describe('an external workload', () => {
  for (const [what, picture, reason, message, effects] of [
    [
      'creates what it publishes',
      {},
      'ClaimingEndpoint',
      'claiming what is published',
      ['ClaimEndpoint search'],
    ],
    [
      'begins with what the spec says serves, where nothing is published',
      { says: 'blue', endpoint: { data: {} }, active: 'green' },
      'FreezingRevision',
      'nothing is published yet: spec.workload.external.green becomes revision r1',
      ['CreateRevision r1 from source'],
    ],
    [
      'begins with what is published, whatever the spec says',
      { says: 'blue', active: 'green' },
      'FreezingRevision',
      'ConfigMap "search" says blue: spec.workload.external.blue becomes revision r1',
      ['CreateRevision r1 from source'],
    ],
    [
      'publishes its first revision',
      {
        says: 'blue',
        endpoint: { data: {} },
        revisions: { r1: { ...r2, color: 'blue', attempt: 1, adoption: true, validatedAt: NOON } },
      },
      'Switching',
      'publishing blue as revision r1',
      ['Publish search -> blue'],
    ],
    [
      'starts a release when another side is to be active',
      { ...onBlue, active: 'green' },
      'ReleaseStarted',
      'spec.workload.external changed: starting attempt 2',
      ['CreateRevision r2 from source'],
    ],
    [
      'asks its gates, without waiting for pods',
      { ...ready, revisions: { r1, r2 } },
      'JobStarting',
      'gate "smoke": starting Job checkout-smoke-2',
      ['CreateJob smoke for r2'],
    ],
    [
      'publishes the other side when its gates have passed',
      ready,
      'Switching',
      'all gates passed: moving the traffic to revision r2',
      ['Publish search -> green'],
    ],
    [
      'restarts the first consumer',
      switched,
      'RestartingConsumers',
      'restarting Deployment "api" (1 of 2)',
      ['RestartConsumer Deployment api'],
    ],
    [
      'waits for the first before it restarts the second',
      { ...switched, runs: { api: 'r2!', worker: 'r1' } },
      'RestartingConsumers',
      'Deployment "api" (1 of 2) does not run with it yet: 0 of 2 pods are new and available, 2 old, waiting until 2026-06-01T12:09:00Z',
      [],
    ],
    [
      'then restarts the second',
      { ...switched, runs: { api: 'r2', worker: 'r1' } },
      'RestartingConsumers',
      'restarting Deployment "worker" (2 of 2)',
      ['RestartConsumer Deployment worker'],
    ],
    [
      'is verified when all of them run with it',
      { ...switched, runs: { api: 'r2', worker: 'r2' } },
      'SwitchVerified',
      'every consumer runs with what is published of green: watching revision r2',
      ['RecordFacts r2'],
    ],
    [
      'goes back when a consumer has not come up in time',
      { ...switched, now: NOON + 9 * MINUTE, runs: { api: 'r2!', worker: 'r1' } },
      'ConsumerNotRestarted',
      'Deployment "api" (1 of 2) does not run with it yet: 0 of 2 pods are new and available, 2 old after 600 seconds; putting the traffic back to blue (revision r1)',
      ['Publish search -> blue'],
    ],
    [
      'goes on trying to restart a consumer, for as long again as a restart may take',
      { ...switched, now: NOON + 18 * MINUTE, runs: { api: 'r1', worker: 'r1' } },
      'RestartingConsumers',
      'restarting Deployment "api" (1 of 2)',
      ['RestartConsumer Deployment api'],
    ],
    [
      'goes back when a consumer could not be restarted at all',
      { ...switched, now: NOON + 19 * MINUTE, runs: { api: 'r1', worker: 'r1' } },
      'ConsumerNotRestarted',
      'restarting Deployment "api" (1 of 2) failed for 600 seconds; putting the traffic back to blue (revision r1)',
      ['Publish search -> blue'],
    ],
    [
      'restarts those that had moved on the way back',
      { ...goingBack, runs: { api: 'r2', worker: 'r1' } },
      'RestartingConsumers',
      'blue (revision r1) is published again: restarting Deployment "api" (1 of 2)',
      ['RestartConsumer Deployment api'],
    ],
    [
      'leaves behind, on the way back, the one that does not come up, and not the others',
      { ...goingBack, now: NOON + 9 * MINUTE, runs: { api: 'r1!', worker: 'r2' } },
      'RestartingConsumers',
      'blue (revision r1) is published again: restarting Deployment "worker" (2 of 2)',
      ['RestartConsumer Deployment worker'],
    ],
    [
      'is back when all of them are',
      { ...goingBack, runs: { api: 'r1', worker: 'r1' } },
      'RolledBack',
      'every consumer is back on blue (revision r1): too many errors',
      ['RecordFacts r2 RolledBack'],
    ],
    [
      'goes back on order, inside the window',
      { ...committed, release: { action: 'rollback@2' } },
      'Requested',
      'a rollback of revision r2 was requested by annotation; putting the traffic back to blue (revision r1)',
      ['Publish search -> blue'],
    ],
    [
      'goes back without gates when the spec is reverted inside the window',
      { ...committed, active: 'blue' },
      'Reverted',
      'spec.workload.external says what revision r1 is, which stands by; putting the traffic back to blue (revision r1)',
      ['Publish search -> blue'],
    ],
    [
      'puts back what somebody else wrote, and names who',
      { ...onBlue, endpoint: { data: data('green'), writer: 'kubectl-edit' } },
      'EndpointRestored',
      'ConfigMap "search" does not say what it should (last written by kubectl-edit): blue (revision r1) is published again',
      ['Publish search -> blue'],
    ],
    [
      'creates what somebody deleted',
      { ...onBlue, says: undefined },
      'EndpointRestored',
      'ConfigMap "search" is gone: blue (revision r1) is published again',
      ['ClaimEndpoint search'],
    ],
    [
      'publishes a way back although a consumer cannot be read',
      {
        ...committed,
        release: { action: 'rollback@2' },
        consumers: { api: { uid: '', digest: undefined, complete: false, obstacle: 'cannot be read' } },
      },
      'Requested',
      'a rollback of revision r2 was requested by annotation; putting the traffic back to blue (revision r1)',
      ['Publish search -> blue'],
    ],
    [
      'gives a consumer that cannot be read the time of its own restart',
      {
        ...switched,
        runs: { api: 'r2', worker: 'r2' },
        now: NOON + 9 * MINUTE,
        consumers: { worker: { uid: '', digest: undefined, complete: false, obstacle: 'cannot be read' } },
        observations: { patches: { 'Deployment/worker': { mark: 'worker-uid/digest-r2', at: NOON } } },
      },
      'RestartingConsumers',
      'Deployment "worker" (2 of 2) cannot be read, waiting until 2026-06-01T12:10:00Z',
      [],
    ],
    [
      'tells of a way back that is refused',
      { ...committed, release: { action: 'rollback@2' }, observations: unwritable(NOON) },
      'Requested',
      'a rollback of revision r2 was requested by annotation; putting the traffic back to blue (revision r1); that is refused (nobody writes it), and tried again every second',
      [],
    ],
    [
      'tries it again a second later',
      { ...committed, release: { action: 'rollback@2' }, observations: unwritable(NOON - SECOND) },
      'Requested',
      'a rollback of revision r2 was requested by annotation; putting the traffic back to blue (revision r1); that is refused (nobody writes it), and tried again every second',
      ['Publish search -> blue'],
    ],
    [
      'tells what it may not put back',
      { ...onBlue, endpoint: LOST, observations: unwritable(NOON) },
      'EndpointRefused',
      'ConfigMap "search" does not say what it should, and cannot be patched (nobody writes it); it is tried again every second',
      [],
    ],
    [
      'puts back what somebody else added to what it published',
      { ...onBlue, endpoint: { data: { ...data('blue'), more: 'x' } } },
      'EndpointRestored',
      'ConfigMap "search" does not say what it should: blue (revision r1) is published again',
      ['Publish search -> blue'],
    ],
    [
      'labels again what lost our labels',
      { ...onBlue, endpoint: { state: 'Free' } },
      'EndpointRestored',
      'ConfigMap "search" lost our labels: blue (revision r1) is published again',
      ['ClaimEndpoint search'],
    ],
    [
      'restarts a consumer that was put back to an earlier template',
      { ...onBlue, runs: { worker: 'r1' } },
      'Idle',
      'revision r1 is active on blue; Deployment "api" is to run with what is published',
      ['RestartConsumer Deployment api'],
    ],
    [
      'does not restart again a consumer whose restart is undone by its owner, and says who ends it',
      { ...onBlue, runs: { worker: 'r1' }, consumers: undone('r1') },
      'ConsumerContested',
      `Deployment "api" ${CONTESTED}${AGAIN}`,
      [],
    ],
    [
      'does not restart it again where the owner takes our annotations away as well',
      { ...onBlue, runs: { worker: 'r1' }, observations: remembered('r1') },
      'ConsumerContested',
      `Deployment "api" ${CONTESTED}${AGAIN}`,
      [],
    ],
    [
      'restarts it again when a restart has had its time',
      { ...onBlue, now: NOON + 9 * MINUTE, runs: { worker: 'r1' }, consumers: undone('r1') },
      'ConsumerContested',
      `Deployment "api" ${CONTESTED}${AGAIN}; Deployment "api" is to run with what is published`,
      ['RestartConsumer Deployment api'],
    ],
    [
      'restarts at once a consumer that was restarted with something else before',
      { ...onBlue, runs: { worker: 'r1' }, consumers: undone('r2'), observations: remembered('r2') },
      'Idle',
      'revision r1 is active on blue; Deployment "api" is to run with what is published',
      ['RestartConsumer Deployment api'],
    ],
    [
      'does not restart again and again in a switch what its owner puts back',
      { ...switched, runs: { worker: 'r1' }, consumers: undone('r2') },
      'RestartingConsumers',
      `Deployment "api" (1 of 2) ${CONTESTED}, waiting until 2026-06-01T12:09:00Z`,
      [],
    ],
    [
      'goes back when the owner of a consumer has put it back',
      { ...switched, now: NOON + 9 * MINUTE, runs: { worker: 'r1' }, consumers: undone('r2') },
      'ConsumerNotRestarted',
      `Deployment "api" ${CONTESTED}; putting the traffic back to blue (revision r1)`,
      ['Publish search -> blue'],
    ],
    [
      'goes on with the others, on the way back, where one may not be restarted',
      { ...goingBack, observations: refused(NOON - 14 * SECOND) },
      'RestartingConsumers',
      'blue (revision r1) is published again: restarting Deployment "worker" (2 of 2)',
      ['RestartConsumer Deployment worker'],
    ],
    [
      'tries it again after a while',
      { ...goingBack, observations: refused(NOON - 15 * SECOND) },
      'RestartingConsumers',
      'blue (revision r1) is published again: restarting Deployment "api" (1 of 2)',
      ['RestartConsumer Deployment api'],
    ],
    [
      'does not go on with the others, forward, where one may not be restarted',
      { ...switched, runs: { api: 'r1', worker: 'r1' }, observations: refused(NOON) },
      'RestartingConsumers',
      `Deployment "api" (1 of 2) ${REFUSED}, waiting until 2026-06-01T12:19:00Z`,
      [],
    ],
    [
      'goes on with the others, on the way back, where one is not to be restarted',
      { ...goingBack, consumers: { api: { obstacle: ELSEWHERE } } },
      'RestartingConsumers',
      'blue (revision r1) is published again: restarting Deployment "worker" (2 of 2)',
      ['RestartConsumer Deployment worker'],
    ],
    [
      'does not restart, at rest, what it refuses to restart',
      { ...onBlue, runs: { worker: 'r1' }, consumers: { api: { obstacle: ELSEWHERE } } },
      'ConsumerUnfit',
      'Deployment "api" belongs to release "shop/find", or remove spec.traffic.endpoint.restart[0]',
      [],
    ],
    [
      'leaves what is published when it is deleted',
      { ...committed, release: { deleting: true, deletedAt: NOON } },
      'Kept',
      'ConfigMap "search" stays as it is, and so do those who read it',
      ['ReleaseEndpoint search', 'RemoveFinalizer'],
    ],
    [
      'takes nothing from one that is another release’s by now, when it is deleted',
      {
        ...committed,
        endpoint: { state: 'Foreign', owner: 'find' },
        release: { deleting: true, deletedAt: NOON },
      },
      'Kept',
      'ConfigMap "search" stays as it is, and so do those who read it',
      ['RemoveFinalizer'],
    ],
  ] as readonly (readonly [string, ExternalPicture, string, string, readonly string[]])[]) {
    it(what, () => {
      const seen = decide(picture);
      expect([seen.reason, seen.message, seen.effects]).to.deep.equal([reason, message, effects]);
    });
  }

  it('tells, at rest, of a consumer that cannot be restarted when it is tried again, and of no other time', () => {
    const behind = { ...onBlue, runs: { worker: 'r1' }, observations: refused(NOON) };
    const { reason, message, effects } = decide(behind);
    expect([reason, message, effects]).to.deep.equal(['ConsumerRefused', `Deployment "api" ${REFUSED}`, []]);
  });

  it('is told to be deleted while it is', () => {
    expect(decide({ ...committed, release: { deleting: true, deletedAt: NOON } }).phase).to.equal('Deleting');
  });

  it('tells a way back that is refused as stalled, and no other', () => {
    const back = { ...committed, release: { action: 'rollback@2' } };
    expect(decide(back).plan.verdict.stalled).to.equal(false);
    expect(decide({ ...back, observations: unwritable(NOON) }).plan.verdict.stalled).to.equal(true);
  });

  it('has a second consumer that is restarted anew counted from its own restart', () => {
    const picture = { ...switched, now: NOON + 9 * MINUTE, runs: { api: 'r2!', worker: 'r2!' } };
    const snapshot = external(picture);
    const [api, worker] = snapshot.endpoint?.consumers ?? [];
    const consumers = [api, { ...worker, restartedAt: NOON + 8 * MINUTE }] as ConsumerView[];
    const { phase } = decidedOn({
      ...snapshot,
      endpoint: { ...snapshot.endpoint, consumers } as EndpointView,
    });
    expect(phase).to.equal('Switching');
  });

  it('tells what is published and who runs with it, and of pods nothing', () => {
    const { status } = decide({ ...switched, runs: { api: 'r2', worker: 'r1' } }).plan;
    expect(status.active).to.deep.equal({ color: 'green', revision: 'r2', ready: 0, desired: 0 });
    expect(status.standby).to.deep.equal({ color: 'blue', revision: 'r1', ready: 0, desired: 0 });
    expect(status.switch?.endpoint).to.deep.equal({
      configMap: 'search',
      inSync: true,
      consumers: [
        {
          kind: 'Deployment',
          name: 'api',
          restarted: true,
          converged: true,
          message: '2 of 2 pods are new and available',
        },
        {
          kind: 'Deployment',
          name: 'worker',
          restarted: false,
          converged: false,
          message: '2 of 2 pods are new and available',
        },
      ],
    });
    expect(condition(status, 'TrafficInSync')).to.equal('False');
  });

  it('watches with its checks alone: availability is unknown, and holds up no commit', () => {
    const { plan } = decide({ ...watched, now: NOON + HOUR });
    expect(plan.status.checks).to.deep.equal([
      {
        name: 'availability',
        state: 'Unknown',
        message: 'there are no pods here to count: the other checks say whether the environment is good',
      },
    ]);
    expect(plan.verdict.reason).to.equal('Committed');
    expect(condition(plan.status, 'Healthy')).to.equal('Unknown');
  });

  it('waits for people where the restart of a consumer is undone by its owner', () => {
    const { phase, plan } = decide({ ...onBlue, runs: { worker: 'r1' }, consumers: undone('r1') });
    expect([phase, plan.verdict.stalled]).to.deep.equal(['Stalled', true]);
  });

  it('looks at its consumers every second while one is behind, and rarely when none is', () => {
    expect(decide({ ...switched, runs: { api: 'r2!', worker: 'r1' } }).plan.lookAgainAt).to.equal(
      NOON + SECOND,
    );
    expect(decide(onBlue).plan.lookAgainAt).to.equal(NOON + 15 * SECOND);
    const contested = { ...onBlue, runs: { worker: 'r1' }, consumers: undone('r1') };
    expect(decide(contested).plan.lookAgainAt).to.equal(NOON + 15 * SECOND);
    expect(decide({ ...onBlue, observations: unwritable(NOON) }).plan.lookAgainAt).to.equal(NOON + SECOND);
  });

  for (const [what, picture, message] of [
    [
      'a ConfigMap that nobody has marked as free',
      { says: 'blue', endpoint: { state: 'Foreign' } },
      'ConfigMap "search" exists without the label bluegreen.dev/config, and is left alone: let it be taken over (kubectl label configmap search bluegreen.dev/config=true -n shop) or name another one in spec.traffic.endpoint.configMapRef.name',
    ],
    [
      'a ConfigMap that somebody has put in the place of ours, while it is watched',
      { ...watched, endpoint: { state: 'Foreign' } },
      'ConfigMap "search" exists without the label bluegreen.dev/config, and is left alone: let it be taken over (kubectl label configmap search bluegreen.dev/config=true -n shop) or name another one in spec.traffic.endpoint.configMapRef.name',
    ],
    [
      'a ConfigMap of another release',
      { says: 'blue', endpoint: { state: 'Foreign', owner: 'find' } },
      'ConfigMap "search" belongs to release "find": name another one in spec.traffic.endpoint.configMapRef.name, or delete that release',
    ],
    [
      'a ConfigMap that says an address of neither side',
      { says: 'blue', endpoint: { data: { url: 'https://old.example.com' } } },
      'ConfigMap "search" says an url that neither spec.workload.external.blue nor green has: describe in one of them what consumers use now, or remove the key url from it',
    ],
    [
      'a ConfigMap that an application keeps something else in',
      { says: 'blue', endpoint: { state: 'Free', data: { 'app.yaml': 'a: b' } } },
      'ConfigMap "search" has the key "app.yaml", which would be lost, since url, color and revision replace all that it holds: name another one in spec.traffic.endpoint.configMapRef.name, or remove every other key from it',
    ],
    [
      'a ConfigMap that an application writes to before it is published for the first time',
      {
        says: 'blue',
        endpoint: { data: { 'app.yaml': 'a: b' } },
        revisions: { r1: { ...r2, color: 'blue', attempt: 1, adoption: true, validatedAt: NOON } },
      },
      'ConfigMap "search" has the key "app.yaml", which would be lost, since url, color and revision replace all that it holds: name another one in spec.traffic.endpoint.configMapRef.name, or remove every other key from it',
    ],
    [
      'such a ConfigMap in the place of ours',
      { ...onBlue, mark: '', endpoint: { state: 'Free', data: { 'app.yaml': 'a: b' } } },
      'ConfigMap "search" has the key "app.yaml", which would be lost, since url, color and revision replace all that it holds: name another one in spec.traffic.endpoint.configMapRef.name, or remove every other key from it',
    ],
    [
      'a change of what serves',
      { ...onBlue, blue: 'https://new.example.com' },
      'spec.workload.external.blue is what consumers use (revision r1) and is not changed under them: put it back, or describe the new environment in green and set spec.workload.external.active to it',
    ],
    [
      'a consumer that does not exist',
      { ...onBlue, active: 'green', consumer: { found: false } },
      'Deployment "api" does not exist in namespace "shop": create it, or correct spec.traffic.endpoint.restart[0]',
    ],
    [
      'a consumer whose restart would never end',
      {
        ...onBlue,
        active: 'green',
        consumer: { obstacle: 'is paused, so that a restart would never end: resume it' },
      },
      'Deployment "api" is paused, so that a restart would never end: resume it, or remove spec.traffic.endpoint.restart[0]',
    ],
    [
      'numbers of pods',
      { ...onBlue, active: 'green', spec: { capacity: { standby: 2 } } },
      'spec.capacity counts pods, and workload.external has none here: remove spec.capacity',
    ],
  ] as readonly (readonly [string, ExternalPicture, string])[]) {
    it(`is stalled by ${what}, and nothing moves`, () => {
      const seen = decide(picture);
      expect([seen.phase, seen.message, seen.effects]).to.deep.equal(['Stalled', message, []]);
    });
  }

  describe('has a guard that refuses', () => {
    const order = decide(ready).plan.effects[0] as any;
    const next = decide(switched).plan.effects[0] as any;
    for (const [what, picture, effect, sentence] of [
      [
        'to publish what was not validated',
        { ...ready, revisions: { r1, r2 } },
        order,
        'revision r2 was not validated in attempt 2',
      ],
      [
        'to publish an address that no revision says',
        ready,
        { ...order, data: { ...order.data, url: 'https://evil.example.com' } },
        'what would be published is not what revision r2 says of green',
      ],
      [
        'to write what changed meanwhile',
        { ...ready, endpoint: { data: data('green') } },
        order,
        'ConfigMap search is written under a precondition that was not seen',
      ],
      [
        'to write what is not ours',
        { ...ready, endpoint: { state: 'Foreign' } },
        order,
        'ConfigMap search is not ours to write',
      ],
      [
        'to go back to what was never committed',
        { ...watched, revisions: { r1: { ...r1, committedAt: undefined } as never, r2: verified } },
        {
          ...order,
          from: data('green'),
          expectedMark: FORWARD,
          color: 'blue',
          data: data('blue'),
          mark: parseMark(BACK, UID),
        },
        'revision r1 was never committed',
      ],
      [
        'to restart a consumer with what is not published',
        ready,
        next,
        'Deployment api would run with what is not published',
      ],
      [
        'to restart who does not read it',
        switched,
        { ...next, name: 'other', uid: 'other' },
        'Deployment other is not a consumer of this release',
      ],
      [
        'to restart what must not be restarted',
        { ...switched, consumers: { api: { obstacle: ELSEWHERE } } },
        next,
        'Deployment api belongs to release "shop/find"',
      ],
    ] as readonly (readonly [string, ExternalPicture, any, string])[]) {
      it(what, () => {
        expect(violations(external(picture), [effect])).to.deep.equal([sentence]);
      });
    }

    it('to restart two at once', () => {
      expect(violations(external(switched), [next, next])).to.deep.equal([
        '2 consumers would be restarted at once',
      ]);
    });
  });
});
