/**
 * No dead end, no gate that is skipped, no going round without an end: searched, not sampled. `UPDATE_DOCS=1` writes the
 * page anew.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { expect } from 'chai';
import { generated, replaced } from './page.ts';
import { type Found, search } from './search.ts';
import { SEARCHES } from './searches.ts';

const PAGE = new URL('../../../docs/phases.md', import.meta.url);

describe('the phases', function () {
  this.timeout(600_000);
  const found = new Map<string, Found>();
  const searched = (name: string): Found => {
    const known = found.get(name) ?? search(SEARCHES[name] ?? { crashes: false });
    found.set(name, known);
    return known;
  };

  for (const name of Object.keys(SEARCHES)) {
    it(`keep every law, and come to rest from everywhere: ${name}`, () => {
      const { failure, classes, steps } = searched(name);
      console.log(`      ${classes} classes, ${steps} steps`);
      expect(failure).to.equal(undefined);
    });
  }

  it('are drawn as they are', async () => {
    const page = await readFile(PAGE, 'utf8');
    const next = replaced(page, generated(searched('life'), searched('people')));
    if (process.env.UPDATE_DOCS) await writeFile(PAGE, next);
    else expect(page).to.equal(next);
  });
});
