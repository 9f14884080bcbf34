import { expect } from 'chai';
import { specSchema } from '../../../src/api/schema.ts';
import type { Cache } from '../../../src/controller/cache.ts';
import { pairedIdentity } from '../../../src/controller/identities.ts';
import { pairedSide } from '../../../src/controller/pair.ts';
import type { Pod, StatefulSet } from '../../../src/kube/types.ts';
import type { RevisionView } from '../../../src/release/snapshot.ts';
import { contentOfPaired, fingerprint } from '../../../src/workload/content.ts';
import { r1 } from '../release/situations.ts';
import { revisionOf } from '../release/world.ts';

const KEY = 'bluegreen.dev/color';
const spec = specSchema.parse({
  workload: {
    pair: {
      blue: { kind: 'StatefulSet', name: 'db-blue' },
      green: { kind: 'StatefulSet', name: 'db-green' },
    },
  },
  traffic: { services: [{ name: 'db' }] },
});
const release = { namespace: 'demo', name: 'db', uid: 'u', spec };
const labels = { app: 'db', 'bluegreen.dev/release': 'db', [KEY]: 'blue' };

/** Three pods are asked for; its controller has seen that, and says `status` besides. */
const set = (status: StatefulSet['status']): StatefulSet => ({
  metadata: { namespace: 'demo', name: 'db-blue', uid: 's', generation: 2, labels },
  spec: {
    replicas: 3,
    selector: { matchLabels: { app: 'db', [KEY]: 'blue' } },
    template: { metadata: { labels }, spec: { containers: [{ name: 'db', image: 'db:1' }] } },
  },
  status: { observedGeneration: 2, readyReplicas: 3, availableReplicas: 3, ...status },
});

const pod = (ordinal: number, hash: string, isEnding = false): Pod => ({
  metadata: {
    namespace: 'demo',
    name: `db-blue-${ordinal}`,
    uid: `pod-${ordinal}`,
    labels: { ...labels, 'controller-revision-hash': hash },
    ...(isEnding && { deletionTimestamp: '2026-01-01T00:00:00Z' }),
  },
  spec: {},
  status: { conditions: [{ type: 'Ready', status: 'True' }] },
});

function sideOf(workload: StatefulSet, pods: readonly Pod[]) {
  const cache = { pods: { byIndex: () => pods } } as unknown as Cache;
  const held: RevisionView = revisionOf('r1', r1, fingerprint(contentOfPaired(workload)), spec);
  return pairedSide(cache, release, 'blue', { workload, autoscaler: undefined }, [held]);
}

describe('a side that is a StatefulSet', () => {
  it('holds its revision while one of its pods ends, which its status counts only among all of them', () => {
    const status = { replicas: 3, updatedReplicas: 2, updateRevision: 'db-new' };
    const side = sideOf(set(status), [pod(0, 'db-new'), pod(1, 'db-new'), pod(2, 'db-new', true)]);
    expect(side.pods.map(({ revision }) => revision)).to.deep.equal(['r1', 'r1']);
    expect(side.deployment).to.include({ revision: 'r1', pods: 2, updated: 2 });
  });

  it('has pods of another revision as long as those of an older template are left', () => {
    const status = { replicas: 3, updatedReplicas: 2, updateRevision: 'db-new' };
    const side = sideOf(set(status), [pod(0, 'db-old'), pod(1, 'db-new'), pod(2, 'db-new')]);
    expect(side.pods.map(({ revision }) => revision)).to.deep.equal([undefined, 'r1', 'r1']);
    expect(side.deployment).to.include({ pods: 3, updated: 2 });
  });

  it('says nothing of its pods before its controller has seen the latest template', () => {
    const unseen = set({ observedGeneration: 1, replicas: 1, updatedReplicas: 1, updateRevision: 'db-new' });
    const side = sideOf(unseen, [pod(0, 'db-new')]);
    expect(side.pods.map(({ revision }) => revision)).to.deep.equal([undefined]);
    expect(side.deployment?.observed).to.equal(false);
  });
});

describe('what a side of a pair is', () => {
  it('is its template alone: how its pods are replaced is for people to change', () => {
    const { metadata, spec } = set({});
    const changed = { minReadySeconds: 5, progressDeadlineSeconds: 60, revisionHistoryLimit: 2 };
    const other = { metadata, spec: { ...spec, ...changed, strategy: { type: 'Recreate' } } };
    const known = pairedIdentity({ metadata, spec }, KEY);
    expect(pairedIdentity(other, KEY)).to.deep.equal(known);
    const container = { name: 'db', image: 'db:2' };
    const edited = { ...spec, template: { ...spec.template, spec: { containers: [container] } } };
    expect(pairedIdentity({ metadata, spec: edited }, KEY).fingerprint).not.to.equal(known.fingerprint);
  });
});
