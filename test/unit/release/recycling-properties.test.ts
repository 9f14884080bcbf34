/** Pods that may hold connections from before a switch are replaced, however many there are. */
import { expect } from 'chai';
import fc from 'fast-check';
import { decide } from '../../../src/release/decide.ts';
import { violations } from '../../../src/release/invariants.ts';
import type { PodView, Snapshot } from '../../../src/release/snapshot.ts';
import { ADOPTED_AT, committed, r1, r2Committed } from './situations.ts';
import { endpointsOf, NOON, SECOND, world } from './world.ts';

/** Half a minute after the proof of the switch. */
const DRAINED = NOON + 25 * SECOND;

/** That it is larger than it was is noted, and nothing else is done. */
const isBusy = (snapshot: Snapshot): boolean =>
  decide(snapshot).effects.some(({ kind }) => kind !== 'RecordFacts');

/** Plays the cluster: pods that were ended are gone, and successors stand ready at the next look. */
function replaced(snapshot: Snapshot, now: number): Snapshot {
  const plan = decide(snapshot);
  const ended = new Set(
    plan.effects.flatMap((effect) =>
      effect.kind === 'RecyclePods' ? effect.pods.map(({ uid }) => uid) : [],
    ),
  );
  const scaled = plan.effects.find((effect) => effect.kind === 'ScaleColor');
  const side = snapshot.sides.blue;
  const desired = scaled?.to ?? side.deployment?.desired ?? 0;
  const left = side.pods.filter(({ uid }) => !ended.has(uid));
  const fresh = Array.from(
    { length: desired - left.length },
    (_, index): PodView => ({
      uid: `${now}-${index}`,
      name: `fresh-${now}-${index}`,
      createdAt: now,
      readySince: now,
      revision: 'r1',
      ready: true,
      trouble: undefined,
      unschedulable: undefined,
    }),
  );
  const pods = [...left, ...fresh];
  const deployment = side.deployment && {
    ...side.deployment,
    desired,
    pods: desired,
    updated: desired,
    ready: desired,
  };
  const services = snapshot.services.map((service) => ({
    ...service,
    twins: { ...service.twins, blue: { ...service.twins.blue, endpoints: endpointsOf(pods) } },
  }));
  return { ...snapshot, now, services, sides: { ...snapshot.sides, blue: { ...side, pods, deployment } } };
}

it('however many there are: all old pods are replaced, never fewer stand ready than the window asks for, then it rests', function () {
  this.timeout(120_000); // many worlds: on a busy machine they take their time
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 30 }), fc.constantFrom('100%', '50%', 1), (size, window) => {
      const pods = Array.from({ length: size }, () => ({ createdAt: ADOPTED_AT }));
      let snapshot = world({
        ...committed,
        now: DRAINED,
        spec: { capacity: { window } },
        green: { revision: 'r2', ready: size },
        revisions: { r1, r2: { ...r2Committed, verifiedReady: size } },
        blue: { revision: 'r1', ready: size, pods },
      });
      const asked = window === 1 ? 1 : Math.ceil((Number.parseInt(String(window), 10) * size) / 100);
      for (let step = 1; isBusy(snapshot); step++) {
        expect(step, 'steps').to.be.at.most(60);
        expect(violations(snapshot, decide(snapshot).effects)).to.deep.equal([]);
        const ended = decide(snapshot).effects.flatMap((effect) =>
          effect.kind === 'RecyclePods' ? effect.pods : [],
        );
        expect(snapshot.sides.blue.pods.length - ended.length).to.be.at.least(asked);
        snapshot = replaced(snapshot, DRAINED + step * SECOND);
      }
      expect(snapshot.sides.blue.pods.filter(({ createdAt }) => createdAt < NOON)).to.deep.equal([]);
    }),
    { numRuns: 100 },
  );
});
