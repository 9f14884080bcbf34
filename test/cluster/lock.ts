import { randomBytes } from 'node:crypto';
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isRunning, type ProcessRecord, recordOf } from './processes.ts';

const deadlineMs = 30 * 60_000;

/**
 * Runs a task while holding a lock file, so that two runs do not do the same thing side by side. A lock whose owner has
 * died is taken over.
 */
export async function withLock<T>(file: string, waiting: () => void, task: () => Promise<T>): Promise<T> {
  await acquire(file, waiting);
  try {
    return await task();
  } finally {
    await rm(file, { force: true });
  }
}

async function acquire(file: string, waiting: () => void): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const deadline = Date.now() + deadlineMs;
  for (let told = false; ; told = true) {
    if (await create(file)) return;
    if (Date.now() > deadline) throw new Error(`${file} was held for 30 minutes: end its owner and retry`);
    await breakIfDead(file);
    if (!told) waiting();
    await sleep(100);
  }
}

/** Under a second lock, so that nobody removes the lock of one who has just taken over. */
async function breakIfDead(file: string): Promise<void> {
  if (await ownerRuns(file)) return;
  const guard = `${file}.break`;
  if (!(await create(guard))) {
    if (!(await ownerRuns(guard))) await rm(guard, { force: true });
    return;
  }
  if (!(await ownerRuns(file))) await rm(file, { force: true });
  await rm(guard, { force: true });
}

/** Linking is atomic and fails if the lock is there: a lock is never seen half written. */
async function create(file: string): Promise<boolean> {
  const mine = `${file}.${process.pid}.${randomBytes(4).toString('hex')}`;
  await writeFile(mine, JSON.stringify(recordOf(process.pid)));
  try {
    await link(mine, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(mine, { force: true });
  }
}

async function ownerRuns(file: string): Promise<boolean> {
  const text = await readFile(file, 'utf8').catch(() => '');
  // Gone since the last look: the next round may get it.
  return text === '' || isRunning(JSON.parse(text) as ProcessRecord);
}
