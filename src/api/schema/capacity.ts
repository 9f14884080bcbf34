/** The parts of the schema for how many pods a side has, and how many of them may be evicted. */

import { z } from 'zod';
import { intOrPercent, rule } from './pieces.ts';

export const capacity = z
  .object({
    candidate: intOrPercent
      .default('100%')
      .describe(
        'Ready pods that the candidate needs, of those the active side has now; never fewer than its own minimum.',
      ),
    window: intOrPercent
      .default('100%')
      .describe('Pods the old side keeps inside the rollback window, of those the active side has now.'),
    standby: intOrPercent
      .default(0)
      .describe('Pods the old side keeps after the rollback window, of those the active side has now.'),
  })
  .describe('How many pods each side has, and when.');

export const podDisruptionBudget = z
  .object({
    minAvailable: intOrPercent.optional().describe('Pods of a colour that an eviction must leave.'),
    maxUnavailable: intOrPercent.optional().describe('Pods of a colour that may be missing at once.'),
  })
  .meta({
    description:
      'One PodDisruptionBudget per colour that has pods. On a side without traffic it lets at least one pod go, and there is none while its pods are replaced: it keeps no node from being drained.',
    'x-kubernetes-validations': [
      rule('has(self.minAvailable) != has(self.maxUnavailable)', 'give minAvailable or maxUnavailable'),
    ],
  });
