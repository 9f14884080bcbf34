/** One question to the database of this story, with a login. */
import { type Agent, type IncomingMessage, request } from 'node:http';

export interface Answer {
  readonly status: number;
  /** What the database calls itself. */
  readonly version: string;
}

export interface Database {
  readonly url: string;
  readonly username: string;
  readonly password: string;
  /** Default: a connection of its own. */
  readonly agent?: Agent;
}

const TIMEOUT_MS = 5_000;

/** `GET` asks for data, `HEAD` for no more than whether the login is right. Rejects without an answer. */
export function ask(method: 'GET' | 'HEAD', { url, username, password, agent }: Database): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = { method, auth: `${username}:${password}`, timeout: TIMEOUT_MS };
    const call = request(url, { ...options, agent: agent ?? false }, (response: IncomingMessage) => {
      const { statusCode = 0, headers } = response;
      response.on('error', reject);
      response.on('end', () =>
        resolve({ status: statusCode, version: String(headers['x-version'] ?? 'unknown') }),
      );
      response.resume();
    });
    call.on('timeout', () => call.destroy(new Error(`no answer within ${TIMEOUT_MS} ms`)));
    call.on('error', reject);
    call.end();
  });
}
