/** The guards of what is published: each refuses one thing, and says so in one sentence. */
import { expect } from 'chai';
import { violations } from '../../../src/release/invariants.ts';
import type { Effect } from '../../../src/release/plan.ts';
import type { Snapshot } from '../../../src/release/snapshot.ts';
import {
  data,
  decide,
  type ExternalPicture,
  external,
  goingBack,
  kept,
  r1,
  r2,
  ready,
  type SecretPicture,
  switched,
  valid,
  watched,
} from './external.ts';
import { NOON, UID, world } from './world.ts';

const rejected = { at: NOON, reason: 'CheckFailed', message: 'too many errors' };
const PIECES = { mark: `${UID}/r1/1` };

type Of<Kind extends Effect['kind']> = Extract<Effect, { kind: Kind }>;
type Edit<Kind extends Effect['kind']> = { readonly [Member in keyof Of<Kind>]?: unknown };

function orderOf<Kind extends Effect['kind']>(picture: ExternalPicture, kind: Kind): Of<Kind> {
  return decide(picture).plan.effects.find((effect) => effect.kind === kind) as Of<Kind>;
}

function refused<Kind extends Effect['kind']>(
  seen: Snapshot,
  order: Of<Kind>,
  edit: Edit<Kind> = {},
): string[] {
  return violations(seen, [{ ...order, ...edit } as Effect]);
}

describe('an order to publish', () => {
  const order = orderOf(ready, 'Publish');
  const back = orderOf({ ...watched, release: { action: 'rollback@2' } }, 'Publish');
  const UNSEEN = 'ConfigMap search is written under a precondition that was not seen';
  const table: readonly [string, ExternalPicture, Edit<'Publish'>, readonly string[]][] = [
    ['is let pass', ready, {}, []],
    [
      'to another ConfigMap',
      ready,
      { configMap: 'find' },
      ['ConfigMap find is not what this release publishes'],
    ],
    ['to one that was created anew', ready, { uid: 'another' }, [UNSEEN]],
    ['to one whose mark has changed', ready, { expectedMark: undefined }, [UNSEEN]],
    ['to one that says something else', ready, { from: data('green') }, [UNSEEN]],
    [
      'to one that is not ours',
      { ...ready, endpoint: { state: 'Free' } },
      {},
      ['ConfigMap search is not ours to write'],
    ],
    [
      'under the mark of another release',
      ready,
      { mark: { ...order.mark, uid: 'another' } },
      ['the mark does not belong to green'],
    ],
    [
      'of the other side, under the mark of this one',
      ready,
      { color: 'blue', data: data('blue') },
      ['the mark does not belong to blue'],
    ],
    [
      'that calls one side by the name of the other',
      ready,
      { data: { ...order.data, color: 'blue' } },
      ['what would be published is not what revision r2 says of green'],
    ],
    [
      'of a revision that is not there',
      ready,
      { mark: { ...order.mark, revision: 'r9' } },
      ['the mark does not belong to green', 'what would be published is not what revision r9 says of green'],
    ],
    [
      'of what was not validated',
      { ...ready, revisions: { r1, r2 } },
      {},
      ['revision r2 was not validated in attempt 2'],
    ],
    [
      'of what was validated in another attempt',
      ready,
      { mark: { ...order.mark, attempt: 3 } },
      ['revision r2 was not validated in attempt 3'],
    ],
    [
      'of what is rejected',
      { ...ready, revisions: { r1, r2: { ...valid, rejected } } },
      {},
      ['revision r2 is rejected'],
    ],
  ];
  for (const [what, seen, edit, sentences] of table)
    it(what, () => {
      expect(refused(external(seen), order, edit)).to.deep.equal(sentences);
    });

  const { committedAt: _, ...uncommitted } = r1;
  const returns: readonly [string, ExternalPicture, readonly string[]][] = [
    ['is let pass', watched, []],
    [
      'to what was never committed',
      { ...watched, revisions: { ...watched.revisions, r1: uncommitted } },
      ['revision r1 was never committed'],
    ],
    [
      'to what is rejected',
      { ...watched, revisions: { ...watched.revisions, r1: { ...r1, rejected } } },
      ['revision r1 is rejected'],
    ],
  ];
  for (const [what, seen, sentences] of returns)
    it(`for the way back ${what}`, () => {
      expect(back.mark.direction).to.equal('Back');
      expect(refused(external(seen), back)).to.deep.equal(sentences);
    });

  it('for the way back is let pass once more, whatever became of what it goes back to', () => {
    const astray = { ...goingBack, endpoint: { data: data('green') } };
    const again = orderOf(astray, 'Publish');
    const seen = { ...astray, revisions: { ...goingBack.revisions, r1: { ...uncommitted, rejected } } };
    expect([again.mark.direction, refused(external(seen), again)]).to.deep.equal(['Back', []]);
  });

  it('is refused where nothing is published', () => {
    expect(refused(world({}), order)).to.deep.equal(['ConfigMap search is not what this release publishes']);
  });

  it('is refused of a release that has no environments, and of a revision that was never started', () => {
    const seen = external(ready);
    const { workload: _, ...bare } = seen.release.spec;
    const frozen = { ...bare, workload: {} } as typeof seen.release.spec;
    const without = seen.revisions.map((each) => (each.name === 'r2' ? { ...each, frozen } : each));
    expect(refused({ ...seen, revisions: without }, order)).to.deep.equal([
      'what would be published is not what revision r2 says of green',
    ]);
    const unstarted = seen.revisions.map((each) =>
      each.name === 'r2' ? { ...each, facts: undefined } : each,
    );
    expect(refused({ ...seen, revisions: unstarted }, order)).to.deep.equal([
      'the mark does not belong to green',
      'revision r2 was not validated in attempt 2',
    ]);
    const uncommitted = seen.revisions.map((each) =>
      each.name === 'r1' ? { ...each, facts: undefined } : each,
    );
    expect(refused({ ...external(watched), revisions: uncommitted }, back)).to.include(
      'revision r1 was never committed',
    );
  });
});

