import { expect } from 'chai';
import { expectAnswers } from '../../../src/controller/expected.ts';
import type { Plan } from '../../../src/release/plan.ts';
import { NOON } from '../release/world.ts';

type Doings = Pick<Plan, 'effects' | 'requests'>;
const nothing: Doings = { effects: [], requests: [] };
const asked: Doings = { effects: [], requests: [{ kind: 'Preflight', key: 'k' }] };
const done: Doings = { effects: [{ kind: 'AddFinalizer' }], requests: [] };

describe('a status that can tell of what is yet to be answered', () => {
  let now: number;
  let presses: boolean;
  let answerMs: number;
  beforeEach(() => {
    [now, presses, answerMs] = [NOON, false, 100];
  });
  const begin = () =>
    expectAnswers(
      {
        now: () => now,
        rush: {
          get answerMs() {
            return answerMs;
          },
        },
      },
      () => presses,
    );

  it('waits for nothing where nothing was done or asked for', () => {
    expect(begin().afterMs(nothing)).to.equal(0);
  });

  it('waits for the answer, and for that to what comes of it, until it is told', () => {
    const expected = begin();
    expect(expected.afterMs(asked)).to.equal(100);
    now += 10_000;
    expect(expected.afterMs(nothing)).to.equal(100);
    expect(expected.afterMs(done)).to.equal(100);
    expected.told();
    expect(expected.afterMs(nothing)).to.equal(0);
  });

  it('waits for half a second in all where it presses', () => {
    [presses, answerMs] = [true, 1_000];
    const expected = begin();
    expect(expected.afterMs(asked)).to.equal(500);
    now += 450;
    expect(expected.afterMs(nothing)).to.equal(50);
    now += 50;
    expect(expected.afterMs(done)).to.equal(0);
  });

  it('waits no longer than others do for that', () => {
    presses = true;
    expect(begin().afterMs(asked)).to.equal(100);
  });

  it('waits from when it begins to press', () => {
    answerMs = 1_000;
    const expected = begin();
    expect(expected.afterMs(asked)).to.equal(1_000);
    [now, presses] = [now + 2_000, true];
    expect(expected.afterMs(nothing)).to.equal(500);
    [now, presses] = [now + 500, false];
    expect(expected.afterMs(nothing)).to.equal(1_000);
    [now, presses] = [now + 500, true];
    expect(expected.afterMs(nothing)).to.equal(500);
  });

  it('is told at once where the clock was set back', () => {
    presses = true;
    const expected = begin();
    expected.afterMs(asked);
    now -= 1;
    expect(expected.afterMs(nothing)).to.equal(0);
  });
});
