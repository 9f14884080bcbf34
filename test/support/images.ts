/** The images that the demo and the end-to-end tests run, made here. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundle } from '../../build/bundle.ts';
import { buildImage, type Image, nodeImage, nodeRuntimeFiles } from '../cluster/images.ts';

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
