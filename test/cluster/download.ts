import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { run } from './exec.ts';

/** A released file, and the file its publisher puts beside it with the sha256 sums. */
export interface Release {
  readonly url: string;
  readonly checksums: string;
  /** Where the file is a .tar.gz: the path of the program inside. */
  readonly member?: string;
}

// A machine without internet is told so once, not once a program.
const unreachable = new Set<string>();

/**
 * Downloads a released program to `target`. False when it cannot be had: then it is built. A file whose sum is wrong is an
 * error, not a reason to go on by another way.
 */
export async function download(release: Release, target: string): Promise<boolean> {
  if (process.env.BLUEGREEN_NO_DOWNLOAD === '1') return false;
  const expected = checksumFor(release.url, (await fetchText(release.checksums)) ?? '');
  if (expected === undefined) return false;
  const file = `${target}.download`;
  try {
    const actual = await fetchFile(release.url, file);
    if (actual === undefined) return false;
    if (actual !== expected) {
      throw new Error(`${release.url} has sha256 ${actual}, its publisher says ${expected}: it was not used`);
    }
    await unpack(file, target, release.member);
    return true;
  } finally {
    await rm(file, { force: true });
  }
}

async function fetchText(url: string): Promise<string | undefined> {
  const { host } = new URL(url);
  if (unreachable.has(host)) return undefined;
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(4000) });
    if (response.ok) return await response.text();
  } catch {
    unreachable.add(host);
  }
  return undefined;
}

/** The sha256 of what was written; undefined when it did not come through. */
async function fetchFile(url: string, file: string): Promise<string | undefined> {
  const hash = createHash('sha256');
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(10 * 60_000) });
    if (!response.ok || !response.body) return undefined;
    const body = Readable.fromWeb(response.body);
    body.on('data', (chunk: Buffer) => hash.update(chunk));
    await pipeline(body, createWriteStream(file));
  } catch {
    return undefined;
  }
  return hash.digest('hex');
}

/** A checksum file is either one bare sum or lines of "<sum>  <file name>". */
export function checksumFor(url: string, sums: string): string | undefined {
  const name = url.slice(url.lastIndexOf('/') + 1);
  const lines = sums.split('\n').map((line) => line.trim().split(/\s+\*?/));
  const sum = lines[0]?.length === 1 ? lines[0][0] : lines.find((line) => line[1] === name)?.[0];
  return sum && /^[0-9a-f]{64}$/.test(sum) ? sum : undefined;
}

async function unpack(file: string, target: string, member?: string): Promise<void> {
  if (member === undefined) {
    await run('cp', [file, target]);
    return;
  }
  const strip = member.split('/').length - 1;
  const folder = dirname(target);
  await run('tar', ['-xzf', file, '-C', folder, `--strip-components=${strip}`, member]);
  await run('mv', [`${folder}/${member.slice(member.lastIndexOf('/') + 1)}`, target]);
}
