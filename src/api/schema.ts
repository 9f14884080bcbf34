/**
 * The one schema of a BlueGreenRelease. TypeScript types, defaults, the parser, the CRD (OpenAPI and CEL) and the
 * reference page all come from it; `npm run generate` writes the generated files and a test fails when they drift.
 *
 * CEL rules stand in `meta` under the name that the CRD uses. Every list and string has a maximum, because the API
 * server refuses a CRD whose CEL rules could cost too much. Its parts stand in `schema/`.
 */
import { z } from 'zod';
import { DNS_1123_SUBDOMAIN } from './patterns.ts';
import { capacity, podDisruptionBudget } from './schema/capacity.ts';
import { EXTERNAL_RULES } from './schema/external.ts';
import {
  byName,
  embedded,
  httpPath,
  type intOrPercent,
  rule,
  seconds,
  servicePort,
} from './schema/pieces.ts';
import { jobGate, observation } from './schema/proof.ts';
import { type podMetrics, traffic } from './schema/traffic.ts';
import { workload } from './schema/workload.ts';

export const GROUP = 'bluegreen.dev';
export const VERSION = 'v1alpha1';
export const KIND = 'BlueGreenRelease';
export const API_VERSION: string = `${GROUP}/${VERSION}`;

/** Short enough for the name of a copy, in which the release, the colour and a digest stand as well. */
const namedConfig = (description: string) => {
  const name = z.string().min(1).max(180).regex(DNS_1123_SUBDOMAIN);
  return z
    .array(z.object({ name: name.describe('In the namespace of the release.') }).describe('By its name.'))
    .max(16)
    .default([])
    .meta({ description, ...byName });
};

export const specSchema = z
  .object({
    workload,
    replicas: z
      .int()
      .min(1)
      .max(10_000)
      .optional()
      .describe('Pods of the active side, without autoscaling. Absent: the active side stays as it is.'),
    autoscaling: z
      .object({
        spec: embedded('The spec of an autoscaling/v2 HorizontalPodAutoscaler without scaleTargetRef.'),
      })
      .optional()
      .describe('One HorizontalPodAutoscaler per colour.'),
    podDisruptionBudget: podDisruptionBudget.optional(),
    config: z
      .object({
        configMaps: namedConfig(
          'ConfigMaps. Each colour gets a copy of its own, to which its pod template refers: what runs keeps what it has.',
        ),
        secrets: namedConfig(
          'Secrets. They are never copied: pods that start later read what stands there then.',
        ),
      })
      .optional()
      .describe(
        'Config that is part of a revision: a change of it starts a release. Each object carries the label bluegreen.dev/config.',
      ),
    traffic,
    capacity: capacity.prefault({}),
    preparation: z
      .object({
        deadlineSeconds: seconds(1, 86_400)
          .default(600)
          .describe('How long the candidate may take to become ready.'),
        warmUp: z
          .object({
            path: httpPath.default('/').describe('What is asked for, by GET; a redirect is not followed.'),
            requests: z.int().min(1).max(10_000).describe('So many for each pod.'),
            port: servicePort,
          })
          .optional()
          .describe(
            'Requests that each candidate pod must have answered, with whatever status, before it counts. Plain HTTP.',
          ),
      })
      .prefault({})
      .describe('How the candidate is prepared.'),
    gates: z
      .array(jobGate)
      .max(16)
      .default([])
      .meta({
        description: 'Proofs asked before the switch, in order.',
        ...byName,
      }),
    observation: observation.prefault({}),
    rollback: z
      .object({
        windowSeconds: seconds(0, 2_592_000)
          .default(172_800)
          .describe('How long after the commit the old side stays able to take over.'),
        afterCommit: z
          .enum(['Alert', 'Rollback'])
          .default('Alert')
          .describe(
            'What a breach inside the window does, after the commit: Alert makes condition Healthy False and sends an event, Rollback puts the traffic back. The checks are measured once a minute at most.',
          ),
        scaleUpSeconds: seconds(1, 3600)
          .default(60)
          .describe(
            'How long a rollback waits for an old side that is too small to grow; then any ready pod is better than a bad side.',
          ),
      })
      .prefault({})
      .describe('The way back.'),
    suspend: z
      .boolean()
      .default(false)
      .describe(
        'Start no release. A release that is under way after its switch is still watched and rolled back.',
      ),
    historyLimit: z.int().min(2).max(50).default(10).describe('Revisions that are kept.'),
  })
  .meta({
    description: 'What is released, how it is proven, and how traffic moves.',
    'x-kubernetes-validations': [
      rule(
        '!(has(self.replicas) && has(self.autoscaling))',
        'replicas and autoscaling exclude each other: with autoscaling the number of pods belongs to the autoscaler',
      ),
      ...EXTERNAL_RULES,
      rule(
        '!has(self.workload.pair) || !(has(self.replicas) || has(self.autoscaling) || has(self.podDisruptionBudget) || has(self.config))',
        'replicas, autoscaling, podDisruptionBudget and config shape workloads that are derived: with workload.pair they are written where the two workloads are',
      ),
    ],
  });

/** The spec as people write it. */
export type ReleaseSpecInput = z.input<typeof specSchema>;
/** The spec with its defaults: what the operator works with. */
export type ReleaseSpec = z.output<typeof specSchema>;
export type GateSpec = ReleaseSpec['gates'][number];
export type WarmUpSpec = NonNullable<ReleaseSpec['preparation']['warmUp']>;
export type PodMetricsSpec = z.output<typeof podMetrics>;
export type BudgetSpec = NonNullable<ReleaseSpec['podDisruptionBudget']>;
export type CheckSpec = ReleaseSpec['observation']['checks'][number];
export type IntOrPercent = z.output<typeof intOrPercent>;

/** CEL at the root: only there is metadata.name visible. */
export const rootRules: readonly { rule: string; message: string }[] = [
  rule(
    "self.metadata.name.size() <= 48 && self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",
    'metadata.name: at most 48 characters, lower-case letters, digits and dashes, beginning with a letter, because the names of Deployments, Services and Jobs derive from it',
  ),
];
