/** GET requests to a pod: no redirect is followed, no answer is read beyond a limit, and each has five seconds. */
import { Agent, get } from 'node:http';
import type { Clock } from '../kube/clock.ts';
import type { PodAddress } from './pod-address.ts';

const TIMEOUT_MS = 5000;
const KIB = 1024;
/** Of an answer that nobody looks at. */
const MOST_ASKED = 64 * KIB;
const MOST_READ = 4096 * KIB;
/** Connections to one pod. */
const CONNECTIONS = 4;

/** All reject with an Error whose message holds nothing of the answer. */
export interface PodClient {
  /** The status code, whatever it is. */
  ask(path: string): Promise<number>;
  /** The text of an answer of status 200, handed on piece by piece as it comes; at most 4 MiB. */
  read(path: string, onText: (text: string) => void): Promise<void>;
  close(): void;
}

interface Answer {
  readonly status: number;
  readonly whole: boolean;
  /** It is longer than what was read of it. */
  readonly cut: boolean;
}

export function createPodClient(address: PodAddress, clock: Clock, signal: AbortSignal): PodClient {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const ended = ({ whole, cut }: Answer): void => {
    if (!whole && !cut) throw new Error('it broke off in the middle of an answer');
  };
  return {
    async ask(path) {
      const answer = await fetchFrom(agent, clock, address, path, signal, MOST_ASKED, () => undefined);
      ended(answer);
      return answer.status;
    },
    async read(path, onText) {
      const decoder = new TextDecoder();
      const answer = await fetchFrom(agent, clock, address, path, signal, MOST_READ, (chunk) =>
        onText(decoder.decode(chunk, { stream: true })),
      );
      if (answer.status !== 200) throw new Error(`it answered with status ${answer.status}`);
      if (answer.cut) throw new Error(`its answer is longer than ${MOST_READ / KIB / KIB} MiB`);
      ended(answer);
    },
    close: () => agent.destroy(),
  };
}

function fetchFrom(
  agent: Agent,
  clock: Clock,
  { host, port }: PodAddress,
  path: string,
  signal: AbortSignal,
  mostBytes: number,
  onChunk: (chunk: Buffer) => void,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = { 'user-agent': 'bluegreen-operator' };
    const request = get({ host, port, path, agent, signal, headers }, (response) => {
      let bytes = 0;
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > mostBytes) response.destroy();
        else onChunk(chunk);
      });
      response.on('close', () => {
        cancelDeadline();
        resolve({ status: response.statusCode ?? 0, whole: response.complete, cut: bytes > mostBytes });
      });
    });
    const cancelDeadline = clock.after(TIMEOUT_MS, () => {
      request.destroy(new Error(`no answer within ${TIMEOUT_MS / 1000} seconds`));
    });
    request.on('error', (error: NodeJS.ErrnoException) => {
      cancelDeadline();
      reject(new Error(error.code ?? error.message));
    });
  });
}
