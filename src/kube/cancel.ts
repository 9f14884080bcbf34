import type { KubeClient } from './ports.ts';

/** The same client, whose calls end with the signal: none is begun after it, and those under way are broken off. */
export function withSignal(client: KubeClient, signal: AbortSignal): KubeClient {
  return {
    get: (type, key, options) => client.get(type, key, { ...options, signal }),
    list: (type, options) => client.list(type, { ...options, signal }),
    create: (type, body, options) => client.create(type, body, { ...options, signal }),
    replace: (type, body, options) => client.replace(type, body, { ...options, signal }),
    patch: (type, key, patch, options) => client.patch(type, key, patch, { ...options, signal }),
    delete: (type, key, options) => client.delete(type, key, { ...options, signal }),
  };
}
