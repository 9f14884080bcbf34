/** The parts of the schema for environments that the operator cannot scale: where they are, and who is told of it. */
import { z } from 'zod';
import { CONFIG_KEY, LABEL_VALUE, NO_SPACE } from '../patterns.ts';
import { objectName, rule, seconds } from './pieces.ts';

const environment = (color: string) =>
  z
    .object({
      url: z
        .string()
        .min(1)
        .max(2048)
        .regex(NO_SPACE)
        .describe(
          'Where it is reached; published as it stands here. No credentials: many people may read it.',
        ),
      revision: z
        .string()
        .min(1)
        .max(63)
        .regex(LABEL_VALUE)
        .optional()
        .describe('What people call what runs there. Another one is another revision.'),
      secretRef: z
        .object({
          name: objectName.describe('Name of the Secret, in the namespace of the release.'),
        })
        .optional()
        .describe(
          'The Secret with its credentials, which carries the label bluegreen.dev/config. A Role of the namespace lets the operator get it, by name.',
        ),
    })
    .describe(`The ${color} environment.`);

export const external = z
  .object({
    active: z
      .enum(['blue', 'green'])
      .describe('The environment that is to serve. Changing it starts a release to the other one.'),
    blue: environment('blue'),
    green: environment('green'),
  })
  .describe(
    'Two environments that the operator cannot scale, such as two clusters or managed databases. Consumers in this cluster learn of the one that serves by traffic.endpoint.',
  );

const consumer = z.object({
  kind: z.enum(['Deployment', 'StatefulSet']).describe('Its kind, of apps/v1.'),
  name: objectName.describe('Its name, in the namespace of the release.'),
});

export const endpoint = z
  .object({
    configMapRef: z
      .object({ name: objectName.describe('Name of the ConfigMap, in the namespace of the release.') })
      .meta({
        description:
          'The ConfigMap that consumers read, with the keys url, color and, where the environment has one, revision. The operator creates it; one that exists is taken over if it has the label bluegreen.dev/config.',
        'x-kubernetes-validations': [
          rule(
            'self.name == oldSelf.name',
            'the published ConfigMap cannot be another one: delete the release, which leaves it as it is, and create another',
          ),
        ],
      }),
    secretRef: z
      .object({
        name: objectName.describe('Name of the Secret, in the namespace of the release.'),
        keys: z
          .array(z.string().min(1).max(253).regex(CONFIG_KEY).describe('A key of the Secret of each side.'))
          .min(1)
          .max(16)
          .meta({
            description: 'What is published of the Secret of a side: both must have each of these keys.',
            'x-kubernetes-list-type': 'set',
          }),
      })
      .optional()
      .meta({
        description:
          'The Secret that consumers read: the credentials of the side that serves, and its url, color and revision beside them, so that one that reads nothing else has never those of both. People create it, empty, with the label bluegreen.dev/config; a Role of the namespace lets the operator get and patch it, by name.',
        'x-kubernetes-validations': [
          rule(
            'self.name == oldSelf.name',
            'the published Secret cannot be another one: delete the release, which leaves it as it is, and create another',
          ),
          rule(
            "!self.keys.exists(key, key in ['url', 'color', 'revision'])",
            'url, color and revision are published of the environment itself: give the credentials other keys',
          ),
        ],
      }),
    restart: z
      .array(consumer)
      .max(16)
      .default([])
      .meta({
        description:
          'Workloads that read it, restarted one after the other in this order: the next one when the one before runs with what is published, and nothing else.',
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['kind', 'name'],
      }),
    restartSeconds: seconds(10, 3600)
      .default(600)
      .describe(
        'How long each of them may take until all its pods run with what is published. After that the traffic goes back.',
      ),
  })
  .describe(
    'For workload.external: the address of the environment that serves, published for consumers in this cluster.',
  );

export const EXTERNAL_RULES: readonly { rule: string; message: string }[] = [
  rule(
    '!has(self.workload.external) || has(self.traffic.endpoint)',
    'workload.external is moved by traffic.endpoint and not by Services: what the operator cannot scale it cannot count, so that no switch of a selector to it could be proven; name two workloads of this cluster in workload.pair',
  ),
  rule(
    'has(self.workload.external) || !has(self.traffic.endpoint)',
    'traffic.endpoint publishes the address of workload.external: give what runs in this cluster traffic.services',
  ),
  rule(
    '!has(self.workload.external) || !(has(self.replicas) || has(self.autoscaling) || has(self.podDisruptionBudget) || has(self.config))',
    'workload.external has no pods here: remove replicas, autoscaling, podDisruptionBudget and config',
  ),
  rule(
    '!has(self.workload.external) || !(has(self.traffic.drain) || (has(self.preparation) && has(self.preparation.warmUp)))',
    'workload.external has no pods here to drain or to warm up: remove traffic.drain and preparation.warmUp',
  ),
  rule(
    '!has(self.workload.external) || !has(self.traffic.endpoint) || (has(self.workload.external.blue.secretRef) == has(self.traffic.endpoint.secretRef) && has(self.workload.external.green.secretRef) == has(self.traffic.endpoint.secretRef))',
    'credentials are published of both sides or of none: give traffic.endpoint.secretRef and a secretRef for blue and for green, or none of the three',
  ),
  rule(
    '!has(self.workload.external) || !has(self.traffic.endpoint) || !has(self.traffic.endpoint.secretRef) || !((has(self.workload.external.blue.secretRef) && self.workload.external.blue.secretRef.name == self.traffic.endpoint.secretRef.name) || (has(self.workload.external.green.secretRef) && self.workload.external.green.secretRef.name == self.traffic.endpoint.secretRef.name))',
    'the Secret that is published cannot be one that it is made from: give traffic.endpoint.secretRef a name of its own',
  ),
];