describe('an order to publish credentials', () => {
  const picture = (secret: SecretPicture = {}): ExternalPicture => ({
    ...switched,
    secret: { ...PIECES, ...secret },
  });
  const order = orderOf(picture(), 'PublishSecret');
  const UNSEEN = 'Secret search-login is written under a precondition that was not seen';
  const table: readonly [string, ExternalPicture, Edit<'PublishSecret'>, readonly string[]][] = [
    ['is let pass', picture(), {}, []],
    ['is let pass to one that is free to take', picture({ state: 'Free' }), {}, []],
    ['to another Secret', picture(), { secret: 'admin' }, [UNSEEN.replace('search-login', 'admin')]],
    ['to one that was created anew', picture(), { uid: 'another' }, [UNSEEN]],
    ['to one that was written meanwhile', picture(), { resourceVersion: '0' }, [UNSEEN]],
    [
      'to one that is not ours',
      picture({ state: 'Foreign' }),
      {},
      ['Secret search-login is not ours to write'],
    ],
    [
      'that calls one side by the name of the other',
      picture(),
      { beside: { ...order.beside, color: 'blue' } },
      ['what Secret search-login would say does not belong to green'],
    ],
    [
      'of the other side, under the mark of this one',
      picture(),
      { color: 'blue', beside: data('blue'), source: { name: 'search-blue', version: '1' } },
      ['what Secret search-login would say does not belong to blue'],
    ],
    [
      'from a Secret that nobody names for that side',
      picture(),
      { source: { name: 'search-blue', version: '1' } },
      ['Secret search-blue is not what anybody names for green'],
    ],
  ];
  for (const [what, seen, edit, sentences] of table)
    it(what, () => {
      expect(refused(external(seen), order, edit)).to.deep.equal(sentences);
    });

  it('is let pass from the Secret that the spec names now, and from the one that the revision names', () => {
    const seen = external(picture());
    const renamed = (name: string): Snapshot => {
      const { credentials } = seen.endpoint ?? {};
      const sides = { ...credentials?.sides, green: { ...credentials?.sides.green, name } };
      return { ...seen, endpoint: { ...seen.endpoint, credentials: { ...credentials, sides } } } as Snapshot;
    };
    expect(refused(renamed('later'), order)).to.deep.equal([]);
    expect(refused(renamed('later'), order, { source: { name: 'later', version: '1' } })).to.deep.equal([]);
    const revisions = seen.revisions.map((each) => {
      const { green, ...rest } = each.frozen.workload.external ?? {};
      const external = { ...rest, green: { url: green?.url } };
      return { ...each, frozen: { ...each.frozen, workload: { external } } };
    }) as unknown as Snapshot['revisions'];
    expect(refused({ ...seen, revisions }, order), 'without one in the revision').to.deep.equal([]);
  });

  it('is refused where nothing is published, and of a revision that is not there or was never started', () => {
    expect(refused(world({}), order)).to.deep.equal([
      UNSEEN,
      'Secret search-login is not ours to write',
      'Secret search-login would say what ConfigMap undefined does not',
      'what Secret search-login would say does not belong to green',
      'Secret search-green is not what anybody names for green',
    ]);
    const seen = external(picture());
    const sentence = 'what Secret search-login would say does not belong to green';
    expect(refused({ ...seen, revisions: [] }, order)).to.deep.equal([sentence]);
    const unstarted = seen.revisions.map((each) => ({ ...each, facts: undefined }));
    expect(refused({ ...seen, revisions: unstarted }, order)).to.deep.equal([sentence]);
    const bare = seen.revisions.map((each) => ({ ...each, frozen: { ...each.frozen, workload: {} } }));
    expect(refused({ ...seen, revisions: bare }, order), 'without environments').to.deep.equal([sentence]);
  });
});

