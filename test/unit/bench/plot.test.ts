import { expect } from 'chai';
import { decades, plot, pointsOf } from '../../../bench/plot.ts';
import { plain } from '../../../bench/row.ts';

const rows = [
  plain('10 releases: at rest, resident', 100, 'MiB'),
  plain('1000 releases: at rest, resident', 200, 'MiB'),
  plain('10 releases: operator started to all observed', 0.5, 's'),
  plain('30 releases at once: the plain script', 3, 's'),
];

describe('the plot of how cost grows', () => {
  it('takes its points from the rows of releases at rest', () => {
    expect(pointsOf(rows, 'at rest, resident')).to.deep.equal([
      { releases: 10, value: 100 },
      { releases: 1000, value: 200 },
    ]);
  });
  it('has whole decades on its axes', () => {
    expect(decades([0.5, 200])).to.deep.equal({ from: -1, to: 3 });
    expect(decades([10])).to.deep.equal({ from: 1, to: 2 });
  });
  it('draws a line for each cost that was measured, and no other', () => {
    const svg = plot(rows);
    expect(svg.match(/<polyline/g)).to.have.length(2);
    expect(svg).not.to.match(/NaN|undefined|Infinity/);
  });
});
