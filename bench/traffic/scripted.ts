/** The scripted metric source as a pod. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '../../test/support/eventually.ts';
import type { Stage } from '../../test/support/stage.ts';
import { apply, namespaceObject, rolledOut, type Target } from '../../test/support/target.ts';

const NAMESPACE = 'scripted';
const NAME = 'scripted-prometheus';
const SCRIPT = `${NAME}.mjs`;

/** The name by which releases know it. */
export const SCRIPTED_SOURCE = 'scripted';
export const SCRIPTED_URL = `http://${NAME}.${NAMESPACE}.svc:9090`;

export class ScriptedPrometheus {
  readonly #target: Target;
  #seen = 0;

  private constructor(target: Target) {
    this.#target = target;
  }

  static async deploy({ target, image }: Stage): Promise<ScriptedPrometheus> {
    const labels = { app: NAME };
    const metadata = { name: NAME, namespace: NAMESPACE };
    const container = {
      name: NAME,
      image: image.name,
      imagePullPolicy: image.pullPolicy,
      command: ['node', `/script/${SCRIPT}`],
      readinessProbe: { tcpSocket: { port: 9090 }, periodSeconds: 1 },
      volumeMounts: [{ name: 'script', mountPath: '/script' }],
    };
    const template = {
      metadata: { labels },
      spec: { containers: [container], volumes: [{ name: 'script', configMap: { name: NAME } }] },
    };
    await apply(target, [namespaceObject(NAMESPACE)]);
    await apply(target, [
      { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { [SCRIPT]: script() } },
      { apiVersion: 'v1', kind: 'Service', metadata, spec: { selector: labels, ports: [{ port: 9090 }] } },
      {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata,
        spec: { replicas: 1, selector: { matchLabels: labels }, template },
      },
    ]);
    await rolledOut(target, NAMESPACE, NAME);
    return new ScriptedPrometheus(target);
  }

  /** Makes the next answer a bad one. Resolves with the time at which it was sent, milliseconds since the epoch. */
  async answerBadly(): Promise<number> {
    const tell =
      "fetch('http://127.0.0.1:9090/say?value=1').then((answer) => process.exit(answer.ok ? 0 : 1))";
    await this.#target.kubectl(['exec', `deploy/${NAME}`, '-n', NAMESPACE, '--', 'node', '-e', tell]);
    return eventually('the bad answer', 30_000, async () => {
      const log = await this.#target.kubectl(['logs', `deploy/${NAME}`, '-n', NAMESPACE]);
      const answers = log.split('\n').filter((line) => line.startsWith('{'));
      if (answers.length <= this.#seen) return undefined;
      this.#seen = answers.length;
      return (JSON.parse(answers.at(-1) ?? '') as { answeredAt: number }).answeredAt;
    });
  }
}

function script(): string {
  return readFileSync(join(import.meta.dirname, SCRIPT), 'utf8');
}
