import { expect } from 'chai';
import { segmentsOf } from '../../demo/ansi.ts';
import { svgOf } from '../../demo/screenshot.ts';

describe('a line with colour codes', () => {
  it('is taken apart into its pieces, each in its column', () => {
    expect(segmentsOf('  a \u001b[1m\u001b[34mbold blue\u001b[39m bold\u001b[22m   b ')).to.deep.equal([
      { column: 2, text: 'a', styles: [] },
      { column: 4, text: 'bold blue', styles: ['bold', 'blue'] },
      { column: 14, text: 'bold', styles: ['bold'] },
      { column: 21, text: 'b', styles: [] },
    ]);
  });

  it('is one piece without them', () => {
    expect(segmentsOf('plain text')).to.deep.equal([{ column: 0, text: 'plain text', styles: [] }]);
  });
});

describe('the picture of a run', () => {
  const picture = svgOf([
    { at: 0, lines: ['starting Kubernetes'] },
    { at: 1_000, lines: ['Installing the operator'] },
    { at: 1_500, lines: ['Installing the operator', 'a & b < c'] },
    { at: 2_000, lines: ['Observing', '\u001b[31m███\u001b[39m', '3 of them errors'] },
    { at: 3_000, lines: ['RolledBack'] },
    { at: 4_000, lines: ['What happened'], summary: true },
  ]);

  it('shows the last frame of each second from the installation on, and the summary', () => {
    expect(picture).not.to.include('Kubernetes');
    expect(picture.match(/<g class="(frame|still|last)"/g)).to.deep.equal([
      '<g class="frame"',
      '<g class="still"',
      '<g class="frame"',
      '<g class="last"',
    ]);
  });

  it('holds text as text and bars as shapes', () => {
    expect(picture).to.include('>a\u00a0&amp;\u00a0b\u00a0&lt;\u00a0c</tspan>');
    expect(picture).to.include('<rect x="0.0" y="-14" width="25.2" height="17" class="red"/>');
  });
});
