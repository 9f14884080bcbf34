/** A watch by the measuring process itself: nothing stands between the API server and its clock. */
import type { KubeObject, ResourceType, WatchOptions } from '../src/kube/ports.ts';
import type { KubeTransport } from '../src/kube/transport.ts';

export type Seen<T> = (object: T, type: 'ADDED' | 'MODIFIED' | 'DELETED') => void;

export interface Scope extends WatchOptions {
  readonly signal: AbortSignal;
}

/** Until the signal; begun again when the server ends it, with the present state of everything first. */
export function follow<T extends KubeObject>(
  client: KubeTransport,
  type: ResourceType,
  scope: Scope,
  seen: Seen<T>,
): void {
  const again = async (): Promise<void> => {
    while (!scope.signal.aborted) {
      for await (const event of client.watch<T>(type, scope))
        if (event.type !== 'BOOKMARK') seen(event.object, event.type);
    }
  };
  again().catch((error) => {
    if (!scope.signal.aborted) throw error;
  });
}
