/**
 * What one whole release costs the API server: from the change of the Deployment until the old side is at 0, with one
 * production Service, one preview Service and no autoscaler, counted from the audit log. The dearest of several releases is shown.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { SERVICES } from '../../src/kube/types.ts';
import { SHOP, Shop } from '../../test/integration/operator/shop.ts';
import { count, type Request, sortOf } from '../audit.ts';
import type { Benchmark } from '../benchmark.ts';
import { type Lab, ofOperator } from '../lab.ts';
import { atMost, plain, type Row } from '../row.ts';
import { parts } from './parts.ts';

const NAMESPACE = 'bench-requests';
const VERSIONS = ['v2', 'v3', 'v4'];
/** Nothing is asked for so long: the release is over. */
const QUIET_MS = 4_000;
const PREVIEW = 'shop-preview';
const SPEC = {
  traffic: { services: [{ name: SHOP }], previewServices: [{ name: PREVIEW }] },
  observation: { durationSeconds: 2 },
  rollback: { windowSeconds: 8 },
};

export const requests: Benchmark = {
  name: 'requests',
  async run(lab, _sizes, say) {
    say('adopting an application');
    const operator = await lab.operator();
    const shop = await Shop.open(lab, NAMESPACE, { replicas: 3 });
    await shop.create(SERVICES, shop.service(PREVIEW));
    await shop.release(SPEC);
    await shop.settledOn('r1');
    await quiet(lab);
    const releases: Request[][] = [];
    for (const version of VERSIONS) {
      say(`counting the release of ${version}`);
      releases.push(await oneRelease(lab, shop, version));
    }
    await operator.end();
    return rowsOf(dearest(releases));
  },
};

async function oneRelease(lab: Lab, shop: Shop, version: string): Promise<Request[]> {
  const audit = lab.audit();
  await shop.version(version);
  await shop.until('have the old side at 0', ({ status }) => {
    return (
      status.active.images[0].endsWith(version) && status.standby?.desired === 0 && status.standby.ready === 0
    );
  });
  await quiet(lab);
  const seen = audit.read().filter((request) => ofOperator(request) && request.namespace === shop.namespace);
  audit.close();
  return seen;
}

async function quiet(lab: Lab): Promise<void> {
  const audit = lab.audit();
  do await sleep(QUIET_MS);
  while (
    audit
      .read()
      .filter(ofOperator)
      .some((request) => sortOf(request) !== 'watch')
  );
  audit.close();
}

const total = (seen: readonly Request[]): number =>
  count(seen, 'write') + count(seen, 'dry run') + count(seen, 'read');

function dearest(releases: readonly Request[][]): Request[] {
  return releases.toSorted((a, b) => total(b) - total(a))[0] ?? [];
}

function rowsOf(seen: readonly Request[]): Row[] {
  return [
    atMost('requests of a release: writes without events', count(seen, 'write'), '', 14),
    ...parts(seen, 'write'),
    plain('requests of a release: dry runs (preflight)', count(seen, 'dry run'), ''),
    ...parts(seen, 'dry run'),
    plain('requests of a release: reads', count(seen, 'read'), ''),
    ...parts(seen, 'read'),
    atMost('requests of a release: in all, without events', total(seen), '', 20),
    plain('requests of a release: events', count(seen, 'event'), ''),
  ];
}
