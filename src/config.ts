/**
 * The operator's config file: what an administrator decides for all releases. YAML, checked as a whole; a file that
 * is wrong anywhere counts nowhere.
 *
 *     metricSources:
 *       - name: default
 *         prometheus: {url: http://prometheus.monitoring:9090, timeoutSeconds: 5}
 *         namespaces: [shop, till]        # absent: all
 *
 * The file is read again every few seconds instead of watched: a mounted ConfigMap is a chain of symbolic links of
 * which the kubelet swaps one in the middle, and file watchers lose it there. A new file that is wrong changes
 * nothing and is told once.
 */
import { readFile } from 'node:fs/promises';
import { parse, YAMLParseError } from 'yaml';
import { z } from 'zod';
import type { Clock } from './kube/clock.ts';
import { describeThrown, type Logger } from './kube/log.ts';
import type { SourceConfig } from './metrics/sources.ts';

export interface Config {
  readonly metricSources: readonly SourceConfig[];
}

export const EMPTY_CONFIG: Config = { metricSources: [] };

/** One sentence: the file, the field, what is wrong. */
export class ConfigError extends Error {}

const url = z.url({ protocol: /^https?$/, error: 'is not an http or https url' }).refine(
  (text) => {
    const { username, password, search, hash } = new URL(text);
    return username + password + search + hash === '';
  },
  { error: 'takes no credentials, query or fragment: use bearerTokenFile' },
);

const seconds = (maximum: number) => z.number().min(0.1).max(maximum);

const prometheus = z.strictObject({
  url,
  timeoutSeconds: seconds(60).default(5),
  lookbackSeconds: seconds(86_400).optional(),
  bearerTokenFile: z.string().min(1).optional(),
  caFile: z.string().min(1).optional(),
});

const metricSource = z.strictObject({
  name: z
    .string()
    .max(63)
    .regex(/^[a-z]([-a-z0-9]*[a-z0-9])?$/, {
      error: 'is not a name of lower-case letters, digits and dashes that begins with a letter',
    }),
  prometheus,
  namespaces: z.array(z.string().min(1).max(63)).optional(),
});

const metricSources = z
  .array(metricSource)
  .default([])
  .superRefine((sources, context) => {
    for (const [index, { name }] of sources.entries()) {
      if (sources.findIndex((other) => other.name === name) === index) continue;
      context.addIssue({ code: 'custom', path: [index, 'name'], message: `"${name}" stands there twice` });
    }
  });

const configFile = z.strictObject({ metricSources });

type ConfigFile = z.output<typeof configFile>;

/** Reads the file and the certificate authorities that it names. Throws a ConfigError and nothing else. */
export async function loadConfig(file: string): Promise<Config> {
  const parsed = parseConfig(file, await readText(file));
  const sources = parsed.metricSources.map(async (source, index): Promise<SourceConfig> => {
    const { caFile, timeoutSeconds, lookbackSeconds, ...rest } = source.prometheus;
    const path = `${file}: metricSources[${index}].prometheus.caFile`;
    const ca = caFile === undefined ? undefined : await readText(caFile, path);
    return {
      name: source.name,
      namespaces: source.namespaces,
      prometheus: {
        ...rest,
        timeoutMs: timeoutSeconds * 1000,
        lookbackMs: lookbackSeconds === undefined ? undefined : lookbackSeconds * 1000,
        ca,
      },
    };
  });
  return { metricSources: await Promise.all(sources) };
}

async function readText(file: string, path: string = file): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    throw new ConfigError(`${path}: cannot be read (${code})`);
  }
}

function parseConfig(file: string, text: string): ConfigFile {
  const result = configFile.safeParse(parseYaml(file, text) ?? {});
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new ConfigError(`${file}: ${issue === undefined ? 'is not valid' : describeIssue(issue)}`);
}

function parseYaml(file: string, text: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    // The first line says what and where; the others quote the file.
    const what = error instanceof YAMLParseError ? error.message.split('\n', 1)[0] : describeThrown(error);
    throw new ConfigError(`${file}: is not YAML: ${what?.replace(/:$/, '')}`);
  }
}

function describeIssue(issue: z.core.$ZodIssue): string {
  const path = issue.path.map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`)).join('');
  const field = path.replace(/^\./, '') || 'the file';
  if (issue.code === 'unrecognized_keys') return `${field}: "${issue.keys[0]}" is not a known field`;
  if (issue.code === 'invalid_type') return `${field}: should be ${article(issue.expected)}`;
  return `${field}: ${issue.message}`;
}

const article = (type: string): string => `${/^[aeiou]/.test(type) ? 'an' : 'a'} ${type}`;

const POLL_MS = 5_000;

export interface ConfigWatch {
  readonly file: string;
  /** What was loaded at the start. */
  readonly current: Config;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly onChange: (config: Config) => void;
}

/** Calls `onChange` for each new content that is valid; returns what stops it. */
export function watchConfig({ file, current, clock, logger, onChange }: ConfigWatch): () => void {
  let known = JSON.stringify(current);
  let complaint: string | undefined;
  let stopped = false;
  let cancel = clock.after(POLL_MS, poll);

  function take(next: Config): void {
    complaint = undefined;
    const content = JSON.stringify(next);
    if (content === known) return;
    known = content;
    logger.info('the config file has changed', { file, metricSources: next.metricSources.length });
    onChange(next);
  }

  function complain(error: unknown): void {
    const message = describeThrown(error);
    if (message === complaint) return;
    complaint = message;
    logger.error('the config file is wrong: the operator goes on with what it had', { error: message });
  }

  async function look(): Promise<void> {
    try {
      const next = await loadConfig(file);
      if (!stopped) take(next);
    } catch (error) {
      complain(error);
    }
    if (!stopped) cancel = clock.after(POLL_MS, poll);
  }

  function poll(): void {
    void look();
  }

  return () => {
    stopped = true;
    cancel();
  };
}
