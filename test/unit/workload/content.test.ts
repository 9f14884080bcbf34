import { expect } from 'chai';
import { specSchema } from '../../../src/api/schema.ts';
import type { Deployment } from '../../../src/kube/types.ts';
import {
  contentOf,
  contentOfColor,
  fingerprint,
  holds,
  type WorkloadContent,
} from '../../../src/workload/content.ts';
import { renderColor } from '../../../src/workload/render.ts';

const container = { name: 'app', image: 'shop:v1', ports: [{ containerPort: 8080 }] };

function content(pod: Record<string, unknown> = {}, app: Record<string, unknown> = {}): WorkloadContent {
  const spec = { containers: [{ ...container, ...app }], ...pod };
  return { template: { metadata: { labels: { app: 'shop' } }, spec: spec as never } };
}

describe('the content of a revision', () => {
  describe('is the same', () => {
    const cases: [string, WorkloadContent][] = [
      [
        'with the defaults that the API server fills in',
        content({
          restartPolicy: 'Always',
          dnsPolicy: 'ClusterFirst',
          schedulerName: 'default-scheduler',
          securityContext: {},
        }),
      ],
      ['with the deprecated copy of the service account', content({ serviceAccount: 'x' })],
      [
        'with its keys in another order',
        { template: { spec: content().template.spec, metadata: { labels: { app: 'shop' } } } },
      ],
      ['with empty lists and maps', content({ volumes: [], nodeSelector: {} }, { env: [] })],
    ];
    for (const [what, other] of cases) {
      it(what, () => expect(fingerprint(other)).to.equal(fingerprint(content())));
    }
  });

  describe('differs', () => {
    const cases: [string, WorkloadContent][] = [
      ['with another image', content({}, { image: 'shop:v2' })],
      ['with another variable', content({}, { env: [{ name: 'A', value: '' }] })],
      ['with a service account', content({ serviceAccountName: 'x' })],
      [
        'with a label that looks like a default',
        { template: { ...content().template, metadata: { labels: { app: 'shop', protocol: 'TCP' } } } },
      ],
      ['with a time-out that is not the default', content({ terminationGracePeriodSeconds: 31 })],
      ['with minReadySeconds', { ...content(), minReadySeconds: 5 }],
    ];
    for (const [what, other] of cases) {
      it(what, () => expect(fingerprint(other)).to.not.equal(fingerprint(content())));
    }
  });

  it('is what a colour runs, without what we added to it', () => {
    const spec = specSchema.parse({
      workload: { deploymentRef: { name: 'shop' } },
      traffic: { services: [{ name: 'shop' }], selectorLabel: 'example.com/side' },
    });
    const colour = renderColor(
      { namespace: 'demo', name: 'shop', uid: 'u', spec },
      'green',
      'r2',
      content(),
      3,
    );
    expect(colour.spec.template.metadata?.labels).to.deep.equal({
      app: 'shop',
      'bluegreen.dev/release': 'shop',
      'bluegreen.dev/color': 'green',
      'bluegreen.dev/revision': 'r2',
      'example.com/side': 'green',
    });
    expect(contentOfColor(colour, 'example.com/side')).to.deep.equal(content());
  });

  it('does not know how many pods there are', () => {
    const of = (replicas: number) =>
      contentOf({ metadata: { name: 'shop' }, spec: { replicas, selector: {}, ...content() } } as Deployment);
    expect(of(1)).to.deep.equal(of(7));
  });
});

describe('a live Deployment holds a stored content', () => {
  it('also when a newer API server filled in a default beside it', () => {
    expect(
      holds(content({ newDefault: 'x' }, { resizePolicy: [{ resourceName: 'cpu' }] }), content()),
    ).to.equal(true);
  });
  it('but not when a value was edited', () => {
    expect(holds(content({}, { image: 'shop:edited' }), content())).to.equal(false);
  });
  it('nor when a container was added', () => {
    const live = content();
    (live.template.spec.containers as unknown[]).push({ name: 'sidecar', image: 'x' });
    expect(holds(live, content())).to.equal(false);
  });
  it('nor when something of it was removed', () => {
    expect(holds(content(), content({ priorityClassName: 'high' }))).to.equal(false);
  });
});
