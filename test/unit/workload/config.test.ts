import { expect } from 'chai';
import { changedConfig, copiesOf } from '../../../src/api/config.ts';
import type { ReleaseSpec } from '../../../src/api/schema.ts';
import type { Deployment, JsonObject } from '../../../src/kube/types.ts';
import {
  configData,
  configDigest,
  renameConfigMaps,
  secretIdentity,
  statedConfig,
} from '../../../src/workload/config.ts';
import { contentOf, contentOfColor, fingerprint, holds } from '../../../src/workload/content.ts';
import { renderColor, renderCopy } from '../../../src/workload/render.ts';

const KEY = 'bluegreen.dev/color';
const release = {
  namespace: 'demo',
  name: 'shop',
  uid: 'u',
  spec: { workload: { deploymentRef: { name: 'shop' } }, traffic: { selectorLabel: KEY } } as ReleaseSpec,
};
const podSpec = (name: string): JsonObject => ({
  containers: [
    {
      name: 'app',
      image: 'shop:v1',
      envFrom: [{ configMapRef: { name } }, { secretRef: { name } }],
      env: [
        { name: 'A', valueFrom: { configMapKeyRef: { name, key: 'a' } } },
        { name: 'B', valueFrom: { secretKeyRef: { name, key: 'b' } } },
      ],
    },
  ],
  initContainers: [{ name: 'init', image: 'init:v1', envFrom: [{ configMapRef: { name } }] }],
  volumes: [
    { name: 'settings', configMap: { name, items: [{ key: 'a', path: 'a' }] } },
    { name: 'all', projected: { sources: [{ configMap: { name } }, { secret: { name } }] } },
    { name: 'keys', secret: { secretName: name } },
  ],
  nodeSelector: { configMap: name },
});
const source = (spec: JsonObject): Deployment =>
  ({ metadata: { name: 'shop' }, spec: { selector: {}, template: { spec } } }) as Deployment;

describe('a template that names a ConfigMap', () => {
  it('names the copy instead, wherever a ConfigMap can be named, and no Secret', () => {
    const renamed = JSON.stringify(renameConfigMaps(podSpec('settings'), { settings: 'copy' }));
    expect(renamed.match(/"copy"/g)).to.have.length(5);
    expect(renamed.replaceAll('"copy"', '"settings"')).to.equal(JSON.stringify(podSpec('settings')));
    expect(JSON.parse(renamed)).to.deep.include({ nodeSelector: { configMap: 'settings' } });
    expect(renamed).to.include('"secretRef":{"name":"settings"}').and.to.include('"secretName":"settings"');
  });

  it('keeps the names of ConfigMaps that the release does not name', () => {
    expect(renameConfigMaps(podSpec('other'), { settings: 'copy' })).to.deep.equal(podSpec('other'));
  });

  for (const color of ['blue', 'green'] as const) {
    it(`is known for what it is on ${color}`, () => {
      const config = { configMaps: { settings: '0123456789abcdef' }, secrets: { keys: 'uid/7' } };
      const content = contentOf(source(podSpec('settings')), config);
      const colour = renderColor(release, color, 'r2', content, 1);
      expect(JSON.stringify(colour.spec.template.spec)).to.include(`"shop-${color}-settings-0123456789"`);
      expect(statedConfig(colour)).to.deep.equal(config);
      expect(fingerprint(contentOfColor(colour, KEY))).to.equal(fingerprint(content));
      expect(holds(contentOfColor(colour, KEY), content)).to.equal(true);
    });
  }

  it('is another one when what it names has changed, or is not named any more', () => {
    const deployment = source(podSpec('settings'));
    const contents = [
      contentOf(deployment),
      contentOf(deployment, { configMaps: { settings: 'a' } }),
      contentOf(deployment, { configMaps: { settings: 'b' } }),
      contentOf(deployment, { configMaps: { settings: 'b' }, secrets: { keys: 'uid/7' } }),
      contentOf(deployment, { configMaps: { settings: 'b' }, secrets: { keys: 'uid/8' } }),
    ];
    expect(new Set(contents.map((content) => fingerprint(content))).size).to.equal(contents.length);
  });

  it('is no longer what its revision says when somebody takes away what it runs with', () => {
    const content = contentOf(source(podSpec('settings')), { configMaps: { settings: '0123456789abcdef' } });
    const colour = renderColor(release, 'blue', 'r2', content, 1);
    for (const annotations of [
      {},
      { 'bluegreen.dev/named-config': '{' },
      { 'bluegreen.dev/named-config': '7' },
    ]) {
      const edited = { ...colour, metadata: { ...colour.metadata, annotations } as Deployment['metadata'] };
      expect(statedConfig(edited)).to.equal(undefined);
      expect(holds(contentOfColor(edited, KEY), content)).to.equal(false);
    }
  });

  it('without named config carries nothing of it', () => {
    const colour = renderColor(release, 'blue', 'r1', contentOf(source(podSpec('settings'))), 1);
    expect(colour.metadata).not.to.have.property('annotations');
    expect(contentOf(source(podSpec('settings')))).not.to.have.property('config');
  });
});

describe('a copy of a ConfigMap', () => {
  it('holds the same, cannot be changed, and has no owner', () => {
    const held = configData({ metadata: { name: 'settings' }, data: { a: '1' }, binaryData: { b: 'Ag==' } });
    const copy = renderCopy(release, 'green', 'settings', held);
    expect(copy).to.deep.include({ immutable: true, data: { a: '1' }, binaryData: { b: 'Ag==' } });
    expect(copy.metadata).to.deep.equal({
      namespace: 'demo',
      name: `shop-green-settings-${configDigest(held).slice(0, 10)}`,
      labels: {
        'bluegreen.dev/release': 'shop',
        'bluegreen.dev/color': 'green',
        'bluegreen.dev/config': 'copy',
      },
      annotations: { 'bluegreen.dev/copy-of': 'settings' },
    });
    expect(
      Object.values(copiesOf('shop', 'green', { configMaps: { settings: configDigest(held) } })),
    ).to.deep.equal([copy.metadata.name]);
  });

  it('is known by what it holds, whatever the order and whatever is left out', () => {
    expect(configDigest({ data: { a: '1', b: '2' } })).to.equal(configDigest({ data: { b: '2', a: '1' } }));
    expect(configDigest({ data: {} })).to.equal(configDigest({ binaryData: {} }));
    expect(configDigest({ data: { a: '1' } })).not.to.equal(configDigest({ binaryData: { a: '1' } }));
    expect(configDigest({ data: { a: '1' } })).not.to.equal(configDigest({ data: { a: '2' } }));
  });
});

describe('a Secret', () => {
  it('is known by its metadata alone', () => {
    const metadata = { name: 'keys', uid: 'uid', resourceVersion: '7' };
    expect(secretIdentity({ metadata, data: { pin: 'MTIzNA==' } } as never)).to.equal('uid/7');
  });
});

describe('what changed', () => {
  it('is named: what is new, what is other, what is gone', () => {
    const before = { configMaps: { a: '1', b: '1' }, secrets: { k: 'u/1' } };
    expect(changedConfig(before, { configMaps: { a: '1', b: '2', c: '1' } })).to.deep.equal([
      'ConfigMap "b"',
      'ConfigMap "c"',
      'Secret "k"',
    ]);
    expect(changedConfig(before, before)).to.deep.equal([]);
    expect(changedConfig(undefined, undefined)).to.deep.equal([]);
  });
});
