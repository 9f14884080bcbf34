/** The images that the demo and the end-to-end tests run, made here. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundle } from '../../build/bundle.ts';
import { buildImage, type Image, nodeImage, nodeRuntimeFiles, withLibraries } from '../cluster/images.ts';

export { prometheusImage } from '../cluster/images.ts';

const demo = join(import.meta.dirname, '../demo');

/** The application and the load generator in one; pods say which by their command. */
export function demoImage(): Promise<Image> {
  return nodeImage({
    name: 'local.test/bluegreen-demo:1',
    files: [
      { from: join(demo, 'app'), to: '/demo/app' },
      { from: join(demo, 'load'), to: '/demo/load' },
    ],
  });
}

/** The databases, the consumers and the `psql` of examples/endpoint-credentials.yaml, as test/e2e/orders plays them. */
export async function ordersImage(): Promise<Image> {
  const psql = '#!/bin/sh\nexec node /orders/psql.ts "$@"\n';
  return nodeImage({
    name: 'local.test/orders:1',
    files: [
      { from: join(import.meta.dirname, '../e2e/orders'), to: '/orders' },
      // The gate of the example is a line of shell.
      ...(await withLibraries('/bin/sh', '/bin/sh')),
      ...(await withLibraries('/bin/cat', '/bin/cat')),
      { content: psql, to: '/usr/local/bin/psql', mode: 0o755 },
    ],
    cmd: ['node', '/orders/orders.ts'],
  });
}

/** What the Dockerfile makes, without a builder or a registry. */
export async function operatorImage(): Promise<Image> {
  const outdir = await mkdtemp(join(tmpdir(), 'bluegreen-operator-'));
  try {
    await bundle({ entries: { operator: 'src/main.ts' }, outdir });
    const name = 'local.test/bluegreen-operator:1';
    const tar = await buildImage({
      name,
      base: await nodeRuntimeFiles(),
      files: [{ from: join(outdir, 'operator.mjs'), to: '/operator/operator.mjs' }],
      env: { NODE_ENV: 'production' },
      // An entry point, not a command: the `args` of its Pod replace commands.
      entrypoint: ['/usr/local/bin/node', '/operator/operator.mjs'],
    });
    return { name, tar };
  } finally {
    await rm(outdir, { recursive: true, force: true });
  }
}
