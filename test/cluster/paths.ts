import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

const xdgCache = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');

/** Everything that is kept between runs, and the run directories of the clusters that are up. */
export const cacheDir: string = resolve(process.env.BLUEGREEN_CACHE || join(xdgCache, 'bluegreen'));

export const here: string = import.meta.dirname;
