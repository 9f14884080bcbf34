/** Where things are remembered, and that nothing turns in circles. */
import type { Sabotage } from '../sabotage.ts';
import { UNGUARDED } from './unguarded.ts';

export const STATE: readonly Sabotage[] = [
  {
    name: 'plan-kept-in-memory',
    invariant: 8,
    kinds: ['lateNews', 'two'],
    breaks: 'A plan that could not be carried out is kept and tried again, instead of deciding anew.',
    file: 'src/controller/round.ts',
    find: 'return { scene, plan: decide(scene.snapshot) };',
    replace: `const plan = kept.get(cache) ?? decide(scene.snapshot);
  kept.set(cache, plan);
  return { scene, plan };`,
    also: [
      {
        file: 'src/controller/round.ts',
        find: '  for (const request of plan.requests) deps',
        replace: '  kept.delete(deps.cache);\n  for (const request of plan.requests) deps',
      },
      {
        file: 'src/controller/round.ts',
        find: '/** undefined: the release is gone. */',
        replace: 'const kept = new WeakMap<Cache, Plan>();\n\n',
      },
    ],
  },
  {
    name: 'status-is-believed',
    invariant: 8,
    kinds: ['forgotten'],
    breaks: 'Who is active is read from the status, which may be old or gone.',
    file: 'src/release/roles.ts',
    find: 'const active = command?.revision ?? recordedActive(started);',
    replace: `const told = started.find(({ name }) => name === snapshot.previous.revision);
  const active = told ?? command?.revision ?? recordedActive(started);`,
  },
  {
    name: 'facts-without-precondition',
    invariant: 8,
    kinds: ['two'],
    breaks: 'A stale cache is trusted: facts are written over those of another process.',
    file: 'src/controller/apply/revisions.ts',
    find: `    expected === undefined
      ? test('/metadata/resourceVersion', known?.resourceVersion)
      : test(\`\${path}/\${pointer(ANNOTATION_FACTS)}\`, expected),
`,
    replace: '',
  },
  {
    name: 'colour-without-precondition',
    invariant: 3,
    kinds: ['two'],
    breaks: 'A stale cache is trusted: a colour is written over whatever it became meanwhile.',
    file: 'src/controller/apply/colors.ts',
    find: `  const metadata = { ...body.metadata, uid, resourceVersion };
  deployments.note(`,
    replace: `  const metadata = { ...body.metadata };
  deployments.note(`,
  },
  {
    name: 'attempt-not-counted',
    invariant: 6,
    kinds: ['calm'],
    breaks: 'A new attempt has the number of the one before.',
    file: 'src/release/start.ts',
    find: 'const fresh = { color, attempt: roles.attempt + 1, startedAt: snapshot.now };',
    replace: 'const fresh = { color, attempt: Math.max(1, roles.attempt), startedAt: snapshot.now };',
  },
  {
    name: 'used-revisions-pruned',
    invariant: 3,
    kinds: ['failing'],
    breaks: 'A revision that serves, or could take over, is forgotten.',
    file: 'src/release/stages/resting.ts',
    find: '.filter(({ name }) => !used.has(name) && name !== wished)',
    replace: '.filter(({ name }) => used.size === 0 || name !== wished)',
    also: [UNGUARDED],
  },
  {
    name: 'effects-without-a-decision',
    invariant: 10,
    kinds: ['calm'],
    breaks: 'What is done does not stand in the decision log.',
    file: 'src/release/status.ts',
    find: 'if (effects.length === 0) return before;',
    replace: 'if (effects.length >= 0) return before;',
  },
  {
    name: 'switches-without-a-reason',
    invariant: 10,
    kinds: ['calm'],
    breaks: 'Moves of the traffic are left out of the decision log.',
    file: 'src/release/status.ts',
    find: 'const effects = (verdict.effects ?? []).map(describe);',
    replace: `const effects = (verdict.effects ?? []).filter(({ kind }) => kind !== 'PatchSelector').map(describe);`,
  },
  {
    name: 'twins-written-for-ever',
    invariant: 11,
    kinds: ['calm'],
    breaks: 'A plan is never empty: the twins are written again and again.',
    file: 'src/release/upkeep.ts',
    find: '(twin.ours && !twin.matches)',
    replace: '(twin.ours && (twin.matches || !twin.matches))',
  },
  {
    name: 'status-never-the-same',
    invariant: 11,
    kinds: ['calm'],
    breaks: 'The status changes each time that it is looked at, and each write is news to look at.',
    file: 'src/release/switch-status.ts',
    find: 'const convergedAt =\n    before?.convergedAt ??\n',
    replace: 'const convergedAt =\n    (snapshot.now < 0 ? before?.convergedAt : undefined) ??\n',
  },
];
