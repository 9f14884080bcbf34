/** A watch on its way through the proxy: whole events, until something ends it. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Asked } from './asked.ts';
import type { WatchEnd } from './switchboard.ts';

export interface WatchStream {
  readonly asked: Asked;
  /** Events that came through. */
  readonly events: number;
  end(how: WatchEnd): void;
}

const EXPIRED = {
  type: 'ERROR',
  object: {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: 'too old resource version: 1 (2)',
    reason: 'Expired',
    code: 410,
  },
};
const NEWLINE = 0x0a;
/** What the cut leaves of an event. */
const STUMP = '{"type":"MODIFIED","object":{"kind":"';

/** `cut` breaks the client's connection. Events that come after the end are swallowed. */
export function pipeWatch(
  asked: Asked,
  answer: IncomingMessage,
  response: ServerResponse,
  cut: () => void,
): WatchStream {
  let rest: Buffer = Buffer.alloc(0);
  let events = 0;
  let over = false;

  answer.on('data', (chunk: Buffer) => {
    if (over) return;
    const known = Buffer.concat([rest, chunk]);
    const whole = known.lastIndexOf(NEWLINE) + 1;
    rest = known.subarray(whole);
    for (let at = known.indexOf(NEWLINE); at !== -1; at = known.indexOf(NEWLINE, at + 1)) events += 1;
    if (whole > 0) response.write(known.subarray(0, whole));
  });
  answer.on('end', () => {
    if (!over) response.end();
  });

  return {
    asked,
    get events() {
      return events;
    },
    end(how) {
      if (over) return;
      over = true;
      if (how === 'truncated') response.write(STUMP, cut);
      if (how === 'expired') response.end(`${JSON.stringify(EXPIRED)}\n`);
      if (how === 'closed') response.end();
      if (how !== 'silent') answer.destroy();
    },
  };
}