describe('a commit of an external workload', () => {
  const checks = [{ name: 'errors', prometheus: { query: 'q', max: '1' } }];
  const commit = (action: string, mark: string): string[] => {
    const seen = external({ ...watched, spec: { observation: { checks } }, mark, release: { action } });
    const expected = seen.revisions.find(({ name }) => name === 'r2')?.rawFacts;
    return violations(seen, [{ kind: 'RecordFacts', revision: 'r2', expected, facts: kept }]);
  };

  it('on a check that is unknown is let pass where people order it of the attempt that is shown', () => {
    const unknown = 'revision r2 would be committed although check errors is not good';
    expect(commit('promote@2', `${UID}/r2/2`)).to.deep.equal([]);
    expect(commit('promote@5', `${UID}/r2/2`)).to.deep.equal([unknown]);
    expect(commit('promote@5', `${UID}/r9/5`), 'which the mark of a deleted one tells').to.deep.equal([]);
    expect(commit('promote@2', `${UID}/r9/5`)).to.deep.equal([unknown]);
  });
});

describe('an order to restart a consumer', () => {
  const picture: ExternalPicture = { ...switched, runs: { api: 'r1', worker: 'r1' } };
  const order = orderOf(picture, 'RestartConsumer');
  const UNPUBLISHED = 'Deployment api would run with what is not published';
  const table: readonly [string, ExternalPicture, Edit<'RestartConsumer'>, readonly string[]][] = [
    ['is let pass', picture, {}, []],
    [
      'that is another by now',
      picture,
      { uid: 'another' },
      ['Deployment api is not a consumer of this release'],
    ],
    [
      'of another kind',
      picture,
      { consumer: 'StatefulSet' },
      ['StatefulSet api is not a consumer of this release'],
    ],
    ['with what is not published', picture, { digest: 'digest-r1' }, [UNPUBLISHED]],
    ['before anything is published', { ...picture, mark: 'other' }, {}, [UNPUBLISHED]],
    [
      'that would never end',
      { ...picture, consumers: { api: { obstacle: 'has no pods' } } },
      {},
      ['Deployment api has no pods'],
    ],
  ];
  for (const [what, seen, edit, sentences] of table)
    it(what, () => {
      expect(refused(external(seen), order, edit)).to.deep.equal(sentences);
    });

  it('is refused beside another one', () => {
    const worker = { ...order, name: 'worker', uid: 'worker-uid' };
    expect(violations(external(picture), [order, worker])).to.deep.equal([
      '2 consumers would be restarted at once',
    ]);
  });

  it('is refused where nothing is published', () => {
    expect(refused(world({}), order)).to.deep.equal([
      'Deployment api is not a consumer of this release',
      UNPUBLISHED,
    ]);
  });
});
