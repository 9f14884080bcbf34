/** The little that a plot needs of SVG. */

export function text(x: number, y: number, words: string | number, color = '#333'): string {
  return `<text x="${x}" y="${y}" fill="${color}">${words}</text>`;
}

export function line(from: readonly [number, number], to: readonly [number, number], color = '#ddd'): string {
  const [[x1, y1], [x2, y2]] = [from, to];
  return `<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" stroke="${color}"/>`;
}

export function polyline(points: readonly (readonly [number, number])[], color: string): string {
  const path = points.map(([x, y]) => `${x},${y}`).join(' ');
  return `<polyline points="${path}" fill="none" stroke="${color}" stroke-width="2"/>`;
}

/** `title`: what the picture shows, for those who do not see it. */
export function svg(width: number, height: number, title: string, parts: readonly string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="13">`,
    `<title>${title}</title>`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    ...parts,
    '</svg>',
    '',
  ].join('\n');
}
