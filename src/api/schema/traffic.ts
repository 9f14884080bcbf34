/** The parts of the schema for how traffic moves, and when the old side has drained. */

import { z } from 'zod';
import { COUNTER, DNS_1035, QUALIFIED_NAME } from '../patterns.ts';
import { endpoint } from './external.ts';
import { byName, decimal, httpPath, metricSource, promQl, rule, seconds, servicePort } from './pieces.ts';

export const podMetrics = z
  .object({
    counter: z
      .string()
      .min(1)
      .max(1024)
      .regex(COUNTER)
      .describe(
        'The request counter, and which of its series count: http_requests_total{path!="/metrics"}. Labels are compared by = and != alone.',
      ),
    path: httpPath
      .default('/metrics')
      .describe("Where the pods answer in Prometheus' text format, at most 4 MiB."),
    port: servicePort,
    idleSeconds: seconds(5, 3600)
      .default(30)
      .describe('A pod is idle when its counter has not grown for so long, by two answers of it at least.'),
  })
  .describe(
    'What each pod of that side that was there before the switch says of itself, by plain HTTP. One that does not answer is not idle.',
  );

export const traffic = z
  .object({
    services: z
      .array(
        z.object({
          name: z
            .string()
            .min(1)
            .max(57)
            .regex(DNS_1035)
            .describe(
              'Name of the Service; at most 57 characters, because its twins are called NAME-blue and NAME-green.',
            ),
        }),
      )
      .max(8)
      .default([])
      .meta({
        description:
          'The production Services whose selectors are switched: all of them move, and are proven, or all go back.',
        ...byName,
        'x-kubernetes-validations': [
          rule(
            "!self.exists(a, self.exists(b, a.name == b.name + '-blue' || a.name == b.name + '-green'))",
            'no Service may have the name of a twin: the twins of NAME are called NAME-blue and NAME-green',
          ),
        ],
      }),
    previewServices: z
      .array(z.object({ name: z.string().min(1).max(63).regex(DNS_1035).describe('Name of the Service.') }))
      .max(8)
      .default([])
      .meta({
        description:
          'Services that show the candidate from when it has ready pods, and the active side when there is none. They prove nothing, and delay nothing.',
        ...byName,
      }),
    selectorLabel: z
      .string()
      .min(1)
      .max(317)
      .regex(QUALIFIED_NAME)
      .default('bluegreen.dev/color')
      .meta({
        description:
          'The label key that the switch sets in the selector, and that the pods of each colour carry.',
        'x-kubernetes-validations': [
          rule(
            'self == oldSelf',
            'the selector label cannot be changed: delete the release and create another',
          ),
        ],
      }),
    endpoint: endpoint.optional(),
    convergeSeconds: seconds(5, 600)
      .default(30)
      .describe('The switch goes back if the endpoints have not followed within this time.'),
    drainSeconds: seconds(5, 3600)
      .default(30)
      .describe(
        'How long the side that lost the traffic stays untouched, for connections made before the switch.',
      ),
    drain: z
      .object({
        until: z
          .object({
            prometheus: z
              .object({
                source: metricSource,
                query: promQl.describe(
                  'PromQL that answers with one number, of the side that lost the traffic: $(BLUEGREEN_COLOR) and $(BLUEGREEN_REVISION) name that side. Requests in flight, or the growth of a request counter such as sum(increase(http_requests_total{bluegreen_color="$(BLUEGREEN_COLOR)"}[30s])).',
                ),
                max: decimal.default('0').describe('At this or below it the side is idle.'),
              })
              .optional()
              .describe('A number from Prometheus.'),
            podMetrics: podMetrics.optional(),
          })
          .meta({
            description: 'What shows that nobody uses it any more: one of these.',
            'x-kubernetes-validations': [
              rule('has(self.prometheus) != has(self.podMetrics)', 'give prometheus or podMetrics'),
            ],
          })
          .refine((said) => (said.prometheus === undefined) !== (said.podMetrics === undefined), {
            error: 'must have prometheus or podMetrics',
          }),
        timeoutSeconds: seconds(5, 86_400)
          .default(300)
          .describe('It counts as drained after this time at the latest, also when that cannot be measured.'),
      })
      .optional()
      .describe(
        'When the side that lost the traffic is drained, after drainSeconds at the earliest. Absent: then.',
      ),
  })
  .meta({
    description: 'How production traffic reaches the application: by services, or by endpoint.',
    'x-kubernetes-validations': [
      rule(
        '(has(self.services) && self.services.size() > 0) != has(self.endpoint)',
        'give services, or endpoint for workload.external',
      ),
      rule(
        '!has(self.endpoint) || !has(self.previewServices) || self.previewServices.size() == 0',
        'previewServices need services: with endpoint there are no pods that they could show',
      ),
      rule(
        "!has(self.previewServices) || !self.previewServices.exists(p, has(self.services) && self.services.exists(s, p.name == s.name || p.name == s.name + '-blue' || p.name == s.name + '-green'))",
        'no Service may be in services and in previewServices, nor have the name of a twin (NAME-blue or NAME-green)',
      ),
    ],
  })
  .refine(({ services, endpoint }) => services.length > 0 || endpoint !== undefined, {
    error: 'must have services or endpoint',
  });
