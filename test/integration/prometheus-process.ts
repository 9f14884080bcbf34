/** A real Prometheus on a free port of 127.0.0.1, which scrapes one target five times a second. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { ensurePrograms } from '../cluster/programs.ts';

export interface PrometheusProcess {
  readonly url: string;
  stop(): Promise<void>;
}

/**
 * Runs a command until its standard input ends, which also happens when the process that holds the other end is
 * killed: no test that dies leaves a server behind.
 */
const UNTIL_STDIN_ENDS = 'exec 3<&0; "$@" 3<&- & pid=$!; { cat <&3; kill $pid; } >/dev/null 2>&1 & wait $pid';

/** `target`: host:port of what is scraped at /metrics. */
export async function startPrometheus(target: string): Promise<PrometheusProcess> {
  const { prometheus } = await ensurePrograms(['prometheus']);
  const folder = await mkdtemp(join(tmpdir(), 'prometheus-'));
  const config = join(folder, 'prometheus.yaml');
  await writeFile(config, configuration(target));
  const command = [
    prometheus,
    `--config.file=${config}`,
    `--storage.tsdb.path=${join(folder, 'data')}`,
    '--web.listen-address=127.0.0.1:0',
  ];
  const child = spawn('sh', ['-c', UNTIL_STDIN_ENDS, 'sh', ...command], {
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  const exited = once(child, 'exit');
  return {
    url: `http://${await listeningAddress(child.stderr)}`,
    async stop() {
      child.stdin.end();
      await exited;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

const configuration = (target: string): string => `
global: {scrape_interval: 200ms, scrape_timeout: 200ms}
scrape_configs:
  - job_name: app
    static_configs: [{targets: ["${target}"]}]
`;

/** It chooses its port itself and says which, so that no other process can take it in between. */
function listeningAddress(stderr: Readable): Promise<string> {
  return new Promise((resolve, reject) => {
    const said: string[] = [];
    // Read to the end, long after the address is known: a pipe that is full would stop the server.
    createInterface({ input: stderr })
      .on('line', (line) => {
        const address = /msg="Listening on".* address=(127\.0\.0\.1:\d+)/.exec(line)?.[1];
        if (address !== undefined) resolve(address);
        said.push(line);
      })
      .on('close', () => reject(new Error(`prometheus ended: ${said.slice(-3).join('\n')}`)));
  });
}
