/**
 * The one schema of a BlueGreenRelease. TypeScript types, defaults, the parser, the CRD (OpenAPI and CEL) and the
 * reference page all come from it; `npm run generate` writes the generated files and a test fails when they drift.
 *
 * CEL rules stand in `meta` under the name that the CRD uses. Every list and string has a maximum, because the API
 * server refuses a CRD whose CEL rules could cost too much.
 */
import { z } from 'zod';
import { EXTERNAL_RULES, endpoint, external } from './external.ts';
import { pair } from './pair-schema.ts';
import {
  COUNTER,
  DECIMAL,
  DNS_1035,
  DNS_1123_SUBDOMAIN,
  LABEL_VALUE,
  PERCENT,
  QUALIFIED_NAME,
} from './patterns.ts';
import { httpPath, objectName, rule, seconds } from './pieces.ts';

export const GROUP = 'bluegreen.dev';
export const VERSION = 'v1alpha1';
export const KIND = 'BlueGreenRelease';
export const API_VERSION: string = `${GROUP}/${VERSION}`;

/** A Kubernetes object whose verdict comes from the API server itself: a strict dry run of what is derived from it. */
const embedded = (description: string) =>
  z.record(z.string(), z.unknown()).meta({ description, 'x-kubernetes-preserve-unknown-fields': true });

const intOrPercent = z.union([z.int().min(0).max(10_000), z.string().regex(PERCENT)]).meta({
  'x-kubernetes-int-or-string': true,
  'x-kubernetes-validations': [
    rule(
      "type(self) == int ? self >= 0 && self <= 10000 : self.matches('^(0|[1-9][0-9]{0,2}|1000)%$')",
      'a number of pods from 0 to 10000, or a percentage such as "100%"',
    ),
  ],
});

const decimal = z.string().max(32).regex(DECIMAL);

const listName = z.string().min(1).max(40).regex(DNS_1035);

/** Short enough for the name of a copy, in which the release, the colour and a digest stand as well. */
const namedConfig = (description: string) => {
  const name = z.string().min(1).max(180).regex(DNS_1123_SUBDOMAIN);
  return z
    .array(z.object({ name: name.describe('In the namespace of the release.') }).describe('By its name.'))
    .max(16)
    .default([])
    .meta({ description, 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] });
};

const RESERVED_KEY = /^(bluegreen\.dev|deployment\.kubernetes\.io|kubectl\.kubernetes\.io)\//;

const metricSource = z
  .string()
  .min(1)
  .max(63)
  .regex(DNS_1035)
  .default('default')
  .describe('A metric source that the administrator of the operator has named.');

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

const workload = z
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

const podMetrics = z
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
    port: z
      .int()
      .min(1)
      .max(65_535)
      .optional()
      .describe('A port of the first production Service. Absent: its first.'),
    idleSeconds: seconds(5, 3600)
      .default(30)
      .describe('A pod is idle when its counter has not grown for so long, by two answers of it at least.'),
  })
  .describe(
    'What each pod of that side that was there before the switch says of itself, by plain HTTP. One that does not answer is not idle.',
  );

const traffic = z
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
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['name'],
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
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['name'],
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
                query: z
                  .string()
                  .min(1)
                  .max(4096)
                  .describe(
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

const capacity = z
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

const podDisruptionBudget = z
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

const jobGate = z
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
    query: z
      .string()
      .min(1)
      .max(4096)
      .describe(
        'PromQL that answers with one number. $(BLUEGREEN_COLOR), $(BLUEGREEN_REVISION), $(BLUEGREEN_RELEASE) and $(BLUEGREEN_NAMESPACE) are replaced.',
      ),
    max: decimal.optional().describe('The largest good value.'),
    min: decimal.optional().describe('The smallest good value.'),
    requestsQuery: z
      .string()
      .min(1)
      .max(4096)
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

const observation = z
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
            'Fewer ready pods than this share of those counted when the switch was verified are a breach.',
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
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['name'],
      }),
  })
  .describe('What is watched after the switch.');

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
            port: z
              .int()
              .min(1)
              .max(65_535)
              .optional()
              .describe('A port of the first production Service. Absent: its first.'),
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
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['name'],
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
