/** Text with the colour codes of a terminal, taken apart. */

export interface Segment {
  readonly column: number;
  readonly text: string;
  /** Such as `bold` and `blue`. */
  readonly styles: readonly string[];
}

const STYLES: Readonly<Record<number, string>> = {
  1: 'bold',
  2: 'dim',
  31: 'red',
  32: 'green',
  33: 'yellow',
  34: 'blue',
  37: 'white',
};

/** What each code ends: 22 ends bold and dim, 39 every colour. */
const ENDS: Readonly<Record<number, readonly string[]>> = {
  0: Object.values(STYLES),
  22: ['bold', 'dim'],
  39: ['red', 'green', 'yellow', 'blue', 'white'],
};

/** The pieces of one line that look alike, without those that are blank. */
export function segmentsOf(line: string): Segment[] {
  const segments: Segment[] = [];
  let styles: string[] = [];
  let column = 0;
  // Each part but the first begins with the code that the escape sequence introduces: "31m".
  for (const [index, piece] of line.split('\x1b[').entries()) {
    const end = index === 0 ? 0 : piece.indexOf('m') + 1;
    if (index > 0) styles = styled(styles, Number(piece.slice(0, end - 1)));
    const part = piece.slice(end);
    const text = part.trimEnd();
    const indent = text.length - text.trimStart().length;
    if (text !== '') segments.push({ column: column + indent, text: text.slice(indent), styles });
    column += part.length;
  }
  return segments;
}

function styled(styles: string[], code: number): string[] {
  const ended = ENDS[code];
  if (ended) return styles.filter((style) => !ended.includes(style));
  const style = STYLES[code];
  return style === undefined ? styles : [...styles, style];
}
