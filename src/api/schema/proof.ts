/** The parts of the schema for what must be proven: by Jobs before the switch, by measurements after it. */

import { z } from 'zod';
import { byName, decimal, embedded, listName, metricSource, promQl, rule, seconds } from './pieces.ts';

export const jobGate = z
  .object({
    name: listName.describe('Name of the gate.'),
    job: embedded(
      'A Job template ({metadata, spec}). BLUEGREEN_COLOR, BLUEGREEN_REVISION, BLUEGREEN_RELEASE, BLUEGREEN_CANDIDATE_URL and BLUEGREEN_ACTIVE_URL are in the environment of its containers; they name the first production Service, and BLUEGREEN_CANDIDATE_URL_SHOP_ADMIN and BLUEGREEN_ACTIVE_URL_SHOP_ADMIN a Service shop-admin. Safe to run twice.',
    ),
    timeoutSeconds: seconds(1, 86_400).default(600).describe('The Job has failed when it takes longer.'),
  })
  .describe('A proof asked before the switch.');

const prometheusCheck = z
  .object({
    source: metricSource,
    query: promQl.describe(
      'PromQL that answers with one number. $(BLUEGREEN_COLOR), $(BLUEGREEN_REVISION), $(BLUEGREEN_RELEASE) and $(BLUEGREEN_NAMESPACE) are replaced.',
    ),
    max: decimal.optional().describe('The largest good value.'),
    min: decimal.optional().describe('The smallest good value.'),
    requestsQuery: promQl
      .optional()
      .describe(
        'PromQL that counts the requests on which the value of the query rests; compared with minRequests.',
      ),
  })
  .meta({
    description: 'A number from Prometheus and its bounds.',
    'x-kubernetes-validations': [
      rule(
        'has(self.max) || has(self.min)',
        'give max, min or both: without a bound the check could never fail',
      ),
    ],
  });

const check = z
  .object({
    name: listName.describe('Name of the check.'),
    intervalSeconds: seconds(1, 3600).default(10).describe('Time between two measurements.'),
    failureLimit: z
      .int()
      .min(1)
      .max(10)
      .default(2)
      .describe(
        'Bad measurements in a row that put the traffic back. Unknown ones neither count nor reset the count.',
      ),
    onUnknown: z
      .enum(['Hold', 'Ignore', 'Fail'])
      .default('Hold')
      .describe(
        'What an unknown measurement means: Hold waits with the commit, Ignore goes on, Fail counts it as bad.',
      ),
    minRequests: z
      .int()
      .min(1)
      .max(1_000_000_000)
      .optional()
      .describe('Fewer requests than this make the measurement unknown.'),
    prometheus: prometheusCheck,
  })
  .meta({
    description: 'A measurement repeated after the switch.',
    'x-kubernetes-validations': [
      rule(
        'has(self.minRequests) == has(self.prometheus.requestsQuery)',
        'minRequests and prometheus.requestsQuery belong together: give both or neither',
      ),
    ],
  });

export const observation = z
  .object({
    durationSeconds: seconds(0, 604_800)
      .default(600)
      .describe('How long the release is watched before it is committed.'),
    availability: z
      .object({
        minReadyPercent: z
          .int()
          .min(0)
          .max(100)
          .default(50)
          .describe(
            'Fewer ready pods than this share of those counted when the switch was verified, or of those asked for since where they are fewer, are a breach.',
          ),
        forSeconds: seconds(0, 3600)
          .default(10)
          .describe('How long that must last. A side without any ready pod is a breach at once.'),
      })
      .prefault({})
      .describe('The built-in check; it needs no metrics system.'),
    checks: z
      .array(check)
      .max(20)
      .default([])
      .meta({
        description: 'Measurements repeated after the switch.',
        ...byName,
      }),
  })
  .describe('What is watched after the switch.');
