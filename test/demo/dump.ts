/** The state of everything, for the person who wants to know why the demo failed. */
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LoadResult } from '../support/load.ts';
import { OPERATOR_NAMESPACE, operatorLog } from '../support/operator.ts';
import type { Place } from './place.ts';

/** The file's path. What cannot be had is noted and does not hide the rest. */
export async function dumpState(
  { target, namespace, metricsNamespace }: Place,
  load?: LoadResult,
): Promise<string> {
  const looks: [string, () => Promise<string>][] = [
    ['the release', () => target.kubectl(['get', 'bgr', '-n', namespace, '-o', 'yaml'])],
    ['the operator’s log', () => operatorLog(target)],
    ...[namespace, OPERATOR_NAMESPACE, metricsNamespace].flatMap(
      (each): [string, () => Promise<string>][] => [
        [`what is in ${each}`, () => target.kubectl(['get', 'all,endpointslices', '-n', each, '-o', 'wide'])],
        [`events in ${each}`, () => target.kubectl(['events', '-n', each])],
      ],
    ),
    ['the Services', () => target.kubectl(['get', 'services', '-n', namespace, '-o', 'yaml'])],
    ['what the load generator counted', async () => (load ? JSON.stringify(load) : 'nothing')],
    ['the load generator’s last lines', () => target.kubectl(['logs', 'load', '-n', namespace, '--tail=5'])],
  ];
  const sections = await Promise.all(
    looks.map(async ([title, look]) => {
      const text = await look().catch((error: Error) => `not to be had: ${error.message}`);
      return `===== ${title}\n${text.trim()}\n`;
    }),
  );
  const file = join(tmpdir(), `bluegreen-demo-${process.pid}.txt`);
  await writeFile(file, sections.join('\n'));
  return file;
}
