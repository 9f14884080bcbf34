/** Structured logging as a port; the process puts its own logger behind it. Fields never hold bodies or secrets. */

export type LogFields = Readonly<Record<string, unknown>>;

export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

/** What may be said of something thrown: an Error's message, otherwise its type. Never the thing itself. */
export function describeThrown(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : `a thrown ${typeof thrown}`;
}
