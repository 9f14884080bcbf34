import { expect } from 'chai';
import { specSchema } from '../../../src/api/schema.ts';
import { renderJob } from '../../../src/workload/render.ts';

const spec = specSchema.parse({
  workload: { deploymentRef: { name: 'shop' } },
  traffic: { services: [{ name: 'shop' }] },
  gates: [
    {
      name: 'smoke',
      timeoutSeconds: 30,
      job: {
        metadata: { labels: { team: 'shop' } },
        spec: {
          suspend: true,
          ttlSecondsAfterFinished: 1,
          template: {
            spec: {
              restartPolicy: 'Never',
              initContainers: [{ name: 'wait', image: 'x' }],
              containers: [
                {
                  name: 'smoke',
                  image: 'x',
                  terminationMessagePolicy: 'FallbackToLogsOnError',
                  env: [{ name: 'BLUEGREEN_COLOR', value: 'mine' }],
                },
              ],
            },
          },
        },
      },
    },
  ],
});
const release = { namespace: 'demo', name: 'shop', uid: 'u', spec };
const service = { metadata: { name: 'shop' }, spec: { ports: [{ port: 8080 }] } };
const [gate] = spec.gates;
if (gate === undefined) throw new Error('a gate');
const job = renderJob(release, gate, {
  revision: 'r2',
  attempt: 2,
  color: 'green',
  activeColor: 'blue',
  services: [service, undefined, { metadata: { name: 'shop-admin' }, spec: { ports: [{ port: 9090 }] } }],
});
const pod = job.spec.template.spec as Record<string, any>;

describe('the Job of a gate', () => {
  it('says where the candidate is and where production is', () => {
    expect(pod.initContainers[0].env).to.deep.equal([
      { name: 'BLUEGREEN_RELEASE', value: 'shop' },
      { name: 'BLUEGREEN_NAMESPACE', value: 'demo' },
      { name: 'BLUEGREEN_COLOR', value: 'green' },
      { name: 'BLUEGREEN_REVISION', value: 'r2' },
      { name: 'BLUEGREEN_CANDIDATE_URL', value: 'http://shop-green.demo.svc:8080' },
      { name: 'BLUEGREEN_ACTIVE_URL', value: 'http://shop-blue.demo.svc:8080' },
      { name: 'BLUEGREEN_CANDIDATE_URL_SHOP', value: 'http://shop-green.demo.svc:8080' },
      { name: 'BLUEGREEN_ACTIVE_URL_SHOP', value: 'http://shop-blue.demo.svc:8080' },
      { name: 'BLUEGREEN_CANDIDATE_URL_SHOP_ADMIN', value: 'http://shop-admin-green.demo.svc:9090' },
      { name: 'BLUEGREEN_ACTIVE_URL_SHOP_ADMIN', value: 'http://shop-admin-blue.demo.svc:9090' },
    ]);
  });
  it('leaves a variable that the template sets itself', () => {
    expect(
      pod.containers[0].env.filter(({ name }: { name: string }) => name === 'BLUEGREEN_COLOR'),
    ).to.deep.equal([{ name: 'BLUEGREEN_COLOR', value: 'mine' }]);
  });
  it('never lets a log speak in the status', () => {
    expect(pod.containers[0].terminationMessagePolicy).to.equal('File');
  });
  it('runs at once, ends in time, and stays for a week', () => {
    expect(job.spec.suspend).to.equal(undefined);
    expect([
      job.spec.activeDeadlineSeconds,
      job.spec.backoffLimit,
      job.spec.ttlSecondsAfterFinished,
    ]).to.deep.equal([30, 1, 604_800]);
  });
  it('has pods without a colour, so that no Service and no Deployment of ours selects them', () => {
    expect(job.spec.template.metadata?.labels).to.deep.equal({
      'bluegreen.dev/release': 'shop',
      'bluegreen.dev/gate': 'smoke',
      'bluegreen.dev/revision': 'r2',
      'bluegreen.dev/attempt': '2',
    });
  });
});
