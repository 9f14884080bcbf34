/** `spec.workload.pair`: two workloads that exist already and that people go on writing. */
import { z } from 'zod';
import { objectName, rule } from './pieces.ts';

const member = (color: string) =>
  z
    .object({
      kind: z.enum(['Deployment', 'StatefulSet']).default('Deployment').describe('Of the API group apps.'),
      name: objectName.describe('In the namespace of the release.'),
      autoscalerRef: z
        .object({ name: objectName.describe('Name of the HorizontalPodAutoscaler.') })
        .optional()
        .describe(
          'The HorizontalPodAutoscaler that scales it. Its minReplicas is raised while pods must stay, and given back exactly.',
        ),
    })
    .describe(
      `The ${color} environment. Its pod template carries the labels bluegreen.dev/release: NAME and ${color} under the key of traffic.selectorLabel.`,
    );

const identity = (color: string): string =>
  `self.${color}.kind == oldSelf.${color}.kind && self.${color}.name == oldSelf.${color}.name`;

export const pair = z
  .object({
    active: z
      .enum(['blue', 'green'])
      .optional()
      .describe(
        'The side that is to have the traffic: where it is not the one that has it, a release begins. Absent: a release begins when the pod template of the side without traffic changes.',
      ),
    blue: member('blue'),
    green: member('green'),
  })
  .meta({
    description:
      'Two environments that exist already. Their templates are never written and they are never deleted: they are scaled, proven, and given the traffic.',
    'x-kubernetes-validations': [
      rule(
        'self.blue.kind != self.green.kind || self.blue.name != self.green.name',
        'blue and green must be two workloads',
      ),
      rule(
        '!has(self.blue.autoscalerRef) || !has(self.green.autoscalerRef) || self.blue.autoscalerRef.name != self.green.autoscalerRef.name',
        'blue and green need an autoscaler each',
      ),
      rule(
        `${identity('blue')} && ${identity('green')}`,
        'the workloads of a release cannot be changed: delete the release and create another',
      ),
    ],
  });

export type PairSpec = z.output<typeof pair>;
export type PairMember = PairSpec['blue'];
