import { expect } from 'chai';
import { serverErrorsOf } from '../demo/traffic.ts';
import { eventually } from '../support/eventually.ts';
import { ordersImage } from '../support/images.ts';
import { operatorLog } from '../support/operator.ts';
import { auditLines, OPERATOR_USER } from './audit-log.ts';
import {
  become,
  COLORS,
  CONSUMERS,
  countsOf,
  deployOrders,
  loginOf,
  published,
  RELEASE,
  releaseOrders,
  tryLogin,
} from './endpoint.ts';
import { PATIENCE_MS } from './shop.ts';
import { useShop } from './story.ts';
import { expectNoFailure } from './verdict.ts';

/** test/cluster/manifests/audit-policy.yaml knows it: what the operator sends to this namespace is kept. */
const NAMESPACE = 'story-endpoint';
/** Everything else that a release has to do with. */
const OBJECTS = [
  'bluegreenreleases',
  'controllerrevisions',
  'configmaps',
  'deployments',
  'statefulsets',
  'replicasets',
  'pods',
  'jobs',
  'services',
  'events',
].join(',');

describe('Two databases that somebody else runs, each with a login of its own, under load', function () {
  this.timeout(2 * PATIENCE_MS);
  const shop = useShop(NAMESPACE);

  it('let nobody in with the login of the other one', async () => {
    await shop().stage.cluster.loadImage((await ordersImage()).tar);
    await shop().open({ deploy: deployOrders });
    const refused = COLORS.map(async (color) => {
      await tryLogin(shop(), color, loginOf(color === 'blue' ? 'green' : 'blue'));
      return (await countsOf(shop(), color)).refused;
    });
    expect(await Promise.all(refused)).to.deep.equal([1, 1]);
  });

  it('are published as the example has it, where people had published one of them by hand', async () => {
    await releaseOrders(shop());
    await shop().follow(RELEASE);
    await expectPublished('blue');
    await answeredBy('v1');
  });

  it('are switched: address and login first, and then each consumer when the one before it is done', async () => {
    await change({ active: 'green' });
    await shop().ends('r2', 'Committed');
    await expectPublished('green');
    expect(orders().slice(1)).to.deep.equal([WHOLE_ORDER]);
    await expectOneAfterTheOther();
    await answeredBy('v2');
  });

  it('are switched back with their logins when the next one answers every fifth question with an error', async () => {
    await become(shop(), 'blue', 'v3', 0.2);
    const { url } = published(NAMESPACE, 'blue');
    await change({ active: 'blue', blue: { url, revision: 'v3' } });
    const { rejected = [] } = await shop().ends('r3', 'RolledBack');
    expect(rejected.map(({ revision, reason }) => `${revision} ${reason}`)).to.deep.equal(['r3 CheckFailed']);
    await expectPublished('green');
    // How far the way forward had come is the check's affair.
    expect(
      orders()
        .slice(2)
        .map((order) => order.slice(0, 3)),
    ).to.deep.equal([WHOLE_ORDER.slice(0, 3), WHOLE_ORDER.slice(0, 3)]);
    await answeredBy('v2');
  });

  it('have lost no request, and met no login but their own', async () => {
    await shop().serveFor(3);
    const { totals } = await expectNoFailure(shop());
    expect(serverErrorsOf(totals), 'errors that v3 sent').to.be.greaterThan(0);
    for (const color of COLORS) {
      const { answered, refused } = await countsOf(shop(), color);
      expect(refused, `refused by ${color}, but for the one that was tried`).to.equal(1);
      expect(answered, `answered by ${color}`).to.be.greaterThan(100);
    }
  });

  it('have their passwords told nowhere: the published Secret alone was written with them', async () => {
    const { target, cluster } = shop().stage;
    const logs = await operatorLog(target, -1);
    expect(logs).to.include(RELEASE);
    expect(logs.split('\n').filter(tells)).to.deep.equal([]);
    const { items } = await shop().json(OBJECTS);
    expect(items.filter((each: unknown) => tells(JSON.stringify(each))).map(nameOf)).to.deep.equal([]);
    const { metadata } = await shop().json('secret', RELEASE);
    expect(tells(JSON.stringify(metadata))).to.equal(false);
    const writes = auditLines(cluster.auditLog).filter(tells).map(requestIn);
    expect([...new Set(writes)]).to.deep.equal([`${OPERATOR_USER} patch secrets/${RELEASE}`]);
    expect(writes).to.have.length(4);
  });

  /** What the operator writes for one order, each once, in this order. */
  const WHOLE_ORDER = [
    `configmaps/${RELEASE}`,
    `secrets/${RELEASE}`,
    ...CONSUMERS.map(({ kind, name }) => `${kind.toLowerCase()}s/${name}`),
  ];

  /** Those writes, each order from the one of the ConfigMap on that began it. */
  function orders(): string[][] {
    const result: string[][] = [];
    for (const { verb, resource, name } of shop().writes()) {
      const what = `${resource}/${name}`;
      if (verb !== 'patch' || !WHOLE_ORDER.includes(what)) continue;
      if (what === WHOLE_ORDER[0]) result.push([]);
      result.at(-1)?.push(what);
    }
    return result;
  }

  async function change(external: object): Promise<void> {
    const patch = ['--type=merge', '-p', JSON.stringify({ spec: { workload: { external } } })];
    await shop().stage.target.kubectl(['patch', 'bgr', RELEASE, '-n', NAMESPACE, ...patch]);
  }

  async function expectPublished(color: 'blue' | 'green'): Promise<void> {
    const { username, password, ...address } = published(NAMESPACE, color);
    expect((await shop().json('configmap', RELEASE)).data).to.deep.equal(address);
    const { data } = await shop().json('secret', RELEASE);
    const decoded = Object.entries(data as Record<string, string>).map(([key, value]) => [
      key,
      Buffer.from(value, 'base64').toString(),
    ]);
    expect(Object.fromEntries(decoded)).to.deep.equal({ username, password, ...address });
  }

  /** By the times of the pods themselves, which are whole seconds. */
  async function expectOneAfterTheOther(): Promise<void> {
    const [first, second] = await Promise.all(CONSUMERS.map(({ name }) => podsOf(name)));
    const readyAt = first!.map(({ status }) =>
      Date.parse(status.conditions.find(({ type }: any) => type === 'Ready').lastTransitionTime),
    );
    const createdAt = second!.map(({ metadata }) => Date.parse(metadata.creationTimestamp));
    expect(Math.min(...createdAt)).to.be.at.least(Math.max(...readyAt));
  }

  async function podsOf(app: string): Promise<any[]> {
    const { items } = await shop().json('pods', '-l', `app=${app}`);
    return items.filter(({ metadata }: any) => metadata.deletionTimestamp === undefined);
  }

  /** Connections of both kinds: those that are kept follow when the last old pod of the consumer has told them to. */
  async function answeredBy(version: string): Promise<void> {
    await eventually(`waiting until ${version} alone answers`, PATIENCE_MS, () => {
      const { answers } = shop().load.rows.at(-1)!;
      const versions = [...Object.keys(answers.new), ...Object.keys(answers.kept)];
      return versions.length > 0 && versions.every((each) => each === version) ? true : undefined;
    });
  }

  const PASSWORDS = COLORS.map((color) => loginOf(color).password);
  const FORMS = PASSWORDS.flatMap((text) => [text, Buffer.from(text).toString('base64')]);
  const tells = (text: string): boolean => FORMS.some((form) => text.includes(form));
  const nameOf = ({ kind, metadata }: any): string => `${kind}/${metadata.name}`;

  function requestIn(line: string): string {
    const { user, verb, objectRef } = JSON.parse(line);
    return `${user.username} ${verb} ${objectRef.resource}/${objectRef.name}`;
  }
});
