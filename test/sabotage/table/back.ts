/** The way back, and who stands by for it. */
import type { Sabotage } from '../sabotage.ts';
import { UNGUARDED } from './unguarded.ts';

const GO_BACK = 'src/release/stages/back.ts';

export const BACK: readonly Sabotage[] = [
  {
    name: 'rollback-waits-for-the-candidate',
    invariant: 2,
    kinds: ['deaths'],
    breaks: 'The traffic goes back only while the side that it leaves is well.',
    file: GO_BACK,
    find: 'if (ready > 0 && enough) return',
    replace: 'if (ready > 0 && enough && readyOf(snapshot, from) > 0) return',
    also: [
      {
        file: GO_BACK,
        find: 'import { holdColor,',
        replace: "import { readyCount } from '../endpoints.ts';\nimport { holdColor,",
      },
      {
        file: GO_BACK,
        find: 'function orderBack(',
        replace: `function readyOf(snapshot: Snapshot, { facts }: StartedRevision): number {
  return readyCount(snapshot, facts.color);
}

function orderBack(`,
      },
    ],
  },
  {
    name: 'rollback-without-patience',
    invariant: 2,
    kinds: ['thin'],
    breaks: 'The traffic stays on a bad side until the other one is as large, however long that takes.',
    file: GO_BACK,
    find: '|| snapshot.now >= patience;',
    replace: ';',
  },
  {
    name: 'rescue-forgotten',
    invariant: 12,
    kinds: ['lateDeaths'],
    breaks: 'The active side is dead, the rollback target is ready, and nothing happens.',
    file: 'src/release/decide.ts',
    find: '[deleting, rescue, serveAgain, align, act, split, byStage]',
    replace: '[deleting, serveAgain, align, act, split, byStage]',
  },
  {
    name: 'breach-ignored',
    invariant: 2,
    kinds: ['breaches'],
    breaks: 'A failed check moves no traffic.',
    file: 'src/release/stages/observing.ts',
    find: 'const cause = breach ?? (isWell ? undefined : wanted);',
    replace: 'const cause = isWell ? undefined : wanted;',
  },
  {
    name: 'back-to-what-was-rejected',
    invariant: 6,
    kinds: ['regrets'],
    breaks: 'A rejected revision may be gone back to.',
    file: 'src/release/roles.ts',
    find: `return facts.outcome?.kind === 'Committed' && facts.rejected === undefined;`,
    replace: 'return facts.committedAt !== undefined;',
    also: [UNGUARDED],
  },
  {
    name: 'window-never-closes',
    invariant: 3,
    kinds: ['windows'],
    breaks: 'The side before is gone back to after its window.',
    file: 'src/release/roles.ts',
    find: 'snapshot.now < active.facts.windowUntil;',
    replace: 'snapshot.now > 0;',
  },
  {
    name: 'target-shrinks-inside-its-window',
    invariant: 3,
    kinds: ['calm'],
    breaks: 'The rollback target is sized as if its window were over.',
    file: 'src/release/stages/resting.ts',
    find: '  if (target !== undefined) {\n    const held',
    replace: '  if (target !== undefined && snapshot.now < 0) {\n    const held',
    also: [
      {
        file: 'src/release/old-side.ts',
        find: 'held !== target?.name &&',
        replace: 'held !== target?.number &&',
      },
      UNGUARDED,
    ],
  },
  {
    name: 'way-back-not-proven',
    invariant: 9,
    kinds: ['sluggishBack'],
    breaks: 'A way back counts as done before the endpoints say so.',
    file: 'src/release/stages/returning.ts',
    find: 'if (behind !== undefined && !isInVain(snapshot, roles, command)) {',
    replace: 'if (behind !== undefined && snapshot.now < 0) {',
  },
  {
    name: 'never-gives-way',
    invariant: 11,
    kinds: ['bothDead'],
    breaks: 'A fix waits until what it fixes is well: a watched revision that is dead is watched for ever.',
    file: 'src/release/stages/give-way.ts',
    find: 'if (!isFixWished(snapshot, roles, watched)) return undefined;',
    replace: 'if (snapshot.now > 0 || !isFixWished(snapshot, roles, watched)) return undefined;',
  },
  {
    name: 'gives-way-to-nothing',
    invariant: 6,
    kinds: ['bothDead'],
    breaks: 'A revision that cannot serve is committed although nobody wishes for another one.',
    file: 'src/release/stages/give-way.ts',
    find: 'if (!isFixWished(snapshot, roles, watched)) return undefined;',
    replace: '',
  },
  {
    name: 'another-attempts-order',
    invariant: 6,
    kinds: ['orders'],
    breaks: 'An order that was given for an earlier attempt is obeyed.',
    file: 'src/release/actions.ts',
    find: 'return at === String(attempt) ?',
    replace: 'return at !== undefined && attempt > 0 ?',
  },
];
