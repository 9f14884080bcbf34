import { createHash } from 'node:crypto';

/** What went otherwise in one line has another one. */
export function digestOf(lines: readonly string[]): string {
  return createHash('sha256').update(lines.join('\n')).digest('hex').slice(0, 16);
}
