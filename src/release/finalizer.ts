/** The finalizer of a release, which somebody may take away at any time. */

import type { Verdict } from './plan.ts';
import type { Roles } from './roles.ts';
import type { Snapshot } from './snapshot.ts';

/**
 * Without it the release would be gone in the moment of its deletion, and nothing given back. It comes back beside
 * whatever else is decided, also while nothing is done but to wait for people, and keeps none of that waiting.
 */
export function withFinalizer({ release }: Snapshot, { stage }: Roles, verdict: Verdict): Verdict {
  // Before anything has begun it is a step of its own, and what is put back without a word is put back within one look.
  if (release.hasFinalizer || release.deleting || stage === 'Unadopted' || verdict.drift === 'Told')
    return verdict;
  return {
    ...verdict,
    message: `${verdict.message}; the release lost its finalizer`,
    effects: [...(verdict.effects ?? []), { kind: 'AddFinalizer' }],
  };
}
