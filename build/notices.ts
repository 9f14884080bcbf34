/** The licences of the packages inside a bundle: whoever passes the bundle on must pass them on too. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

interface Manifest {
  name: string;
  version: string;
  license?: string;
}

export async function thirdPartyNotices(root: string, inputs: readonly string[]): Promise<string> {
  const folders = new Set(inputs.map(packageFolder).filter((folder) => folder !== undefined));
  const notices = await Promise.all([...folders].sort().map((folder) => notice(join(root, folder))));
  return notices.join(`\n${'-'.repeat(80)}\n`);
}

/** node_modules/winston/lib/winston.js -> node_modules/winston */
function packageFolder(input: string): string | undefined {
  return /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1];
}

async function notice(folder: string): Promise<string> {
  const manifest = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as Manifest;
  const file = (await readdir(folder)).find((name) => /^licen[cs]e/i.test(name));
  const text = file === undefined ? '' : await readFile(join(folder, file), 'utf8');
  return `${manifest.name} ${manifest.version} (${manifest.license ?? 'licence in its own files'})\n\n${text}`;
}
