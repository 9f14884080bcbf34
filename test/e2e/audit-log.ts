/** The API server's audit log as the stories read it: what the operator asked for, and what it wrote. */
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { OPERATOR, OPERATOR_NAMESPACE } from '../support/operator.ts';

export const OPERATOR_USER = `system:serviceaccount:${OPERATOR_NAMESPACE}:${OPERATOR}`;

/** One request. Times are milliseconds since the epoch. */
export interface Request {
  readonly at: number;
  readonly doneAt: number;
  readonly user: string;
  readonly verb: string;
  readonly group: string;
  /** With its subresource: deployments/scale. */
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
  readonly code: number;
  readonly isDryRun: boolean;
}

const WRITES = new Set(['create', 'update', 'patch', 'delete', 'deletecollection']);

/** Requests that are over, in the order of their end; a watch is one when it begins. */
export function requestsIn(lines: Iterable<string>): Request[] {
  return [...lines].flatMap((line) => {
    const request = parse(line);
    return request === undefined ? [] : [request];
  });
}

export function auditLines(file: string): string[] {
  return readFileSync(file, 'utf8').split('\n');
}

export function requestsOfOperator(file: string): Request[] {
  return requestsIn(auditLines(file)).filter(({ user }) => user === OPERATOR_USER);
}

/** What changes the world: not a dry run, not an event, not the lease. */
export function isWrite({ user, verb, resource, isDryRun }: Request): boolean {
  return user === OPERATOR_USER && WRITES.has(verb) && !isDryRun && !['events', 'leases'].includes(resource);
}

export function describeRequest({ verb, resource, name, code }: Request): string {
  return `${verb} ${resource} ${name}${code < 400 ? '' : ` (${code})`}`;
}

function parse(line: string): Request | undefined {
  let event: any;
  try {
    event = JSON.parse(line);
  } catch {
    // The last line may be half written.
    return undefined;
  }
  const { objectRef, verb, stage } = event;
  // A watch is told of twice: when it begins and when it ends.
  if (objectRef === undefined || (verb === 'watch' && stage === 'ResponseComplete')) return undefined;
  return {
    at: Date.parse(event.requestReceivedTimestamp),
    doneAt: Date.parse(event.stageTimestamp),
    user: event.user?.username ?? '',
    verb,
    group: objectRef.apiGroup ?? '',
    resource: [objectRef.resource, objectRef.subresource].filter(Boolean).join('/'),
    namespace: objectRef.namespace ?? '',
    name: objectRef.name ?? '',
    code: event.responseStatus?.code ?? 0,
    isDryRun: /[?&]dryRun=/.test(event.requestURI ?? ''),
  };
}

/** Follows the log as closely as a process can: `read` returns what is new since the last call. */
export class AuditTail {
  readonly #fd: number;
  readonly #buffer: Buffer = Buffer.alloc(1 << 20);
  #rest = '';

  constructor(file: string) {
    this.#fd = openSync(file, 'r');
    while (this.read().length > 0);
  }

  read(): Request[] {
    const length = readSync(this.#fd, this.#buffer);
    if (length === 0) return [];
    const lines = (this.#rest + this.#buffer.toString('utf8', 0, length)).split('\n');
    this.#rest = lines.pop() ?? '';
    return requestsIn(lines);
  }

  close(): void {
    closeSync(this.#fd);
  }
}
