/** The wire format of a watch: one JSON document a line, {"type": ..., "object": ...}. */

import { KubeError, parseStatus, reasonOf, type StatusBody } from './errors.ts';
import type { KubeObject, ResourceType, WatchEvent } from './ports.ts';

/** etcd refuses objects above 1.5 MiB; a longer line is not an API server speaking. */
const LONGEST_LINE = 16 * 1024 * 1024;
const NEWLINE = 0x0a;

export interface LineSplitter {
  /** The lines that this chunk completes. */
  push(chunk: Uint8Array): string[];
  /** Bytes of a line that has not ended. */
  readonly rest: number;
}

/**
 * Cuts at the byte, not at the character, so that a multi-byte character which two chunks share stays whole; pieces
 * of a long line are joined once, not at each chunk.
 */
export function createLineSplitter(): LineSplitter {
  let pieces: Uint8Array[] = [];
  let rest = 0;

  function take(piece: Uint8Array): string {
    const line =
      pieces.length === 0 ? Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength) : joined(piece);
    pieces = [];
    rest = 0;
    return line.toString('utf8');
  }

  function joined(piece: Uint8Array): Buffer {
    return Buffer.concat([...pieces, piece]);
  }

  return {
    push(chunk) {
      const lines: string[] = [];
      let from = 0;
      for (let at = chunk.indexOf(NEWLINE); at !== -1; at = chunk.indexOf(NEWLINE, from)) {
        const line = take(chunk.subarray(from, at));
        if (line !== '') lines.push(line);
        from = at + 1;
      }
      if (from < chunk.length) {
        pieces.push(chunk.subarray(from));
        rest += chunk.length - from;
      }
      if (rest > LONGEST_LINE) throw new RangeError(`a watch event longer than ${LONGEST_LINE} bytes`);
      return lines;
    },
    get rest() {
      return rest;
    },
  };
}

interface WireEvent {
  readonly type: string;
  readonly object: KubeObject & StatusBody;
}

const INITIAL_EVENTS_END = 'k8s.io/initial-events-end';

/** Throws the KubeError that an ERROR event stands for; undefined for a type that is not known yet. */
export function decodeEvent<T extends KubeObject>(
  line: string,
  type: ResourceType,
  call: string,
): WatchEvent<T> | undefined {
  const event = parseEvent(line, call);
  switch (event.type) {
    case 'ADDED':
    case 'MODIFIED':
    case 'DELETED':
      return { type: event.type, object: withKind(event.object as unknown as T, type) };
    case 'BOOKMARK':
      return {
        type: 'BOOKMARK',
        resourceVersion: event.object.metadata.resourceVersion ?? '',
        initialEventsEnd: event.object.metadata.annotations?.[INITIAL_EVENTS_END] === 'true',
      };
    case 'ERROR':
      throw errorEvent(event.object, call);
    default:
      return undefined;
  }
}

function parseEvent(line: string, call: string): WireEvent {
  try {
    return JSON.parse(line) as WireEvent;
  } catch {
    throw new KubeError({ reason: 'Network', status: 0, call, message: 'an event that is no JSON' });
  }
}

function errorEvent(object: KubeObject & StatusBody, call: string): KubeError {
  const status = parseStatus(JSON.stringify(object));
  const code = status?.code ?? 0;
  return new KubeError({
    reason: reasonOf(code, status),
    status: code,
    call,
    message: status?.message ?? 'the watch ended with an error',
  });
}

/**
 * Lists leave `kind` and `apiVersion` out of their items, and a metadata-only answer says PartialObjectMetadata:
 * from here on an object is the same, whichever way it came.
 */
export function withKind<T extends KubeObject>(object: T, type: ResourceType): T {
  object.apiVersion = type.group === '' ? type.version : `${type.group}/${type.version}`;
  object.kind = type.kind;
  return object;
}
