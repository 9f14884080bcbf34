import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isRunning, type ProcessRecord, recordOf } from './processes.ts';

const deadlineMs = 30 * 60_000;

/**
 * Runs a task while holding a lock file, so that two runs do not build the same thing side by side.
 * A lock whose owner has died is taken over. Should two take it over at the same instant, both build and the last rename
 * wins: work is done twice, nothing breaks.
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
  for (let told = false; ; await sleep(200)) {
    if (await create(file)) return;
    if (!(await ownerRuns(file))) await rm(file, { force: true });
    else if (Date.now() > deadline)
      throw new Error(`${file} has been held for 30 minutes; end its owner and retry`);
    else if (!told) waiting();
    told = true;
  }
}

async function create(file: string): Promise<boolean> {
  try {
    await writeFile(file, JSON.stringify(recordOf(process.pid)), { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function ownerRuns(file: string): Promise<boolean> {
  const text = await readFile(file, 'utf8').catch(() => '');
  // Empty: another process is between creating the file and writing it. It gets the next round's look.
  if (text === '') return true;
  return isRunning(JSON.parse(text) as ProcessRecord);
}
