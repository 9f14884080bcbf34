import { expect } from 'chai';
import { credentialsUnfit, endpointProblem } from '../../../src/release/endpoint-problems.ts';
import { rolesOf } from '../../../src/release/roles.ts';
import type { Snapshot } from '../../../src/release/snapshot.ts';
import { data, type ExternalPicture, external, onBlue, r1, ready, type SecretPicture } from './external.ts';
import { idle } from './situations.ts';
import { editFacts, specOf, UID, world } from './world.ts';

const problem = (snapshot: Snapshot): readonly [string, string] | undefined => {
  const found = endpointProblem(snapshot, rolesOf(snapshot));
  return found && [found.reason, found.message];
};

const FOREIGN = { state: 'Foreign', mark: undefined, rawMark: undefined } as const;
const FREE = { state: 'Free', mark: undefined, rawMark: undefined } as const;
const MORE = { ...data('blue'), host: 'search' };
const IN_USE =
  'ConfigMap "search" has the key "host", which would be lost, since url, color and revision replace all that it holds: name another one in spec.traffic.endpoint.configMapRef.name, or remove every other key from it';
const UNKNOWN =
  'ConfigMap "search" says an url that neither spec.workload.external.blue nor green has: describe in one of them what consumers use now, or remove the key url from it';
const COUNTED = 'spec.capacity counts pods, and workload.external has none here: remove spec.capacity';
const ELSEWHERE = { url: 'https://elsewhere.example.com' };
/** Blue serves with its credentials. */
const secret: SecretPicture = { mark: `${UID}/r1/1` };
const published: ExternalPicture = { ...onBlue, secret };
const of = (change: SecretPicture): ExternalPicture => ({ ...onBlue, secret: { ...secret, ...change } });
const begins = (change: SecretPicture): ExternalPicture => ({
  says: 'blue',
  endpoint: FREE,
  secret: change,
});

describe('an external workload is fit', () => {
  for (const [what, picture] of [
    ['where nothing is published yet', {}],
    ['where what is published is what one of its sides says', { says: 'blue', endpoint: FREE }],
    ['where what is published says nothing yet', { says: 'blue', endpoint: { ...FREE, data: {} } }],
    ['at rest', onBlue],
    ['under way', ready],
    ['with credentials', published],
    [
      'where a key beside ours came later: the mark says that it is ours',
      { ...onBlue, endpoint: { data: MORE } },
    ],
    [
      'where such a key came and our labels went: the mark says that it is ours',
      { ...onBlue, endpoint: { state: 'Free', data: MORE } },
    ],
    [
      'where the mark was lost after the first revision: the labels say that it is ours',
      { ...onBlue, endpoint: { mark: undefined, rawMark: undefined, data: MORE } },
    ],
    [
      'where what serves says another url than the spec: a release is what changes that',
      { ...onBlue, endpoint: { data: { ...data('blue'), ...ELSEWHERE } } },
    ],
    ['while its Secret is not answered for: that may pass', of({ state: 'Unanswered' })],
    ['while that of its side is not answered for: that may pass', of({ blue: { state: 'Unanswered' } })],
    [
      'whatever is wrong with the Secret of the side that is not to serve',
      of({ green: { state: 'Absent' } }),
    ],
  ] as readonly (readonly [string, ExternalPicture])[])
    it(what, () => expect(problem(external(picture))).to.equal(undefined));

  it('where there is none', () => expect(problem(world(idle))).to.equal(undefined));

  it('where the spec is that of a workload with pods, which is judged elsewhere', () => {
    const snapshot = external({ ...onBlue, endpoint: FOREIGN });
    const { traffic } = snapshot.release.spec;
    const release = { ...snapshot.release, spec: { ...specOf(), traffic } };
    expect(problem({ ...snapshot, release })).to.equal(undefined);
  });
});

it('what cannot be judged is not: nobody looked at what is published, or nothing is wished for', () => {
  const snapshot = external(of({ state: 'Absent' }));
  expect(problem({ ...snapshot, endpoint: undefined })).to.equal(undefined);
  const release = { ...snapshot.release, spec: specOf() };
  expect(credentialsUnfit({ ...snapshot, release }, rolesOf(snapshot))).to.equal(undefined);
  expect(problem({ ...external(onBlue), wish: undefined })).to.equal(undefined);
});

it('what is published counts as never published where mark and facts were lost: nothing says that it was', () => {
  const unmarked = external({ ...onBlue, endpoint: { mark: undefined, rawMark: undefined, data: MORE } });
  expect(problem(editFacts(unmarked, 'r1', undefined))).to.deep.equal(['EndpointInUse', IN_USE]);
});

