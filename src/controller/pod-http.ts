/** GET requests to a pod: no redirect is followed, an answer is read up to 64 KiB, and each has five seconds. */
import { Agent, get } from 'node:http';
import type { PodAddress } from './pod-address.ts';

const TIMEOUT_MS = 5000;
const MOST_BYTES = 65_536;
/** Connections to one pod. */
const CONNECTIONS = 4;

export interface PodClient {
  /** The status code; rejects with an Error whose message holds nothing of the answer. */
  ask(path: string): Promise<number>;
  close(): void;
}

export function createPodClient({ host, port }: PodAddress, signal: AbortSignal): PodClient {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const ask = (path: string): Promise<number> =>
    new Promise((resolve, reject) => {
      const request = get(
        { host, port, path, agent, signal, headers: { 'user-agent': 'bluegreen-operator' } },
        (response) => {
          let bytes = 0;
          response.on('data', (chunk: Buffer) => {
            bytes += chunk.length;
            if (bytes > MOST_BYTES) response.destroy();
          });
          response.on('close', () => {
            clearTimeout(deadline);
            if (response.complete || bytes > MOST_BYTES) resolve(response.statusCode ?? 0);
            else reject(new Error('it broke off in the middle of an answer'));
          });
        },
      );
      const deadline = setTimeout(() => {
        request.destroy(new Error(`no answer within ${TIMEOUT_MS / 1000} seconds`));
      }, TIMEOUT_MS);
      request.on('error', (error: NodeJS.ErrnoException) => {
        clearTimeout(deadline);
        reject(new Error(error.code ?? error.message));
      });
    });
  return { ask, close: () => agent.destroy() };
}
