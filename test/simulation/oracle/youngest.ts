/** When the youngest pod of a side was made: an operator may hear late that it has gone. */
import type { Color } from '../../../src/api/status.ts';
import type { KubeObject } from '../../../src/kube/ports.ts';
import { PODS } from '../../../src/kube/types.ts';
import { LABEL, type World } from '../world.ts';

export function watchYoungest({ api, timeline }: World, staleness: number): (color: Color) => number {
  let ended: { readonly pod: KubeObject; readonly at: number }[] = [];

  api.onChange(({ type, event, object: pod }) => {
    if (type !== PODS || event !== 'DELETED') return;
    ended = [...ended.filter(isBelieved), { pod, at: timeline.now }];
  });

  const isBelieved = ({ at }: { at: number }): boolean => timeline.now - at <= staleness;

  return (color) => {
    const believed = ended.filter(isBelieved).map(({ pod }) => pod);
    const own = [...api.list(PODS), ...believed].filter(({ metadata }) => metadata.labels?.[LABEL] === color);
    return Math.max(0, ...own.map(({ metadata }) => Date.parse(metadata.creationTimestamp ?? '')));
  };
}
