/** The way to the switch: what is built, proven and moved to. */
import type { Sabotage } from '../sabotage.ts';
import { UNGUARDED } from './unguarded.ts';

const PREPARING = 'src/release/stages/preparing.ts';

export const FORWARD: readonly Sabotage[] = [
  {
    name: 'switch-without-readiness',
    invariant: 1,
    breaks: 'The switch does not wait until the candidate is ready.',
    file: PREPARING,
    find: `if (ready.state !== 'Passed') return unready(snapshot, subject, ready);`,
    replace: '',
    also: [UNGUARDED],
  },
  {
    name: 'one-ready-pod-is-enough',
    invariant: 1,
    breaks: 'A candidate with one ready pod takes over from any number of pods.',
    file: 'src/gates/readiness.ts',
    find: 'const isReady = ready >= required && isComplete(side) && runsOnly(snapshot, color, candidate.name);',
    replace: 'const isReady = ready > 0;',
    also: [UNGUARDED],
  },
  {
    name: 'ready-means-one-more',
    invariant: 11,
    breaks: '`>` for `>=`: a candidate that is exactly as large as it must be is never ready.',
    file: 'src/gates/readiness.ts',
    find: 'const isReady = ready >= required &&',
    replace: 'const isReady = ready > required &&',
  },
  {
    name: 'not-ready-counts-as-ready',
    invariant: 1,
    breaks: 'An endpoint that is not ready counts as ready.',
    file: 'src/release/endpoints.ts',
    find: 'if (!endpoint.ready) continue;',
    replace: '',
    also: [UNGUARDED],
  },
  {
    name: 'old-pods-count',
    invariant: 4,
    breaks: 'Ready pods of another revision in the colour count for the candidate.',
    file: 'src/gates/readiness.ts',
    find: 'const isReady = ready >= required && isComplete(side) && runsOnly(snapshot, color, candidate.name);',
    replace: 'const isReady = ready >= required;',
    also: [UNGUARDED],
  },
  {
    name: 'gates-skipped',
    invariant: 4,
    breaks: 'No gate is asked.',
    file: PREPARING,
    find: 'for (const gate of subject.frozen.gates) {',
    replace: 'for (const gate of [] as typeof subject.frozen.gates) {',
  },
  {
    name: 'gates-of-the-live-spec',
    invariant: 4,
    breaks:
      'The gates are read from the spec as it is now, not from the one that was frozen with the revision.',
    file: PREPARING,
    find: 'for (const gate of subject.frozen.gates) {',
    replace: 'for (const gate of snapshot.release.spec.gates) {',
  },
  {
    name: 'failed-job-passes',
    invariant: 4,
    breaks: 'A gate whose Job failed has passed.',
    file: 'src/gates/job.ts',
    find: `answer('Failed', 'GateFailed'`,
    replace: `answer('Passed', 'GateFailed'`,
  },
  {
    name: 'job-of-an-earlier-attempt',
    invariant: 4,
    breaks: 'A Job that completed in an earlier attempt proves this one.',
    file: 'src/gates/job.ts',
    find: 'view.gate === gate.name && view.attempt === attempt &&',
    replace: 'view.gate === gate.name &&',
  },
  {
    name: 'proofs-of-an-earlier-attempt',
    invariant: 4,
    breaks: 'A new attempt keeps the proofs of the one before.',
    file: 'src/release/facts.ts',
    find: `  return {
    ...fresh,`,
    replace: `  const { outcome: _, unreadySince: __, ...proofs } = previous ?? ({} as RevisionFacts);
  return {
    ...proofs,
    ...fresh,`,
  },
  {
    name: 'switch-to-what-nobody-wishes-for',
    invariant: 4,
    breaks: 'A candidate goes on although another content is wished for.',
    file: PREPARING,
    find: '    superseded(snapshot, roles, subject) ??\n',
    replace: '',
  },
  {
    name: 'suspended-goes-on',
    invariant: 7,
    breaks: 'A suspended release moves traffic.',
    file: PREPARING,
    find: '    suspended(snapshot, roles, subject) ??\n',
    replace: '',
  },
  {
    name: 'adopts-the-wish',
    invariant: 4,
    breaks: 'The adoption takes what the Deployment wishes for instead of what its live ReplicaSet runs.',
    file: 'src/release/stages/unadopted.ts',
    find: `freeze(snapshot, 'live', source.live.fingerprint, facts)`,
    replace: `freeze(snapshot, 'source', source.fingerprint, facts)`,
  },
  {
    name: 'built-where-production-is',
    invariant: 3,
    breaks: 'The candidate is written to the colour that serves.',
    file: 'src/release/start.ts',
    find: `roles.active === undefined ? 'blue' : otherColor(roles.active.facts.color);`,
    replace: `roles.active === undefined ? 'blue' : roles.active.facts.color;`,
    also: [
      { file: PREPARING, find: '    misplaced(snapshot, roles, subject) ??\n', replace: '' },
      { file: PREPARING, find: '    drainFirst(snapshot, roles, subject) ??\n', replace: '' },
      UNGUARDED,
    ],
  },
];
