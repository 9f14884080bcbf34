import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { access, type FileHandle, open, readdir, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { run } from './exec.ts';
import { withLock } from './lock.ts';
import { cacheDir, here } from './paths.ts';
import { ensurePrograms, type Progress } from './programs.ts';
import { padding, type TarEntry, tarEnd, tarHeader, tarSize } from './tar.ts';

/** Container images without a registry or a builder: a docker-archive tar is three files. */

export interface ImageFile {
  /** A file or a folder on this machine; or the content itself. */
  readonly from?: string;
  readonly content?: string;
  /** Its absolute path in the image. Ending with a slash, without `from` and `content`: an empty folder. */
  readonly to: string;
  /** Default: that of the source; 0644 for content. */
  readonly mode?: number;
}

export interface ImageSpec {
  /** With a tag; `local.test/...` cannot be pulled by accident. Pods say `imagePullPolicy: Never`. */
  readonly name: string;
  readonly files: readonly ImageFile[];
  /** A layer below `files`, shared by the images that have the same. */
  readonly base?: readonly ImageFile[];
  readonly entrypoint?: readonly string[];
  readonly cmd?: readonly string[];
  /** Default 65532, so that `runAsNonRoot` is satisfied without more. */
  readonly user?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly workingDir?: string;
}

export interface Image {
  readonly name: string;
  readonly tar: string;
}

/** A Node.js program: the Node.js of this repository below, `files` above, `cmd` what to run, e.g. `['node', '/app/main.js']`. */
export async function nodeImage(spec: Omit<ImageSpec, 'base' | 'entrypoint'>): Promise<Image> {
  const image = { ...spec, base: await nodeRuntimeFiles() };
  return { name: spec.name, tar: await buildImage(image) };
}

export async function pauseImage(): Promise<Image> {
  const sleep = await withLibraries('/bin/sleep', '/pause');
  const name = 'local.test/pause:1';
  return { name, tar: await buildImage({ name, files: sleep, cmd: ['/pause', 'infinity'] }) };
}

export async function prometheusImage(progress?: Progress): Promise<Image> {
  return programImage('prometheus', progress);
}

/** A statically linked program of the catalog as its own image. */
export async function programImage(
  name: 'coredns' | 'metrics-server' | 'prometheus',
  progress?: Progress,
): Promise<Image> {
  const programs = await ensurePrograms([name], progress);
  const image = `local.test/${name}:1`;
  const files = [...accountFiles, { from: programs[name], to: `/${name}`, mode: 0o755 }];
  return { name: image, tar: await buildImage({ name: image, files, entrypoint: [`/${name}`] }) };
}

const accountFiles: readonly ImageFile[] = [
  {
    to: '/etc/passwd',
    content: 'root:x:0:0:root:/:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/tmp:/sbin/nologin\n',
  },
  { to: '/etc/group', content: 'root:x:0:\nnonroot:x:65532:\n' },
  { to: '/etc/nsswitch.conf', content: 'hosts: files dns\n' },
  { to: '/tmp/', mode: 0o1777 },
];

/** Node.js, the libraries it is linked with, and the accounts file: all that a bundled program needs. */
export async function nodeRuntimeFiles(): Promise<ImageFile[]> {
  const node = resolve(here, '../../node_modules/node/bin/node');
  await access(node).catch(() => {
    throw new Error(`${node} is missing: run npm install (it brings Node.js as a package)`);
  });
  return [...accountFiles, ...(await withLibraries(node, '/usr/local/bin/node'))];
}

/** A dynamically linked program of this machine together with its libraries, each at the path it is looked up at. */
export async function withLibraries(program: string, to: string): Promise<ImageFile[]> {
  const listed = await run('ldd', [program]);
  const libraries = [...listed.matchAll(/(?:=> )?(\/\S+) \(0x/g)].map((match) => match[1]!);
  const files: ImageFile[] = [{ from: program, to, mode: 0o755 }];
  for (const library of libraries) files.push({ from: await realpath(library), to: library, mode: 0o755 });
  return files;
}

/** Builds an image unless it is there already, and says where: its path is the hash of all that goes into it. */
export async function buildImage(spec: ImageSpec): Promise<string> {
  const layers: Source[][] = [];
  for (const files of [spec.base, spec.files]) if (files?.length) layers.push(await expand(files));
  const hash = createHash('sha256').update(JSON.stringify([spec.name, configOf(spec)]));
  for (const layer of layers) hash.update(JSON.stringify(await Promise.all(layer.map(fingerprint))));
  const folder = join(cacheDir, 'images', spec.name.replaceAll(/[^a-z0-9.]+/gi, '-'));
  const target = join(folder, `${hash.digest('hex').slice(0, 32)}.tar`);
  if (await isThere(target)) return target;
  return withLock(
    `${target}.lock`,
    () => {},
    async () => {
      if (!(await isThere(target))) await writeImage(target, spec, layers);
      return target;
    },
  );
}

async function writeImage(target: string, spec: ImageSpec, layers: readonly Source[][]): Promise<void> {
  await forgetOld(dirname(target));
  const temporary = `${target}.${process.pid}.tmp`;
  try {
    await writeArchive(temporary, spec, layers);
    await rename(temporary, target);
  } finally {
    await rm(temporary, { force: true });
  }
}

/** An image that is worked on has a new hash each time: the few latest are kept. */
async function forgetOld(folder: string): Promise<void> {
  const tars = (await readdir(folder))
    .filter((name) => name.endsWith('.tar'))
    .map((name) => join(folder, name));
  const aged = await Promise.all(tars.map(async (tar) => ({ tar, at: (await stat(tar)).mtimeMs })));
  aged.sort((a, b) => b.at - a.at);
  for (const { tar } of aged.slice(2)) await rm(tar, { force: true });
}

/** One entry of a layer, and where its bytes come from. */
interface Source extends TarEntry {
  readonly from?: string;
  readonly content?: Buffer;
}

/** Sorted by path, with folders followed down and the folders above made. */
async function expand(files: readonly ImageFile[]): Promise<Source[]> {
  const sources = new Map<string, Source>();
  for (const file of files) for (const source of await expandFile(file)) sources.set(source.path, source);
  for (const path of Array.from(sources.keys())) {
    for (let above = dirname(path); above !== '.'; above = dirname(above)) {
      const folder: Source = { path: `${above}/`, size: 0, mode: 0o755, type: 'folder' };
      if (!sources.has(folder.path)) sources.set(folder.path, folder);
    }
  }
  return [...sources.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

async function expandFile({ from, content, to, mode }: ImageFile): Promise<Source[]> {
  const path = to.replace(/^\/+/, '');
  if (content !== undefined) {
    const bytes = Buffer.from(content);
    return [{ path, size: bytes.length, mode: mode ?? 0o644, type: 'file', content: bytes }];
  }
  if (from === undefined) return [{ path, size: 0, mode: mode ?? 0o755, type: 'folder' }];
  const source = await stat(from).catch(() => {
    throw new Error(`${from} is to go into an image but does not exist`);
  });
  if (!source.isDirectory()) {
    return [{ path, size: source.size, mode: mode ?? source.mode & 0o777, type: 'file', from }];
  }
  const inside = await readdir(from);
  const expanded = inside.map((name) => expandFile({ from: join(from, name), to: join('/', path, name) }));
  return (await Promise.all(expanded)).flat();
}

// A 120 MB program is not read again for every image of one run.
const digests = new Map<string, Promise<string>>();

async function fingerprint({ path, size, mode, from, content }: Source): Promise<unknown[]> {
  if (content) return [path, mode, createHash('sha256').update(content).digest('hex')];
  if (!from) return [path, mode];
  const { mtimeMs } = await stat(from);
  const key = `${from} ${size} ${mtimeMs}`;
  if (!digests.has(key)) digests.set(key, digestOf(from));
  return [path, mode, await digests.get(key)];
}

async function digestOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

function configOf({ entrypoint, cmd, user, env, workingDir }: ImageSpec): object {
  const path = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' };
  return {
    Env: Object.entries({ ...path, ...env }).map(([name, value]) => `${name}=${value}`),
    Entrypoint: entrypoint,
    Cmd: cmd,
    User: user ?? '65532:65532',
    WorkingDir: workingDir ?? '/',
  };
}

/** Layers first, hashed while they are written; then the config that names their hashes, then the manifest. */
async function writeArchive(file: string, spec: ImageSpec, layers: readonly Source[][]): Promise<void> {
  const out = await open(file, 'w');
  try {
    const diffIds: string[] = [];
    for (const [index, layer] of layers.entries())
      diffIds.push(await writeLayer(out, `layer${index}.tar`, layer));
    const config = {
      architecture: process.arch === 'x64' ? 'amd64' : process.arch,
      os: 'linux',
      created: '1970-01-01T00:00:00Z',
      config: configOf(spec),
      rootfs: { type: 'layers', diff_ids: diffIds.map((digest) => `sha256:${digest}`) },
      history: diffIds.map(() => ({ created: '1970-01-01T00:00:00Z' })),
    };
    const names = layers.map((_, index) => `layer${index}.tar`);
    const manifest = [{ Config: 'config.json', RepoTags: [spec.name], Layers: names }];
    await writeJson(out, 'config.json', config);
    await writeJson(out, 'manifest.json', manifest);
    await out.write(tarEnd);
  } finally {
    await out.close();
  }
}

async function writeJson(out: FileHandle, path: string, content: unknown): Promise<void> {
  const bytes = Buffer.from(JSON.stringify(content));
  await out.write(tarHeader({ path, size: bytes.length, mode: 0o644, type: 'file' }));
  await out.write(bytes);
  await out.write(padding(bytes.length));
}

/** A tar inside the tar: its size is known before its bytes are. */
async function writeLayer(out: FileHandle, path: string, entries: readonly Source[]): Promise<string> {
  const size = entries.reduce((sum, entry) => sum + tarSize(entry.size), tarEnd.length);
  await out.write(tarHeader({ path, size, mode: 0o644, type: 'file' }));
  const hash = createHash('sha256');
  const write = async (bytes: Buffer): Promise<void> => {
    hash.update(bytes);
    await out.write(bytes);
  };
  for (const entry of entries) {
    await write(tarHeader(entry));
    if (entry.content) await write(entry.content);
    if (entry.from) for await (const chunk of createReadStream(entry.from)) await write(chunk as Buffer);
    await write(padding(entry.size));
  }
  await write(tarEnd);
  await out.write(padding(size));
  return hash.digest('hex');
}

function isThere(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
