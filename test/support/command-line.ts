/** The command lines of this repository: each answers --help with its usage, and what it does not understand with a sentence and the usage. */

/** What is wrong with a command line: one sentence that names the flag. */
export class UsageError extends Error {}

/** Gives undefined where help is wanted; throws a `UsageError`, or what `parseArgs` throws. */
type Read<T> = (args: readonly string[]) => T | undefined;

/** What to say, and how the process is to end; or what it is to do. */
type Understood<T> = { readonly options: T } | { readonly said: string; readonly code: 0 | 2 };

export function understand<T>(usage: string, read: Read<T>, args: readonly string[]): Understood<T> {
  const whole = `${usage.trimEnd()}\n`;
  try {
    const options = read(args);
    return options === undefined ? { said: whole, code: 0 } : { options };
  } catch (error) {
    return { said: `${sentenceOf(error)}\n\n${whole}`, code: 2 };
  }
}

function sentenceOf(error: unknown): string {
  if (error instanceof UsageError) return error.message;
  const isParsed = error instanceof TypeError && 'code' in error;
  if (!isParsed || !String(error.code).startsWith('ERR_PARSE_ARGS')) throw error;
  // The first sentence names the flag; the others explain Node's own conventions.
  return error.message.split(/\. |\.?\n/, 1)[0] ?? '';
}

/** What this process was asked to do. It ends here where that was help, or nothing that is understood. */
export function commandLine<T>(usage: string, read: Read<T>): T {
  const understood = understand(usage, read, process.argv.slice(2));
  if ('options' in understood) return understood.options;
  const { said, code } = understood;
  (code === 0 ? process.stdout : process.stderr).write(said);
  process.exit(code);
}

export function whole(flag: string, text: string, least = 1, most = 999_999): number {
  const number = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (number >= least && number <= most) return number;
  throw new UsageError(`--${flag}: "${text}" is not a whole number from ${least} to ${most}`);
}

export function positive(flag: string, text: string): number {
  const number = text.trim() === '' ? Number.NaN : Number(text);
  if (number > 0 && Number.isFinite(number)) return number;
  throw new UsageError(`--${flag}: "${text}" is not a number above 0`);
}

export function oneOf<T extends string>(flag: string, text: string, names: readonly T[]): T {
  const found = names.find((name) => name === text);
  if (found !== undefined) return found;
  throw new UsageError(`--${flag}: "${text}" is none of ${names.join(', ')}`);
}
