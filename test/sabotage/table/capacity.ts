/** How many pods each side has, and how long. */
import type { Sabotage } from '../sabotage.ts';
import { UNGUARDED } from './unguarded.ts';

const CAPACITY_FILE = 'src/release/capacity.ts';
const UPKEEP = 'src/release/upkeep.ts';

export const CAPACITY: readonly Sabotage[] = [
  {
    name: 'candidate-of-the-minimum',
    invariant: 1,
    kinds: ['load'],
    breaks: 'The candidate is as large as its own minimum, not as production.',
    file: CAPACITY_FILE,
    find: 'resolve(candidate, productionNow(snapshot, roles)));',
    replace: 'resolve(candidate, Math.min(0, productionNow(snapshot, roles))));',
    also: [UNGUARDED],
  },
  {
    name: 'window-sized-once',
    invariant: 3,
    kinds: ['windowLoad'],
    breaks: 'The side that stands by does not grow with production.',
    file: CAPACITY_FILE,
    find: 'const whole = wholeWindow(snapshot, roles, color);\n  const surge',
    replace:
      'const once = snapshot.sides[color].deployment?.desired ?? 0;\n  if (once > 0) return once;\n  const whole = wholeWindow(snapshot, roles, color);\n  const surge',
  },
  {
    name: 'locks-left-behind',
    invariant: 8,
    kinds: ['load'],
    breaks: 'The capacity lock of an autoscaler is never taken back.',
    file: UPKEEP,
    find: 'autoscaler.minReplicas === minReplicas) return [];',
    replace: 'autoscaler.minReplicas >= minReplicas) return [];',
  },
  {
    name: 'window-without-a-lock',
    invariant: 3,
    kinds: ['windowLoad'],
    breaks: 'The autoscaler of the side that stands by may take its pods away.',
    file: UPKEEP,
    find: 'if (target?.facts.color === color) return windowSize(snapshot, roles, color);',
    replace: 'if (target?.facts.color === color) return 0;',
  },
  {
    name: 'candidate-without-a-lock',
    invariant: 11,
    kinds: ['slowLoad'],
    breaks: 'The autoscaler of the candidate takes the pods away that the release asks for.',
    file: UPKEEP,
    find: 'return candidateSize(snapshot, roles, color);',
    replace: 'return 0;',
  },
  {
    name: 'active-side-not-held',
    invariant: 12,
    kinds: ['hands'],
    breaks: 'A serving Deployment that somebody deleted or scaled to 0 stays so.',
    file: UPKEEP,
    find: '    ...holdActive(snapshot, roles),\n',
    replace: '',
  },
  {
    name: 'drain-skipped-by-the-next-release',
    invariant: 3,
    kinds: ['draining'],
    breaks: 'The next release is built over pods whose connections have not drained.',
    file: 'src/release/stages/preparing.ts',
    find: '    drainFirst(snapshot, roles, active, subject) ??\n',
    replace: '',
  },
  {
    name: 'drain-skipped-at-rest',
    invariant: 3,
    kinds: ['draining'],
    breaks: 'The side that lost the traffic loses its pods before their connections have drained.',
    file: 'src/release/stages/resting.ts',
    find: 'if (waitsForDrain(snapshot, roles, active)) return [];',
    replace: '',
  },
  {
    name: 'drain-skipped-by-the-adoption',
    invariant: 3,
    kinds: ['draining'],
    breaks: 'The source is scaled down before its connections have drained.',
    file: 'src/release/stages/adopting.ts',
    find: 'if (snapshot.now < until) {',
    replace: 'if (snapshot.now < 0) {',
  },
  {
    name: 'drain-skipped-by-the-deletion',
    invariant: 3,
    kinds: ['deleted'],
    breaks: 'With the release goes the side that lost the traffic a moment ago.',
    file: 'src/release/stages/deleting.ts',
    find: 'if (discarded.length > 0 && snapshot.now < drained) {',
    replace: 'if (discarded.length > 0 && snapshot.now < 0) {',
  },
  {
    name: 'source-parked-while-it-serves',
    invariant: 3,
    kinds: ['calm', 'sluggish'],
    breaks: 'The source is scaled down before its adoption is proven.',
    file: UPKEEP,
    find: `    stage !== 'Adopting' &&\n`,
    replace: '',
    also: [
      {
        file: 'src/release/stages/adopting.ts',
        find: `  if (command === undefined) return building(snapshot, roles, subject, source);`,
        replace: `  if (command === undefined) return building(snapshot, roles, subject, source);
  const parked = upkeep(snapshot, roles);
  if (parked.length > 0) return step('Parking', 'the source is parked', parked);`,
      },
      UNGUARDED,
    ],
  },
  {
    name: 'recycles-all-at-once',
    invariant: 3,
    kinds: ['recycled'],
    breaks:
      'All pods of the side that stands by are replaced at the same time: nothing is left that could take over.',
    file: 'src/release/recycle.ts',
    // Not the size of a batch: by it a side grows first, and a thousand new pods could take over.
    find: '.slice(0, Math.min(spare, batchOf(ready.size)))',
    replace: '.slice(0, worn.length)',
    also: [
      {
        file: 'src/release/capacity.ts',
        find: 'export function keptWhileRecycling(snapshot: Snapshot, roles: Roles, color: Color): number {\n',
        replace:
          'export function keptWhileRecycling(snapshot: Snapshot, roles: Roles, color: Color): number {\n  if (snapshot.now > 0) return 0;\n',
      },
      UNGUARDED,
    ],
  },
  {
    name: 'recycles-before-the-drain',
    invariant: 3,
    kinds: ['recycled'],
    breaks: 'Pods of the side that lost the traffic are ended before their connections have drained.',
    file: 'src/release/recycle.ts',
    find: 'const isDrained = active !== undefined && snapshot.now >= recycledFrom(snapshot, active);',
    replace: 'const isDrained = active !== undefined && snapshot.now >= 0;',
    also: [UNGUARDED],
  },
];