describe('an external workload is held up', () => {
  for (const [what, picture, reason, message] of [
    [
      'by a share of pods asked of the candidate',
      { ...onBlue, spec: { capacity: { candidate: '50%' } } },
      'FieldWithoutMeaning',
      COUNTED,
    ],
    [
      'by a share of pods asked of the old side',
      { ...onBlue, spec: { capacity: { window: '50%' } } },
      'FieldWithoutMeaning',
      COUNTED,
    ],
    [
      'by pods asked of a standby',
      { ...onBlue, spec: { capacity: { standby: 1 } } },
      'FieldWithoutMeaning',
      COUNTED,
    ],
    [
      'by a key of somebody else, where it may be taken and never was',
      { says: 'blue', endpoint: { ...FREE, data: MORE } },
      'EndpointInUse',
      IN_USE,
    ],
    [
      'by a key of somebody else, where our labels are on it and nothing was published',
      { says: 'blue', endpoint: { ...FREE, state: 'Ours', data: MORE } },
      'EndpointInUse',
      IN_USE,
    ],
    [
      'by a key of somebody else, where the labels and the mark were lost',
      { ...onBlue, endpoint: { ...FREE, data: MORE } },
      'EndpointInUse',
      IN_USE,
    ],
    [
      'by another release that has it',
      { ...onBlue, endpoint: { ...FOREIGN, owner: 'find' } },
      'EndpointClaimed',
      'ConfigMap "search" belongs to release "find": name another one in spec.traffic.endpoint.configMapRef.name, or delete that release',
    ],
    [
      'by somebody else who has it',
      { ...onBlue, endpoint: FOREIGN },
      'NameTaken',
      'ConfigMap "search" exists without the label bluegreen.dev/config, and is left alone: let it be taken over (kubectl label configmap search bluegreen.dev/config=true -n shop) or name another one in spec.traffic.endpoint.configMapRef.name',
    ],
    [
      'by an url that nobody describes, before the first revision',
      { says: 'blue', endpoint: { ...FREE, data: ELSEWHERE } },
      'EndpointUnknown',
      UNKNOWN,
    ],
    [
      'by a Secret that is not there',
      of({ state: 'Absent' }),
      'CredentialsNotFound',
      'spec.traffic.endpoint.secretRef: Secret "search-login"',
    ],
    [
      'by a Secret that cannot be read',
      of({ state: 'Unreadable' }),
      'CredentialsForbidden',
      'spec.traffic.endpoint.secretRef: Secret "search-login"',
    ],
    [
      'by a Secret that is not labelled',
      of({ state: 'Foreign' }),
      'CredentialsForeign',
      'spec.traffic.endpoint.secretRef: Secret "search-login"',
    ],
    [
      'by a Secret of another release',
      of({ state: 'Foreign', owner: 'find' }),
      'CredentialsForeign',
      'spec.traffic.endpoint.secretRef: Secret "search-login" belongs to release "find"',
    ],
    [
      'by a Secret in which something would be lost',
      of({ state: 'InUse' }),
      'CredentialsInUse',
      'spec.traffic.endpoint.secretRef: Secret "search-login"',
    ],
    [
      'by a Secret that no write could change',
      of({ state: 'Unfit' }),
      'CredentialsUnfit',
      'spec.traffic.endpoint.secretRef: Secret "search-login"',
    ],
    [
      'by the Secret of its side, which is not there',
      of({ blue: { state: 'Absent' } }),
      'CredentialsNotFound',
      'spec.workload.external.blue.secretRef: Secret "search-blue" does not exist',
    ],
    [
      'by the Secret of its side, which cannot be read',
      of({ blue: { state: 'Unreadable' } }),
      'CredentialsForbidden',
      'spec.workload.external.blue.secretRef: Secret "search-blue" cannot be read',
    ],
    [
      'by the Secret of its side, which nobody lets be used',
      of({ blue: { state: 'Unlabelled' } }),
      'CredentialsForeign',
      'spec.workload.external.blue.secretRef: Secret "search-blue" has no label bluegreen.dev/config',
    ],
    [
      'by the Secret of its side, which lacks a key',
      of({ blue: { lacks: 'password' } }),
      'CredentialsIncomplete',
      'spec.workload.external.blue.secretRef: Secret "search-blue" has no key "password"',
    ],
    [
      'before the first revision by the Secret of either side',
      begins({ green: { state: 'Absent' } }),
      'CredentialsNotFound',
      'spec.workload.external.green.secretRef: Secret "search-green" does not exist',
    ],
    [
      'by what serves, when it is changed under those who use it',
      { ...onBlue, blue: ELSEWHERE.url },
      'ServingSideChanged',
      'spec.workload.external.blue is what consumers use (revision r1) and is not changed under them: put it back, or describe the new environment in green and set spec.workload.external.active to it',
    ],
    [
      'by the credentials of what serves, when they are changed under those who use it',
      of({ blue: { version: 'blue-uid/2' } }),
      'ServingSideChanged',
      'spec.workload.external.blue.secretRef: Secret "search-blue" does not hold what consumers use (revision r1), and credentials are not changed under them: put it back, or describe the environment with its new ones in green and set spec.workload.external.active to it',
    ],
    [
      'by a consumer that is not there',
      { ...onBlue, consumers: { worker: { found: false } } },
      'ConsumerNotFound',
      'Deployment "worker" does not exist in namespace "shop": create it, or correct spec.traffic.endpoint.restart[1]',
    ],
    [
      'by a consumer whose restart would never end',
      { ...onBlue, consumers: { worker: { obstacle: 'is paused: resume it' } } },
      'ConsumerUnfit',
      'Deployment "worker" is paused: resume it, or remove spec.traffic.endpoint.restart[1]',
    ],
  ] as readonly (readonly [string, ExternalPicture, string, string])[])
    it(what, () => {
      const [said, words] = problem(external(picture)) ?? ['nothing', ''];
      expect([said, words.slice(0, message.length)]).to.deep.equal([reason, message]);
    });
});

describe('what serves is changed', () => {
  it('by nobody who describes the other side, nor while it is being taken over', () => {
    expect(problem(external({ ...ready, blue: ELSEWHERE.url }))).to.equal(undefined);
    const { outcome: _, committedAt: __, verifiedAt: ___, ...begun } = r1;
    expect(problem(external({ ...onBlue, blue: ELSEWHERE.url, revisions: { r1: begun } }))).to.equal(
      undefined,
    );
  });
});
