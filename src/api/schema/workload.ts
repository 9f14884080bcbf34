/** The parts of the schema for what is released: a Deployment that people edit, or one that stands in the release. */

import { z } from 'zod';
import { LABEL_VALUE, QUALIFIED_NAME } from '../patterns.ts';
import { external } from './external.ts';
import { pair } from './pair.ts';
import { embedded, objectName, rule } from './pieces.ts';

const RESERVED_KEY = /^(bluegreen\.dev|deployment\.kubernetes\.io|kubectl\.kubernetes\.io)\//;

/** Of a Deployment; without `selector`, which is ours, and `paused`, which would be a second `suspend`. */
const inlineSpec = z
  .looseObject({
    replicas: z
      .int()
      .min(1)
      .max(10_000)
      .default(1)
      .describe('Pods of the first revision, where spec.replicas and spec.autoscaling are absent.'),
    template: z
      .looseObject({
        spec: embedded('The spec of a Pod.'),
      })
      .meta({ description: 'The template of the pods.', 'x-kubernetes-preserve-unknown-fields': true }),
  })
  .meta({
    description: 'The spec of an apps/v1 Deployment.',
    'x-kubernetes-preserve-unknown-fields': true,
  });

/** Other people's tools read these on a Deployment. Keys that we or Kubernetes write there are not theirs to say. */
const statedEntries = (of: string, values: z.ZodString) =>
  z
    .record(z.string(), values)
    .refine((said) => Object.keys(said).every((key) => QUALIFIED_NAME.test(key) && !RESERVED_KEY.test(key)), {
      error: 'has a key that is no label key, or that belongs to the operator or to Kubernetes',
    })
    .refine((said) => Object.keys(said).length <= 32, { error: 'has more than 32 entries' })
    .optional()
    .meta({
      description: `${of} of the Deployment of each colour.`,
      maxProperties: 32,
      'x-kubernetes-validations': [
        rule(
          `self.all(key, key.size() <= 317 && key.matches(r'${QUALIFIED_NAME.source}') && !key.matches(r'${RESERVED_KEY.source}'))`,
          'a key such as "example.com/team"; not one of bluegreen.dev/, deployment.kubernetes.io/ or kubectl.kubernetes.io/',
        ),
      ],
    });

const inlineMetadata = z
  .object({
    labels: statedEntries('Labels', z.string().max(63).regex(LABEL_VALUE)),
    annotations: statedEntries('Annotations', z.string().max(4096)),
  })
  .describe(
    'What stands on the Deployments of the colours themselves, not on their pods. A change is no release: it applies in place, to both.',
  );

export const workload = z
  .object({
    deploymentRef: z
      .object({
        name: objectName.describe('Name of the Deployment.'),
      })
      .optional()
      .describe(
        'The Deployment that people and Git go on editing. Two colour Deployments derive from it, and it is kept at 0 replicas.',
      ),
    deployment: z
      .object({ metadata: inlineMetadata.optional(), spec: inlineSpec })
      .optional()
      .describe(
        'A Deployment that stands here alone: the colour Deployments derive from it, and a change of it is a release.',
      ),
    external: external.optional(),
    pair: pair.optional(),
  })
  .meta({
    description: 'What is released: one of these.',
    'x-kubernetes-validations': [
      rule(
        '[has(self.deploymentRef), has(self.deployment), has(self.pair), has(self.external)].exists_one(given, given)',
        'give one of deploymentRef, deployment, pair and external',
      ),
      rule(
        'has(self.deploymentRef) == has(oldSelf.deploymentRef) && has(self.pair) == has(oldSelf.pair) && has(self.external) == has(oldSelf.external) && (!has(self.deploymentRef) || self.deploymentRef.name == oldSelf.deploymentRef.name)',
        'the workload of a release cannot be changed: delete the release and create another',
      ),
    ],
  })
  .refine((said) => Object.values(said).filter((given) => given !== undefined).length === 1, {
    error: 'must have one of deploymentRef, deployment, pair and external',
  });
