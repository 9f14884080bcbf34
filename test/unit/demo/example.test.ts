import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { parse } from 'yaml';
import { parseRelease } from '../../../src/api/parse.ts';

it('the release of the demo is one', () => {
  const file = new URL('../../../examples/demo/release.yaml', import.meta.url);
  expect(parseRelease(parse(readFileSync(file, 'utf8')))).to.include({ ok: true });
});
