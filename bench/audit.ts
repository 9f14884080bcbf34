/** What the API server's audit log says was asked of it, and by whom. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/** One request that is over; a watch is one when it begins. Times are milliseconds since the epoch, to the microsecond. */
export interface Request {
  readonly at: number;
  readonly doneAt: number;
  readonly user: string;
  readonly verb: string;
  /** With its subresource: bluegreenreleases/status. */
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
  readonly code: number;
  readonly isDryRun: boolean;
}

export function requestOf(line: string): Request | undefined {
  const event = parse(line);
  const { objectRef, verb, stage } = event ?? {};
  // A watch is told of twice: when it begins and when it ends.
  if (event === undefined || objectRef === undefined || verb === undefined) return undefined;
  if (verb === 'watch' && stage === 'ResponseComplete') return undefined;
  return {
    at: epochMs(event.requestReceivedTimestamp),
    doneAt: epochMs(event.stageTimestamp),
    user: event.user?.username ?? '',
    verb,
    resource: [objectRef.resource, objectRef.subresource].filter(Boolean).join('/'),
    namespace: objectRef.namespace ?? '',
    name: objectRef.name ?? '',
    code: event.responseStatus?.code ?? 0,
    isDryRun: /[?&]dryRun=/.test(event.requestURI ?? ''),
  };
}

interface AuditEvent {
  readonly stage?: string;
  readonly verb?: string;
  readonly requestURI?: string;
  readonly requestReceivedTimestamp?: string;
  readonly stageTimestamp?: string;
  readonly user?: { readonly username?: string };
  readonly objectRef?: Readonly<
    Record<'resource' | 'subresource' | 'namespace' | 'name', string | undefined>
  >;
  readonly responseStatus?: { readonly code?: number };
}

function parse(line: string): AuditEvent | undefined {
  try {
    return JSON.parse(line) as AuditEvent;
  } catch {
    // The last line may be half written.
    return undefined;
  }
}

/** Date knows milliseconds only. */
function epochMs(time = ''): number {
  const micros = /\.\d{3}(\d{1,3})/.exec(time)?.[1] ?? '';
  return Date.parse(time) + Number(`0.${micros || '0'}`);
}

/** What moves traffic: dry runs ask whether it may. */
export function patchesService(request: Request, service: { namespace: string; name: string }): boolean {
  const { verb, resource, namespace, name, isDryRun } = request;
  return (
    verb === 'patch' &&
    resource === 'services' &&
    !isDryRun &&
    namespace === service.namespace &&
    name === service.name
  );
}

export type Sort = 'write' | 'event' | 'dry run' | 'read' | 'watch' | 'lease';

const WRITES = new Set(['create', 'update', 'patch', 'delete', 'deletecollection']);

export function sortOf({ verb, resource, isDryRun }: Request): Sort {
  if (resource === 'leases') return 'lease';
  if (verb === 'watch') return 'watch';
  if (!WRITES.has(verb)) return 'read';
  if (isDryRun) return 'dry run';
  return resource === 'events' ? 'event' : 'write';
}

export function count(requests: readonly Request[], sort: Sort): number {
  return requests.filter((request) => sortOf(request) === sort).length;
}

/** Such as `4 patch bluegreenreleases/status`, the most frequent first. */
export function byKind(requests: readonly Request[], sort: Sort): string[] {
  const kinds = new Map<string, number>();
  for (const request of requests) {
    if (sortOf(request) !== sort) continue;
    const kind = `${request.verb} ${request.resource}${request.code < 400 ? '' : ` (${request.code})`}`;
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  }
  return [...kinds].sort(([, a], [, b]) => b - a).map(([kind, times]) => `${times} ${kind}`);
}

/** Follows the log from now on: `read` gives what is new since the last call. */
export class AuditTail {
  readonly #fd: number;
  readonly #buffer: Buffer = Buffer.alloc(1 << 20);
  #position: number;
  #rest: Buffer = Buffer.alloc(0);

  constructor(file: string) {
    this.#fd = openSync(file, 'r');
    this.#position = fstatSync(this.#fd).size;
  }

  read(): Request[] {
    const requests: Request[] = [];
    for (;;) {
      const length = readSync(this.#fd, this.#buffer, 0, this.#buffer.length, this.#position);
      if (length === 0) return requests;
      this.#position += length;
      requests.push(...this.#lines(length));
    }
  }

  /** Whole lines only: one that is half written, perhaps in the middle of a character, waits for its end. */
  #lines(length: number): Request[] {
    const known = Buffer.concat([this.#rest, this.#buffer.subarray(0, length)]);
    const end = known.lastIndexOf(10) + 1;
    this.#rest = known.subarray(end);
    return known
      .toString('utf8', 0, end)
      .split('\n')
      .map(requestOf)
      .filter((request) => request !== undefined);
  }

  close(): void {
    closeSync(this.#fd);
  }
}
