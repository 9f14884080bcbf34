import { expect } from 'chai';
import { availability } from '../../../src/checks/availability.ts';
import { rolesOf } from '../../../src/release/roles.ts';
import { committed, observed } from '../release/situations.ts';
import { NOON, type Picture, SECOND, type SidePicture, world } from '../release/world.ts';

function checked(picture: Picture) {
  const snapshot = world(picture);
  const roles = rolesOf(snapshot);
  const watched = roles.subject ?? roles.active;
  if (watched === undefined) throw new Error('a revision has the traffic');
  return availability(snapshot, roles, watched);
}

describe('availability', () => {
  const all = { observation: { availability: { minReadyPercent: 100 } } };
  const table: [string, Picture, SidePicture, 'Good' | 'Bad', string][] = [
    [
      'exactly as many as are needed',
      observed,
      { ready: 3 },
      'Good',
      '3 pods are ready, at least 3 are needed',
    ],
    [
      'fewer than at the switch, while as many are wished for',
      observed,
      { ready: 2, desired: 3 },
      'Bad',
      '2 of 3 pods are ready since 2026-06-01T12:00:00Z, at least 3 are needed',
    ],
    [
      'fewer than at the switch, and no more are wished for',
      observed,
      { ready: 2 },
      'Good',
      '2 pods are ready, at least 2 are needed',
    ],
    [
      'none, and none is wished for: at least one is brought back',
      observed,
      { ready: 0, desired: 0 },
      'Bad',
      '0 of 1 pods are ready since 2026-06-01T12:00:00Z, at least 1 are needed',
    ],
    [
      'as many as at the switch, while more are wished for',
      observed,
      { ready: 3, desired: 5 },
      'Good',
      '3 pods are ready, at least 3 are needed',
    ],
    [
      'after the commit fewer than at the switch, and no more are wished for',
      committed,
      { ready: 2 },
      'Good',
      '2 pods are ready, at least 2 are needed',
    ],
    [
      'after the commit fewer than are wished for',
      committed,
      { ready: 1, desired: 2 },
      'Bad',
      '1 of 2 pods are ready since 2026-06-01T12:00:00Z, at least 2 are needed',
    ],
    [
      'after the commit as many as at the switch, while more are wished for',
      committed,
      { ready: 3, desired: 5 },
      'Good',
      '3 pods are ready, at least 3 are needed',
    ],
  ];
  for (const [what, picture, green, state, message] of table) {
    it(`is ${state} with ${what}`, () => {
      const { status } = checked({ ...picture, spec: all, green: { revision: 'r2', ...green } });
      expect([status.state, status.message]).to.deep.equal([state, message]);
    });
  }

  it('is bad since it became so, not since another check did', () => {
    const since = '2026-06-01T11:00:00Z';
    const checks = [
      { name: 'errors', state: 'Bad' as const, since },
      { name: 'availability', state: 'Good' as const },
    ];
    const { status, breach, lookAgainAt } = checked({
      ...observed,
      green: { revision: 'r2', ready: 1, desired: 3 },
      previous: { checks },
    });
    expect([status.since, breach]).to.deep.equal(['2026-06-01T12:00:00Z', undefined]);
    expect(lookAgainAt).to.equal(NOON + 10 * SECOND);
  });
});
