/**
 * The process's own logger behind the `Logger` port: one JSON object a line on stdout.
 *
 * Whatever stands in a field, three things never reach a line: a field that is named like a credential, a thrown
 * thing as a whole (client libraries hang headers and bodies on their errors), and the part of an error's message
 * that quotes such a body.
 */
import { createLogger as createWinston, format, transports } from 'winston';
import type { LogFields, Logger } from './kube/log.ts';
import type { LogLevel } from './options.ts';

export interface ChildLogger extends Logger {
  /** A logger whose lines all carry these fields, such as release, revision and reconcile id. */
  child(fields: LogFields): ChildLogger;
}

export interface LogOptions {
  readonly level: LogLevel;
  /** Default: stdout. */
  readonly stream?: NodeJS.WritableStream;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

export function createLogger({ level, stream = process.stdout, now = Date.now }: LogOptions): ChildLogger {
  const winston = createWinston({
    level,
    format: format.printf(({ line }) => String(line)),
    transports: [new transports.Stream({ stream, eol: '\n' })],
  });

  function write(severity: LogLevel, message: string, fields: LogFields): void {
    if (!winston.isLevelEnabled(severity)) return;
    const own = { time: new Date(now()).toISOString(), level: severity, message };
    // Twice: first so that they stand first, last so that no field can take their place.
    winston.log(severity, '', { line: JSON.stringify({ ...own, ...cleanFields(fields), ...own }) });
  }

  function withFields(bound: LogFields): ChildLogger {
    const at =
      (severity: LogLevel) =>
      (message: string, fields: LogFields = {}): void =>
        write(severity, message, { ...bound, ...fields });
    return {
      debug: at('debug'),
      info: at('info'),
      warn: at('warn'),
      error: at('error'),
      child: (fields) => withFields({ ...bound, ...fields }),
    };
  }

  return withFields({});
}

const CREDENTIAL =
  /token|password|passwd|authorization|secret|credential|cookie|api[-_]?key|private[-_]?key/i;
const MAX_TEXT = 1024;
const MAX_DEPTH = 4;

function cleanFields(fields: object, depth = 0): Record<string, unknown> {
  const kept = Object.entries(fields).filter(([name]) => !CREDENTIAL.test(name));
  return Object.fromEntries(kept.map(([name, value]) => [name, clean(value, depth)]));
}

/** What JSON can carry, without cycles: nothing in a log line goes deeper than MAX_DEPTH. */
function clean(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return cut(value);
  if (typeof value === 'bigint') return String(value);
  if (value instanceof Error) return describeError(value);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= MAX_DEPTH) return '…';
  if (Array.isArray(value)) return value.map((member) => clean(member, depth + 1));
  return cleanFields(value, depth + 1);
}

/** The message alone, and that of the cause. Generated Kubernetes clients append body and headers to theirs. */
function describeError(error: Error): string {
  const own = error.message.split(/\s*\b(?:Body|Headers): /, 1)[0] || error.name;
  const text = error.cause instanceof Error ? `${own}: ${describeError(error.cause)}` : own;
  return cut(text.replaceAll(/\s+/g, ' '));
}

function cut(text: string): string {
  return text.length <= MAX_TEXT ? text : `${text.slice(0, MAX_TEXT - 1)}…`.toWellFormed();
}
