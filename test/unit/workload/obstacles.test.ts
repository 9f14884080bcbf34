import { expect } from 'chai';
import { obstacles } from '../../../src/workload/obstacles.ts';

const KEY = 'bluegreen.dev/color';
const labels = { app: 'shop', tier: 'web' };
const found = (spec: object): string[] =>
  obstacles({ metadata: { labels }, spec: spec as never }, KEY).map(({ reason }) => reason);
const required = (...terms: object[]) => ({
  affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: terms } },
});
const term = (more: object) => ({ topologyKey: 'kubernetes.io/hostname', ...more });

describe('two colours cannot run side by side', () => {
  const cases: Readonly<Record<string, object>> = {
    'with a port of the node': {
      containers: [{ name: 'app', ports: [{ containerPort: 80, hostPort: 80 }] }],
    },
    'with the network of the node': { hostNetwork: true },
    'with a term that matches their labels': required(
      term({ labelSelector: { matchLabels: { app: 'shop' } } }),
    ),
    'with a term that matches all pods': required(term({ labelSelector: {} })),
    'with a term that matches by expressions': required(
      term({
        labelSelector: {
          matchExpressions: [
            { key: 'app', operator: 'In', values: ['shop', 'till'] },
            { key: 'tier', operator: 'Exists' },
            { key: 'job', operator: 'DoesNotExist' },
            { key: 'tier', operator: 'NotIn', values: ['db'] },
          ],
        },
      }),
    ),
  };
  for (const [how, spec] of Object.entries(cases)) it(how, () => expect(found(spec)).to.have.length(1));
});

describe('two colours can run side by side', () => {
  const own = { labelSelector: { matchLabels: { app: 'shop' } } };
  const cases: Readonly<Record<string, object>> = {
    'with ports of their own': { containers: [{ name: 'app', ports: [{ containerPort: 80, hostPort: 0 }] }] },
    'with a term about other pods': required(term({ labelSelector: { matchLabels: { app: 'till' } } })),
    'with a term without a selector, which matches nothing': required(term({})),
    'with a term that compares the colour too': required(term({ ...own, matchLabelKeys: [KEY] })),
    'with a term that compares the template too': required(
      term({ ...own, matchLabelKeys: ['pod-template-hash'] }),
    ),
    'with a term that asks for one colour': required(
      term({ labelSelector: { matchLabels: { app: 'shop', [KEY]: 'blue' } } }),
    ),
    'with a term that is only preferred': {
      affinity: {
        podAntiAffinity: {
          preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, podAffinityTerm: term(own) }],
        },
      },
    },
  };
  for (const [how, spec] of Object.entries(cases)) it(how, () => expect(found(spec)).to.deep.equal([]));
});
