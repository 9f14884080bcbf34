/** Stands where a Prometheus would: what it answers is set per namespace. The real one is covered elsewhere. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import {
  answer,
  type FakePrometheus,
  oneSeries,
  refusal,
  startFakePrometheus,
} from '../../unit/metrics/fake-prometheus.ts';

/** A query whose answer depends on who asks. */
export const ERRORS = 'errors{namespace="$(BLUEGREEN_NAMESPACE)"}';

export class Metrics {
  readonly #server: FakePrometheus;
  readonly #answers: Map<string, string> = new Map();

  private constructor(server: FakePrometheus) {
    this.#server = server;
    server.behave((response, seen, request) => {
      const query = seen.form.query ?? '';
      const value = this.#answers.get(/namespace="([^"]*)"/.exec(query)?.[1] ?? '') ?? '0';
      if (query.includes('(('))
        answer(refusal('bad_data', '1:8: parse error: unclosed left parenthesis'), 400)(
          response,
          seen,
          request,
        );
      else if (value === 'down') answer('the server is starting up', 503)(response, seen, request);
      else answer(oneSeries(Date.now() / 1000, value))(response, seen, request);
    });
  }

  static async start(): Promise<Metrics> {
    return new Metrics(await startFakePrometheus());
  }

  /** `down`: no answer that means anything. */
  set(namespace: string, value: string): void {
    this.#answers.set(namespace, value);
  }

  /** The operator's config file that names it, under `default`. */
  async config(folder: string): Promise<string> {
    const file = join(folder, 'operator.yaml');
    const metricSources = [{ name: 'default', prometheus: { url: this.#server.url } }];
    await writeFile(file, stringify({ metricSources }));
    return file;
  }

  stop(): Promise<void> {
    return this.#server.close();
  }
}
