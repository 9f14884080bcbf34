/**
 * Bundles the operator into one file, so that its image holds Node.js and nothing to install: `npm run build`.
 *
 * Other entries: `node build/bundle.ts NAME=FILE...` writes dist/NAME.mjs of each.
 */
import { writeFile } from 'node:fs/promises';
import { relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Metafile } from 'esbuild';
import { thirdPartyNotices } from './notices.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

/** CommonJS inside an ES module (winston, prom-client) still calls `require` for Node's own modules. */
const REQUIRE = [
  "import { createRequire as __createRequire } from 'node:module';",
  'const require = __createRequire(import.meta.url);',
].join('\n');

export interface BundleOrder {
  /** Output name to source file, from the root of the repository. */
  readonly entries: Readonly<Record<string, string>>;
  readonly outdir: string;
}

/**
 * White space and syntax are minified; names are not, so that a stack trace at 3 a.m. can be read without a source
 * map (having Node.js apply one costs 45 MiB of memory). Lines are kept short, because Node.js prints the whole line
 * that threw.
 */
export async function bundle({ entries, outdir }: BundleOrder): Promise<string[]> {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: { ...entries },
    outdir,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    minifyWhitespace: true,
    minifySyntax: true,
    lineLimit: 160,
    legalComments: 'none',
    sourcemap: true,
    banner: { js: REQUIRE },
    metafile: true,
    logLevel: 'warning',
  });
  await writeFile(
    resolve(root, outdir, 'THIRD_PARTY_NOTICES.txt'),
    await thirdPartyNotices(root, inputsOf(metafile)),
  );
  return Object.keys(metafile.outputs).filter((file) => file.endsWith('.mjs'));
}

function inputsOf(metafile: Metafile): string[] {
  return Object.keys(metafile.inputs);
}

function entriesFrom(args: readonly string[]): Record<string, string> {
  if (args.length === 0) return { operator: 'src/main.ts' };
  return Object.fromEntries(args.map((arg) => arg.split('=', 2)));
}

if (import.meta.main) {
  const files = await bundle({ entries: entriesFrom(process.argv.slice(2)), outdir: 'dist' });
  for (const file of files) console.log(`wrote ${relative('.', resolve(root, file))}`);
}
