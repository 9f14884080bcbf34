/** Just enough of the ustar format to write image layers that are the same bytes each time. */

export interface TarEntry {
  /** Relative, without a leading slash; a folder's ends with a slash. */
  readonly path: string;
  readonly size: number;
  readonly mode: number;
  readonly type: 'file' | 'folder';
}

const block = 512;

/** How many bytes an entry takes: its header, its content, and the padding up to the next block. */
export function tarSize(size: number): number {
  return block + size + padding(size).length;
}

export function padding(size: number): Buffer {
  return Buffer.alloc((block - (size % block)) % block);
}

/** Two empty blocks end an archive. */
export const tarEnd: Buffer = Buffer.alloc(2 * block);

export function tarHeader(entry: TarEntry): Buffer {
  const header = Buffer.alloc(block);
  const [prefix, name] = splitPath(entry.path);
  const text = (value: string, offset: number): void => void header.write(value, offset, 'utf8');
  const octal = (value: number, offset: number, length: number): void =>
    text(`${value.toString(8).padStart(length - 1, '0')}\0`, offset);
  text(name, 0);
  octal(entry.mode, 100, 8);
  octal(0, 108, 8); // owner and group: root
  octal(0, 116, 8);
  octal(entry.size, 124, 12);
  octal(0, 136, 12); // the same time always: equal content gives equal bytes
  text(entry.type === 'folder' ? '5' : '0', 156);
  text('ustar\x0000', 257);
  text(prefix, 345);
  text(checksum(header), 148);
  return header;
}

/** The sum of all bytes, counted with the sum's own field as spaces. */
function checksum(header: Buffer): string {
  const sum = header.reduce((total, byte) => total + byte, 0) + 8 * 0x20;
  return `${sum.toString(8).padStart(6, '0')}\0 `;
}

/** A path longer than 100 bytes is divided at a slash. */
function splitPath(path: string): [prefix: string, name: string] {
  if (Buffer.byteLength(path) <= 100) return ['', path];
  const slash = path.indexOf('/', path.length - 101);
  const [prefix, name] = [path.slice(0, slash), path.slice(slash + 1)];
  if (slash < 0 || prefix.length > 155)
    throw new Error(`${path} is too long for an image: use a shorter path`);
  return [prefix, name];
}
