import { readFile } from 'node:fs/promises';
import { expect } from 'chai';
import { generatedFiles } from '../../../build/generate.ts';

describe('the generated files', () => {
  for (const { path, content } of generatedFiles()) {
    it(`${path} is what \`npm run generate\` writes`, async () => {
      const committed = await readFile(new URL(`../../../${path}`, import.meta.url), 'utf8');
      expect(committed === content, `${path} has drifted: run \`npm run generate\` and commit it`).to.equal(
        true,
      );
    });
  }
});
