/** What a person needs to see why a story went wrong. */
import { OPERATOR, OPERATOR_NAMESPACE } from '../support/operator.ts';
import type { Shop } from './shop.ts';
import { describeFailures } from './verdict.ts';

const time = (at: number): string => new Date(at).toISOString().slice(11, 23);

export async function dump(shop: Shop): Promise<void> {
  const { target } = shop.stage;
  const ask = (args: string[]): Promise<string> =>
    target.kubectl(args).catch((error: Error) => `(${error.message})`);
  const sections: [string, string][] = [
    ['operator', await ask(['logs', `deployment/${OPERATOR}`, '-n', OPERATOR_NAMESPACE, '--tail=150'])],
    ['releases', await ask(['get', 'bgr', '-A', '-o', 'yaml'])],
    ['objects', await ask(['get', 'deploy,rs,pods,jobs,svc,hpa', '-n', shop.namespace, '-o', 'wide'])],
    ['events', await ask(['get', 'events', '-n', shop.namespace, '--sort-by=.metadata.creationTimestamp'])],
    ['phases', phasesOf(shop).join('\n')],
    ['requests', await requestsOf(shop)],
  ];
  for (const [title, text] of sections) console.log(`\n---- ${shop.namespace}: ${title}\n${text.trimEnd()}`);
}

function phasesOf({ statuses }: Shop): string[] {
  const lines = statuses.map(({ at, status }) => `${time(at)} ${status.phase}: ${status.message}`);
  return lines.filter((line, index) => line.slice(13) !== lines[index - 1]?.slice(13));
}

async function requestsOf(shop: Shop): Promise<string> {
  const result = await shop.close().catch((error: Error) => error.message);
  return typeof result === 'string' ? result : describeFailures(shop, result);
}
