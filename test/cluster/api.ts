import { readFileSync } from 'node:fs';
import { Agent, type RequestOptions, request } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';

/** Just enough of an API client to see how far a cluster has come; starting kubectl for each look would cost more. */
export class Api {
  readonly #server: string;
  readonly #token: string;
  readonly #agent: Agent;

  constructor(server: string, caFile: string, token: string) {
    this.#server = server;
    this.#token = token;
    this.#agent = new Agent({ ca: readFileSync(caFile), keepAlive: true, maxSockets: 4 });
  }

  /** The parsed answer to a GET; undefined for whatever went wrong. */
  get<T>(path: string): Promise<T | undefined> {
    return new Promise((resolve) => {
      const headers = { authorization: `Bearer ${this.#token}`, accept: 'application/json' };
      const options: RequestOptions = { agent: this.#agent, headers, timeout: 2000 };
      const call = request(`${this.#server}${path}`, options, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', () => resolve(undefined));
        response.on('end', () => resolve(parse<T>(response.statusCode, Buffer.concat(chunks).toString())));
      });
      call.on('timeout', () => call.destroy());
      call.on('error', () => resolve(undefined));
      call.end();
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

function parse<T>(status: number | undefined, text: string): T | undefined {
  if (status !== 200) return undefined;
  try {
    return JSON.parse(text) as T;
  } catch {
    // /readyz answers "ok".
    return text as T;
  }
}

/** Asks again and again until the answer is yes; the error names what was waited for. */
export async function until(what: string, timeoutMs: number, ask: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await ask())) {
    if (Date.now() > deadline) throw new Error(`${what} took longer than ${timeoutMs / 1000} s`);
    await sleep(50);
  }
}
