/** One deliberate mistake, and how it is put into a copy of the sources. */
import { createHash } from 'node:crypto';
import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { KindName } from './kinds.ts';

export interface Edit {
  readonly file: string;
  /** Stands in the file exactly once. */
  readonly find: string;
  readonly replace: string;
}

export interface Sabotage extends Edit {
  /** A few words in kebab case, for `--only`. */
  readonly name: string;
  /** Which of the twelve invariants. */
  readonly invariant: Invariant;
  /** What is no longer so. */
  readonly breaks: string;
  /** Where something else stands guard as well: what has to fall with it, before anybody could come to harm. */
  readonly also?: readonly Edit[];
  /** The kinds of life in which it shows soonest; all others come after them. */
  readonly kinds?: readonly KindName[];
}

export type Invariant = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10 | 11 | 12;

/** The repository. */
export const ROOT: string = new URL('../../', import.meta.url).pathname;

export function editsOf(sabotage: Sabotage): readonly Edit[] {
  return [sabotage, ...(sabotage.also ?? [])];
}

/** undefined: it can be put in. Otherwise why not. */
export function misfit({ file, find, replace }: Edit, root: string = ROOT): string | undefined {
  const times = readFileSync(join(root, file), 'utf8').split(find).length - 1;
  if (times !== 1) return `${file} has ${times} times what is to be found: ${JSON.stringify(find)}`;
  return find === replace ? `${file} would stay as it is` : undefined;
}

/** What the simulator needs. */
const PARTS = ['package.json', 'src', 'test/simulation', 'test/sabotage/hunt.ts'];

/** A copy of it, with these edits; the answer is its folder. */
export function copyWith(edits: readonly Edit[], root: string = ROOT): string {
  const folder = mkdtempSync(join(tmpdir(), 'sabotage-'));
  for (const part of PARTS) cpSync(join(root, part), join(folder, part), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  for (const edit of edits) {
    const reason = misfit(edit, folder);
    if (reason !== undefined) throw new Error(reason);
    const path = join(folder, edit.file);
    // A function: the text may hold what `replace` would take for a pattern.
    writeFileSync(
      path,
      readFileSync(path, 'utf8').replace(edit.find, () => edit.replace),
    );
  }
  return folder;
}

/** The same for the same copy. */
export function digestOf(folder: string): string {
  const hash = createHash('sha256');
  for (const part of PARTS) {
    const names = statSync(join(folder, part)).isDirectory()
      ? readdirSync(join(folder, part), { recursive: true, encoding: 'utf8' }).sort()
      : [''];
    for (const name of names) {
      const path = join(folder, part, name);
      if (statSync(path).isFile()) hash.update(`${part}/${name}`).update(readFileSync(path));
    }
  }
  return hash.digest('hex');
}

export function discard(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}
