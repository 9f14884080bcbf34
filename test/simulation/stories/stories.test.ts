/**
 * A change of behaviour shows as a change of these files: `UPDATE_STORIES=1` writes them anew, and the diff is read.
 */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { expect } from 'chai';
import { tell } from './script.ts';
import { STORIES } from './stories.ts';

const GOLDEN = new URL('golden/', import.meta.url);
const fileOf = (name: string): string => `${name.replaceAll(/[^a-z0-9]+/gi, '-').toLowerCase()}.txt`;

describe('the story of', () => {
  for (const story of STORIES) {
    it(story.name, async () => {
      const file = new URL(fileOf(story.name), GOLDEN);
      const told = await tell(story);
      expect(told, 'no promise is broken').not.to.include('  broken: ');
      if (process.env.UPDATE_STORIES === '1') await writeFile(file, told);
      expect(told).to.equal(await readFile(file, 'utf8'));
    });
  }

  it('every file is that of a story', async () => {
    const files = STORIES.map(({ name }) => fileOf(name));
    expect((await readdir(GOLDEN)).toSorted()).to.deep.equal(files.toSorted());
  });
});
