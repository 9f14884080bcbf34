/**
 * The endpoint that kubeconfig files, the in-cluster mount, exec plugins and token files describe.
 *
 * @kubernetes/client-node is used for this alone: it knows kubeconfig files, the in-cluster mount, exec plugins and
 * token files. Its own requests are not used, since each of them opens a new TLS connection. Nothing else imports it, so
 * that whatever brings its own endpoint does not load it (it costs tens of megabytes).
 */

import { existsSync, readFileSync } from 'node:fs';
import type { RequestOptions } from 'node:https';
import { homedir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { parse } from 'yaml';
import { type Clock, systemClock } from './clock.ts';
import type { Credentials, Endpoint } from './endpoint.ts';
import { proxyFromEnvironment } from './proxy.ts';

export interface KubeConfigEndpointOptions {
  /** Makes a loaded configuration; called again after a 401, so that a rotated file or plugin is read again. */
  readonly load?: () => KubeConfig;
  readonly clock?: Clock;
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /**
   * Milliseconds for which credentials are used without looking at their files again. A kubelet renews a mounted
   * token at 80 % of its life (an hour at least), client-go looks each minute.
   */
  readonly freshMs?: number;
}

const FRESH_MS = 30_000;
/** Credentials that are refused for good must not run an exec plugin for every call. */
const REFRESH_MS = 5_000;

/** KUBECONFIG, ~/.kube/config or the in-cluster mount, in kubectl's order. */
export function defaultKubeConfig(): KubeConfig {
  const config = new KubeConfig();
  config.loadFromDefault();
  const files = process.env.KUBECONFIG?.split(delimiter) ?? [join(homedir(), '.kube', 'config')];
  for (const file of files) if (existsSync(file)) useTokenFiles(config, file);
  return config;
}

/** Throws where the file cannot be read, or is no kubeconfig. */
export function kubeConfigFrom(file: string): KubeConfig {
  const config = new KubeConfig();
  config.loadFromFile(file);
  useTokenFiles(config, file);
  return config;
}

interface UsersOfFile {
  readonly users?: readonly { readonly name: string; readonly user?: { readonly tokenFile?: string } }[];
}

/**
 * `tokenFile` of a user, which @kubernetes/client-node passes over: its calls would go out as nobody's. As for client-go,
 * the file goes before a token that stands beside it, and its path is relative to the kubeconfig.
 */
function useTokenFiles(config: KubeConfig, file: string): void {
  const { users = [] } = (parse(readFileSync(file, 'utf8')) ?? {}) as UsersOfFile;
  for (const { name, user } of users) {
    if (!user?.tokenFile) continue;
    const tokenFile = resolve(dirname(file), user.tokenFile);
    const authProvider = { name: 'tokenFile', config: { tokenFile } };
    config.users = config.users.map((known) => {
      if (known.name !== name) return known;
      const { token: _, ...rest } = known;
      return { ...rest, authProvider };
    });
  }
}

/** `load` throws where there is no usable configuration: at construction, so that a process fails at its start. */
export function kubeConfigEndpoint(options: KubeConfigEndpointOptions = {}): Endpoint {
  const load = options.load ?? defaultKubeConfig;
  const clock = options.clock ?? systemClock;
  const environment = options.environment ?? process.env;
  const freshMs = options.freshMs ?? FRESH_MS;
  let config = load();
  let reload = false;
  let refreshedAt = Number.NEGATIVE_INFINITY;
  let known: { credentials: Credentials; readAt: number } | undefined;
  let reading: Promise<Credentials> | undefined;

  async function read(): Promise<Credentials> {
    if (reload) {
      // A new KubeConfig has new authenticators, and so none of the tokens that the old ones remember.
      config = load();
      reload = false;
    }
    const credentials = await credentialsOf(config, environment);
    known = { credentials, readAt: clock.monotonic() };
    return credentials;
  }

  return {
    async current() {
      if (known !== undefined && clock.monotonic() - known.readAt < freshMs) return known.credentials;
      // An exec plugin takes seconds: one run for all who wait.
      reading ??= read().finally(() => {
        reading = undefined;
      });
      return reading;
    },
    refresh() {
      if (clock.monotonic() - refreshedAt < REFRESH_MS) return;
      refreshedAt = clock.monotonic();
      known = undefined;
      reload = true;
    },
  };
}

async function credentialsOf(
  config: KubeConfig,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Credentials> {
  const cluster = config.getCurrentCluster();
  const user = config.getCurrentUser();
  if (cluster === null) throw new Error('the kubeconfig names no current cluster');
  const options: RequestOptions = {};
  await config.applyToHTTPSOptions(options);
  const server = new URL(cluster.server);
  const proxy = cluster.proxyUrl ?? proxyFromEnvironment(server, environment);
  const basic = user?.username === undefined ? undefined : `${user.username}:${user.password ?? ''}`;
  return {
    connection: {
      origin: server.origin,
      ...present({
        ca: text(options.ca),
        cert: text(options.cert),
        key: text(options.key),
        servername: options.servername,
        proxy,
      }),
      ...(options.rejectUnauthorized === undefined ? {} : { rejectUnauthorized: options.rejectUnauthorized }),
    },
    pathPrefix: server.pathname === '/' ? '' : server.pathname.replace(/\/$/, ''),
    headers: {
      ...(basic === undefined ? {} : { authorization: `Basic ${Buffer.from(basic).toString('base64')}` }),
      ...headersOf(options.headers),
    },
  };
}

function headersOf(headers: RequestOptions['headers']): Record<string, string> {
  const result: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers ?? {})) {
    // A token file may end in a newline, which is no header value.
    if (typeof value === 'string') result[name.toLowerCase()] = value.trim();
  }
  return result;
}

/** PEM, as files and exec plugins give it: bytes or text. */
function text(material: unknown): string | undefined {
  if (typeof material === 'string') return material;
  return Buffer.isBuffer(material) ? material.toString('utf8') : undefined;
}

function present<T extends object>(members: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
