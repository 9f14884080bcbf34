import { expect } from 'chai';
import { markdown, table } from '../../../bench/markdown.ts';
import { median, percentile } from '../../../bench/numbers.ts';
import { parseOptions } from '../../../bench/options.ts';
import { atMost, below, plain, rounded } from '../../../bench/row.ts';
import { sideBySide } from '../../../bench/side-by-side.ts';

describe('what the benchmarks report', () => {
  it('takes percentiles from what was measured, never from in between', () => {
    const values = [4, 1, 3, 2];
    expect(median(values)).to.equal(2);
    expect(percentile(values, 0.99)).to.equal(4);
    expect(percentile(values, 0)).to.equal(1);
    expect(Number.isNaN(percentile([], 0.5))).to.equal(true);
    expect(
      percentile(
        Array.from({ length: 100 }, (_, index) => index + 1),
        0.99,
      ),
    ).to.equal(99);
  });

  it('rounds to what can be read, and leaves counts alone', () => {
    expect([1.23456, 0.000123456, 12_345, 123.456].map(rounded)).to.deep.equal([1.23, 0.000123, 12_345, 123]);
  });

  it('judges by what was measured, not by what was rounded', () => {
    expect(below('x', 1.999, 's', 2)).to.deep.equal({
      name: 'x',
      value: 2,
      unit: 's',
      bar: 'under 2',
      ok: true,
    });
    expect(atMost('x', 15, '', 14)).to.include({ bar: 'at most 14', ok: false });
    expect(below('x', Number.NaN, 's', 2).ok).to.equal(false);
  });

  it('shows bars that are missed as missed, and what has none without a verdict', () => {
    const machine = {
      date: '2026-01-01',
      cpu: 'a|b',
      cores: 2,
      memoryGiB: 8,
      system: 'Linux',
      node: 'v24',
      kubernetes: 'v1.36',
      loadBefore: 0.1,
    };
    const rows = [below('one', 3, 's', 2), below('two', 1, 's', 2), plain('three', 7, 'ms')];
    const text = markdown({ machine, commit: 'abc', command: 'npm run bench', rows });
    expect(text).to.contain('| one | 3 s | under 2 | **missed** |');
    expect(text).to.contain('| two | 1 s | under 2 | met |');
    expect(text).to.contain('| three | 7 ms |  |  |');
    expect(text).to.contain('| cpu | a\\|b |');
    expect(text).to.match(/^Commit abc, `npm run bench`/);
  });

  it('makes tables that are tables', () => {
    expect(table(['a', 'b'], [['1', '2']])).to.equal('| a | b |\n| --- | --- |\n| 1 | 2 |');
  });

  it('reads sizes in rising order, and says what is not a size', () => {
    expect(parseOptions(['--releases', '100,10', '--only', 'rest'])).to.deep.include({ only: ['rest'] });
    expect(parseOptions(['--releases', '100,10'])?.sizes.releases).to.deep.equal([10, 100]);
    expect(parseOptions(['--help'])).to.equal(undefined);
    expect(() => parseOptions(['--crowd', 'many'])).to.throw('--crowd: "many" is not a whole number');
  });

  it('does so many things at a time, each once', async () => {
    let running = 0;
    let most = 0;
    const done: number[] = [];
    await sideBySide(3, [1, 2, 3, 4, 5, 6, 7], async (item) => {
      running += 1;
      most = Math.max(most, running);
      await Promise.resolve();
      running -= 1;
      done.push(item);
    });
    expect(most).to.equal(3);
    expect(done.toSorted((a, b) => a - b)).to.deep.equal([1, 2, 3, 4, 5, 6, 7]);
  });

  it('goes on only where there is a file to go on from', () => {
    expect(() => parseOptions(['--resume'])).to.throw('--resume: needs the file of --json');
    expect(parseOptions(['--resume', '--json', 'out.json'])).to.include({ resume: true, minutes: 30 });
  });
});
