/** Since when, and until when, production was served by one colour alone: what a proof may rest on. */
import { LABEL_COLOR } from '../../../src/api/names.ts';
import { ENDPOINT_SLICES, PODS, type Pod } from '../../../src/kube/types.ts';
import { SERVICE } from '../scenario.ts';
import { readyEndpoints, type World } from '../world.ts';

export interface Purity {
  /** A ready pod behind the production Service that is not of this colour. */
  stranger(color: string): string | undefined;
  /** When this colour served alone for the last time, milliseconds since the epoch. */
  lastAlone(color: string): number | undefined;
}

export function createPurity({ api, timeline }: World): Purity {
  const until = new Map<string, number>();
  let alone: string | undefined;

  const colorOf = (pod: string): string =>
    api.get<Pod>(PODS, pod)?.metadata.labels?.[LABEL_COLOR] ?? 'source';

  api.onChange(({ type, object }) => {
    if (type !== ENDPOINT_SLICES || object.metadata.name !== `${SERVICE}-slice`) return;
    if (alone !== undefined) until.set(alone, timeline.now);
    const colors = new Set(readyEndpoints(api, SERVICE).map(colorOf));
    alone = colors.size === 1 ? [...colors][0] : undefined;
  });

  return {
    stranger: (color) => readyEndpoints(api, SERVICE).find((pod) => colorOf(pod) !== color),
    lastAlone: (color) => (alone === color ? timeline.now : until.get(color)),
  };
}
