/** What slices say of endpoints. */

import { memo } from '../../api/memo.ts';
import { LABEL_SLICE_MANAGER } from '../../api/names.ts';
import type { EndpointSlice } from '../../kube/types.ts';
import type { Endpoint } from '../../release/snapshot.ts';

const SLICE_CONTROLLER = 'endpointslice-controller.k8s.io';

/** Slices made by hand or by another controller prove nothing. */
export function endpointsOf(slices: readonly EndpointSlice[]): readonly Endpoint[] {
  const trusted = slices.filter((slice) => slice.metadata.labels?.[LABEL_SLICE_MANAGER] === SLICE_CONTROLLER);
  const [only, ...others] = trusted;
  // The same list each time: what is counted in it is counted once.
  return only !== undefined && others.length === 0
    ? endpointsOfSlice(only)
    : trusted.flatMap(endpointsOfSlice);
}

const endpointsOfSlice: (slice: EndpointSlice) => readonly Endpoint[] = memo(readSlice);

/** Absent conditions: `ready` is true, `serving` is as `ready` (discovery/v1). */
function readSlice(slice: EndpointSlice): Endpoint[] {
  const groups = (slice.ports ?? []).map((port) => `${slice.addressType}/${port.name ?? ''}`);
  return (slice.endpoints ?? []).flatMap(({ conditions, targetRef, nodeName, zone }) => {
    const podUid = targetRef?.uid;
    if (podUid === undefined) return [];
    const ready = conditions?.ready ?? true;
    const serving = conditions?.serving ?? ready;
    const place = { ...(nodeName !== undefined && { node: nodeName }), ...(zone !== undefined && { zone }) };
    return groups.map((group) => ({ podUid, ready, serving, group, ...place }));
  });
}
