/** What stands around the two sides: several Services, previews, warm-up, budgets, and the way back to the source. */
import type { Sabotage } from '../sabotage.ts';

const EJECTING = 'src/release/stages/ejecting.ts';
const DELETING = 'src/release/stages/deleting.ts';

export const AROUND: readonly Sabotage[] = [
  {
    name: 'one-service-proves-for-all',
    invariant: 9,
    kinds: ['services', 'slowServices'],
    breaks: 'A switch counts as proven as soon as the last of several Services has followed.',
    file: 'src/release/stages/switching.ts',
    find: 'const behind = known(snapshot, roles).find(',
    replace: 'const behind = known(snapshot, roles).slice(-1).find(',
  },
  {
    name: 'one-service-forgotten-on-the-way-back',
    invariant: 9,
    kinds: ['slowServices'],
    breaks: 'A way back counts as done as soon as the last of several Services has followed.',
    file: 'src/release/stages/returning.ts',
    find: 'const behind = provable(snapshot, roles).find(',
    replace: 'const behind = provable(snapshot, roles).slice(-1).find(',
  },
  {
    name: 'split-given-up',
    invariant: 12,
    kinds: ['services'],
    breaks: 'A Service that a policy kept once is never tried again.',
    file: 'src/release/services.ts',
    find: 'return refusal?.final ? refusal.at + TRY_AGAIN_MS : 0;',
    replace: 'return refusal?.final ? Number.POSITIVE_INFINITY : 0;',
  },
  {
    name: 'only-the-first-service-moves',
    invariant: 9,
    kinds: ['services'],
    breaks: 'Of several Services one is moved.',
    file: 'src/release/effects.ts',
    find: 'const patches = services\n    .filter(',
    replace: 'const patches = services\n    .slice(0, 1)\n    .filter(',
  },
  {
    name: 'preview-left-behind',
    invariant: 1,
    kinds: ['previews'],
    breaks: 'A preview stays on a candidate that is gone.',
    file: 'src/release/preview.ts',
    find: `new Set<Stage>(['Preparing', 'Observing', 'Resting'])`,
    replace: `new Set<Stage>(['Preparing'])`,
    also: [
      {
        file: 'src/release/stages/resting.ts',
        find: '    ...pointPreviews(snapshot, roles),\n',
        replace: '',
      },
    ],
  },
  {
    name: 'warm-up-skipped',
    invariant: 4,
    kinds: ['warmUps'],
    breaks: 'Nobody asks the candidate anything before it counts.',
    file: 'src/gates/warm-up.ts',
    find: 'if (asked === undefined) return undefined;',
    replace: 'if (asked !== undefined || snapshot.now > 0) return undefined;',
  },
  {
    name: 'budget-that-lets-nothing-go',
    invariant: 11,
    kinds: ['budgets'],
    breaks: 'The budget of the side that stands by forbids every eviction: no node with it can be drained.',
    file: 'src/release/budgets.ts',
    find: 'return letsOneGo(asked, size) ? asked : { maxUnavailable: 1 };',
    replace: 'return asked;',
  },
  {
    name: 'active-side-without-its-budget',
    invariant: 3,
    kinds: ['budgets'],
    breaks: 'What serves is not protected by the budget that people ask for.',
    file: 'src/release/budgets.ts',
    find: 'if (roles.active?.facts.color === color) return asked;',
    replace: 'if (roles.active?.facts.color === color) return undefined;',
  },
  {
    name: 'budget-outlives-its-side',
    invariant: 8,
    kinds: ['emptied'],
    breaks: 'The budget of a side that was emptied stays.',
    file: 'src/release/budgets.ts',
    find: 'if (asks === undefined) return removeBudget(snapshot, color);',
    replace: 'if (asks === undefined) return [];',
  },
  {
    name: 'handed-to-a-source-that-is-too-small',
    invariant: 1,
    kinds: ['ejected'],
    breaks: 'The source takes production back with fewer pods than serve.',
    file: EJECTING,
    find: 'const isReady = source.ready >= needed && source.readyHash !== undefined;',
    replace: 'const isReady = source.readyHash !== undefined;',
    also: [
      {
        file: EJECTING,
        find: '(places.some(isColor) && !source.rolledOut)',
        replace: '(places.some(isColor) && source.ready === 0)',
      },
    ],
  },
  {
    name: 'source-not-scaled-up',
    invariant: 1,
    kinds: ['ejected'],
    breaks: 'The source gets one pod, however many serve.',
    file: EJECTING,
    find: 'const size = Math.max(1, snapshot.sides[leaving].deployment?.desired ?? 0);',
    replace: 'const size = 1;',
  },
  {
    name: 'colours-gone-before-their-drain',
    invariant: 3,
    kinds: ['ejected'],
    breaks:
      'The colours are removed as soon as the source serves, with all connections that they still have.',
    file: EJECTING,
    find: `    if (snapshot.now < drained)
      return step(
        'Draining',`,
    replace: `    if (snapshot.now < 0)
      return step(
        'Draining',`,
  },
  {
    name: 'source-not-given-back',
    invariant: 8,
    kinds: ['ejected'],
    breaks: 'The release is gone, and the source is paused and labelled still.',
    file: DELETING,
    find: 'source?.claimedBy === release.name',
    replace: 'source?.claimedBy === release.uid',
  },
  {
    name: 'autoscaler-of-the-source-forgotten',
    invariant: 8,
    kinds: ['ejectedScaled'],
    breaks: 'The source serves again, without the autoscaler that it had.',
    file: 'src/controller/apply/source.ts',
    find: 'stored !== undefined && (sourceOf(scene).spec.replicas ?? 1) > 0;',
    replace: 'stored !== undefined && (sourceOf(scene).spec.replicas ?? 1) > 1000;',
  },
  {
    name: 'hash-left-in-the-selector',
    invariant: 8,
    kinds: ['ejected'],
    breaks: 'The release is gone, and the Service selects pods by the hash of one template.',
    file: EJECTING,
    find: `return step('Ejected', message, handBack(`,
    replace: `if (message.length > 0) return { stay: undefined } as never;
  return step('Ejected', message, handBack(`,
    also: [
      {
        file: DELETING,
        find: 'if (effects.length === 0) return undefined;\n  if (discarded',
        replace: 'if (effects.length < 1000) return undefined;\n  if (discarded',
      },
    ],
  },
];
