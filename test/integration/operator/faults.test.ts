/** The operator as a process, behind a proxy that fails by name: each release ends switched and verified all the same. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { auditLines } from '../../e2e/audit-log.ts';
import { type Asked, describeAsked, isWrite } from '../../faults/asked.ts';
import { type FaultProxy, startFaultProxy } from '../../faults/proxy.ts';
import type { Fault, Match, WatchEnd } from '../../faults/switchboard.ts';
import { switchesIn } from '../../support/audit.ts';
import { SHOP, type Shop } from './shop.ts';
import { together } from './together.ts';
import { NAMESPACE, OPERATOR, World } from './world.ts';

describe('An operator that reaches the API server only through failures', function () {
  this.timeout(600_000);
  let world: World;
  const proxies: FaultProxy[] = [];

  before(async function () {
    this.timeout(1_800_000); // the first run on a machine fetches or builds Kubernetes
    world = await World.start();
    await world.useBundle();
  });
  after(async () => {
    await world?.stop();
    await Promise.all(proxies.map((proxy) => proxy.stop()));
  });

  /** A shop that is adopted already, and an operator of its own behind a proxy of its own. */
  async function behindProxy(
    prepare: (proxy: FaultProxy, kubeconfig: string) => Promise<string> | string = (_, file) => file,
  ): Promise<{ shop: Shop; proxy: FaultProxy }> {
    const shop = await world.shop();
    shop.patienceMs = 240_000;
    const proxy = await startFaultProxy(world.cluster);
    proxies.push(proxy);
    const kubeconfig = await prepare(proxy, await proxy.kubeconfig(world.kubeconfig));
    world.spawnOperator(kubeconfig, '--no-leader-elect', '--namespace', shop.namespace);
    await shop.release();
    await shop.settledOn('r1');
    return { shop, proxy };
  }

  /** Each revision had the traffic once, by one patch that carries its mark; and the endpoints were read back. */
  async function expectOneSwitchEach(shop: Shop, ...revisions: string[]): Promise<void> {
    const lines = auditLines(world.cluster.auditLog);
    const switches = switchesIn(lines, { namespace: shop.namespace, name: SHOP });
    const marks = switches.map(({ mark }) => `${mark?.direction} ${mark?.revision}`);
    expect(marks).to.deep.equal(revisions.map((revision) => `Forward ${revision}`));
    const { status } = await shop.read();
    expect(status.history.map(({ outcome }: any) => outcome)).to.deep.equal(revisions.map(() => 'Committed'));
    expect(status.switch.convergedAt).to.be.a('string');
  }

  const PRODUCTION: Match = { verb: 'patch', resource: 'services', name: SHOP, where: isWrite };
  const patchFaults: Record<string, readonly [Fault, number]> = {
    'is carried out and not answered': [{ kind: 'answer lost' }, 1],
    'is carried out and not answered, three times': [{ kind: 'answer lost' }, 3],
    'is reset before it arrives': [{ kind: 'reset' }, 2],
    'meets a conflict': [{ kind: 'refused', status: 409 }, 2],
    'meets an error of the server': [{ kind: 'refused', status: 500 }, 2],
    'meets a server that is not ready, again and again': [{ kind: 'refused', status: 503 }, 8],
    'is asked to wait': [{ kind: 'refused', status: 429, retryAfterSeconds: 1 }, 2],
    'is refused as nobody’s': [{ kind: 'refused', status: 401 }, 2],
    'is slow to arrive': [{ kind: 'latency', ms: 3_000 }, 1],
    'is answered byte by byte': [{ kind: 'slow body', pieceBytes: 20, everyMs: 5 }, 1],
  };

  /** All the patches one after the other, on one shop: each is a release of its own. */
  async function throughPatchFaults(): Promise<void> {
    const { shop, proxy } = await behindProxy();
    const revisions = ['r1'];
    for (const [what, [fault, times]] of Object.entries(patchFaults)) {
      const revision = `r${revisions.length + 1}`;
      revisions.push(revision);
      const rule = proxy.board.next(PRODUCTION, fault, times);
      await shop.version(`v${revisions.length}`);
      await shop.settledOn(revision);
      expect(rule.hits, what).to.be.at.least(1);
      rule.lift();
    }
    const lines = auditLines(world.cluster.auditLog);
    const switches = switchesIn(lines, { namespace: shop.namespace, name: SHOP });
    expect(switches.map(({ mark }) => `${mark?.direction} ${mark?.revision}`)).to.deep.equal(
      revisions.map((revision) => `Forward ${revision}`),
    );
  }

  const brokenWatches = (end: WatchEnd) => async (): Promise<void> => {
    const { shop, proxy } = await behindProxy();
    // Each write is followed by the end of all watches: what it leads to is never heard in time.
    proxy.onAnswer = (asked) => {
      if (isWrite(asked)) for (const watch of proxy.watches) watch.end(end);
    };
    await shop.version('v2');
    await shop.settledOn('r2');
    proxy.onAnswer = () => undefined;
    await expectOneSwitchEach(shop, 'r1', 'r2');
  };

  together({
    'switches once for each revision, whatever happens to the production patch': throughPatchFaults,

    'goes on where the first answer to each of its writes is lost': async () => {
      const lost = new Set<string>();
      const loseFirst = (asked: Asked): Fault | undefined => {
        const write = describeAsked(asked);
        if (!isWrite(asked) || lost.has(write)) return undefined;
        lost.add(write);
        return { kind: 'answer lost' };
      };
      const { shop, proxy } = await behindProxy((each, file) => {
        each.board.weather = loseFirst;
        return file;
      });
      lost.clear();
      await shop.version('v2');
      await shop.settledOn('r2');
      proxy.board.weather = undefined;
      expect([...lost]).to.include.members([
        'create controllerrevisions',
        'create deployments',
        'patch services/shop',
        'patch controllerrevisions/shop-r2',
        'patch bluegreenreleases/shop/status',
      ]);
      await expectOneSwitchEach(shop, 'r1', 'r2');
    },

    'goes on where all its watches break inside an event after each write': brokenWatches('truncated'),
    'goes on where all its watches expire after each write': brokenWatches('expired'),
    'goes on where all its watches are closed after each write': brokenWatches('closed'),

    'finds out that all its watches have gone silent': async () => {
      const { shop, proxy } = await behindProxy();
      for (const watch of proxy.watches) watch.end('silent');
      await shop.version('v2');
      await shop.settledOn('r2');
      await expectOneSwitchEach(shop, 'r1', 'r2');
    },

    'starts where the server has no streaming lists, and lists in pages whose tokens expire': async () => {
      const { shop, proxy } = await behindProxy((each, file) => {
        const isStream: Match = { where: ({ query }) => query.has('sendInitialEvents') };
        each.board.next(isStream, { kind: 'refused', status: 422 }, 1_000);
        each.board.next({ verb: 'list' }, { kind: 'refused', status: 410 }, 3);
        return file;
      });
      expect(proxy.board.counts['refused 422']).to.be.at.least(8);
      expect(proxy.board.counts['refused 410']).to.equal(3);
      await shop.version('v2');
      await shop.settledOn('r2');
      await expectOneSwitchEach(shop, 'r1', 'r2');
    },

    'goes on while its token is rotated in mid-release': async () => {
      const [old = '', fresh = ''] = await Promise.all(
        [1, 2].map(() => world.cluster.kubectl(['create', 'token', OPERATOR, '-n', NAMESPACE])),
      );
      const tokenFile = join(world.cluster.workDir, 'operator-token');
      const { shop, proxy } = await behindProxy(async (_, file) => {
        await writeFile(tokenFile, old);
        const config = JSON.parse(await readFile(file, 'utf8'));
        config.users[0].user = { tokenFile };
        await writeFile(`${file}-rotated`, JSON.stringify(config));
        return `${file}-rotated`;
      });
      const isOld: Match = { where: ({ authorization }) => authorization.includes(old.trim()) };
      // When the candidate is written: the file changes, and the old token is worth nothing any more.
      proxy.onAnswer = async ({ verb, resource }) => {
        if (verb !== 'create' || resource !== 'deployments') return;
        proxy.onAnswer = () => undefined;
        await writeFile(tokenFile, fresh);
        proxy.board.next(isOld, { kind: 'refused', status: 401 }, 10_000);
      };
      await shop.version('v2');
      await shop.settledOn('r2');
      expect(proxy.board.counts['refused 401']).to.be.at.least(1);
      await expectOneSwitchEach(shop, 'r1', 'r2');
    },
  });
});
