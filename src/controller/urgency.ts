/**
 * What goes before everything that is merely due: production in danger, and what a person ordered. Neither a candidate
 * that becomes ready nor a switch that converges is: with hundreds under way they would fill the lane that a rollback
 * needs.
 */
import { ANNOTATION_ACTION, LABEL_COLOR } from '../api/names.ts';
import type { KubeObject } from '../kube/ports.ts';
import type { EndpointSlice } from '../kube/types.ts';
import type { Cache } from './cache.ts';

export function isUrgent(kind: keyof Cache, object: KubeObject, old: KubeObject | undefined): boolean {
  // What is new to the cache at a start is all of it: what might have to go back comes first.
  if (old === undefined) return kind === 'releases' && EXPOSED.has(phase(object));
  if (kind === 'releases') return action(object) !== undefined && action(object) !== action(old);
  return kind === 'slices' && !isTwin(object) && ready(object) < ready(old);
}

/** New pods have the traffic, and nobody has said yet that they may keep it. */
const EXPOSED: ReadonlySet<string | undefined> = new Set(['Switching', 'Observing', 'Held', 'RollingBack']);

const phase = (object: KubeObject): string | undefined =>
  (object as { status?: { phase?: string } }).status?.phase;

const action = ({ metadata }: KubeObject): string | undefined => metadata.annotations?.[ANNOTATION_ACTION];

/** Slices carry the labels of their Service; a colour is on the twins alone. */
const isTwin = ({ metadata }: KubeObject): boolean => metadata.labels?.[LABEL_COLOR] !== undefined;

function ready(object: KubeObject): number {
  const { endpoints } = object as EndpointSlice;
  return (endpoints ?? []).filter(({ conditions }) => conditions?.ready ?? true).length;
}
