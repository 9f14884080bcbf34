/**
 * Whether a candidate has room beside production, asked before anything is created: its pods against the namespace's
 * quotas in numbers, and what in its template keeps two colours apart. A Deployment's dry run accepts all of that.
 */
import { workloadInWords } from '../api/workload.ts';
import type { KubeClient, KubeObject } from '../kube/ports.ts';
import { type JsonObject, PERSISTENT_VOLUME_CLAIMS } from '../kube/types.ts';
import { candidateSize } from '../release/capacity.ts';
import { otherColor } from '../release/endpoints.ts';
import { rolesOf } from '../release/roles.ts';
import type { Problem, Snapshot } from '../release/snapshot.ts';
import { type ContainerDefaults, demandOf } from '../workload/demand.ts';
import { obstacles } from '../workload/obstacles.ts';
import { inWords, parseQuantity } from '../workload/quantity.ts';
import { nothingIfForbidden, type ReadLimits, type ResourceQuota } from './limits.ts';
import type { Scene } from './observe.ts';

interface PersistentVolumeClaim extends KubeObject {
  spec?: { accessModes?: string[] };
}

export async function judgeRoom(
  client: KubeClient,
  limits: ReadLimits,
  { release, snapshot, wished, pair }: Scene,
  signal: AbortSignal,
): Promise<Problem[]> {
  if (wished === undefined || !startsSomething(snapshot)) return [];
  const { template } = wished.spec;
  // Both sides of a pair stand already; what is added are pods of the one without traffic.
  if (pair !== undefined)
    return rolesOf(snapshot).active === undefined ? [] : judgeQuotas(limits, snapshot, template.spec);
  const name = workloadInWords(release.spec);
  const inTemplate = obstacles(template, release.spec.traffic.selectorLabel).map(({ reason, message }) => ({
    reason,
    message: `${name}: ${message}`,
  }));
  const [claims, quotas] = await Promise.all([
    judgeClaims(client, release.namespace, template.spec, signal),
    judgeQuotas(limits, snapshot, template.spec),
  ]);
  return [...inTemplate, ...claims, ...quotas];
}

/** What people wish for is not what has the traffic: only then pods are added. */
function startsSomething(snapshot: Snapshot): boolean {
  return rolesOf(snapshot).active?.fingerprint !== snapshot.wish?.fingerprint;
}

async function judgeClaims(
  client: KubeClient,
  namespace: string,
  podSpec: JsonObject,
  signal: AbortSignal,
): Promise<Problem[]> {
  const volumes = Array.isArray(podSpec.volumes) ? (podSpec.volumes as JsonObject[]) : [];
  const names = volumes.flatMap(({ persistentVolumeClaim }) => {
    const claim = persistentVolumeClaim as { claimName?: string } | undefined;
    return claim?.claimName === undefined ? [] : [claim.claimName];
  });
  const claims = await Promise.all(
    names.map((name) =>
      client
        .get<PersistentVolumeClaim>(PERSISTENT_VOLUME_CLAIMS, { namespace, name }, { signal })
        .catch(nothingIfForbidden(undefined)),
    ),
  );
  return claims.flatMap((claim) => {
    const modes = claim?.spec?.accessModes ?? [];
    if (claim === undefined || modes.some((mode) => !mode.startsWith('ReadWriteOnce'))) return [];
    const { name } = claim.metadata;
    return [
      {
        reason: 'VolumeNotShared',
        message: `PersistentVolumeClaim "${name}" is ${modes.join(', ')}: pods of both colours cannot have it at once; use ReadWriteMany or ReadOnlyMany, or keep the data outside of the workload`,
      },
    ];
  });
}

async function judgeQuotas(limits: ReadLimits, snapshot: Snapshot, podSpec: JsonObject): Promise<Problem[]> {
  const { quotas, defaults } = await limits(snapshot.release.namespace);
  return quotas.filter(countsOurs).flatMap((quota) => judgeQuota(quota, snapshot, podSpec, defaults) ?? []);
}

/** Pods that serve have no end. Whether a quota with other scopes counts them depends on what is not known here. */
function countsOurs({ spec }: ResourceQuota): boolean {
  return (
    spec?.scopeSelector === undefined && (spec?.scopes ?? []).every((scope) => scope === 'NotTerminating')
  );
}

function judgeQuota(
  { metadata, status }: ResourceQuota,
  snapshot: Snapshot,
  podSpec: JsonObject,
  defaults: readonly ContainerDefaults[],
): Problem | undefined {
  const roles = rolesOf(snapshot);
  const color = roles.active === undefined ? 'blue' : otherColor(roles.active.facts.color);
  const size = candidateSize(snapshot, roles, color);
  // What stands on the candidate's side makes room for it.
  const added = Math.max(0, size - (snapshot.sides[color].deployment?.pods ?? 0));
  const counted = Object.entries(status?.hard ?? {}).flatMap(([resource, hard]) => {
    const demand = demandOf(resource, podSpec, defaults);
    const left = (parseQuantity(hard) ?? 0) - (parseQuantity(status?.used?.[resource]) ?? 0);
    return demand === undefined ? [] : [{ resource, left, needed: demand.perPod * added, ...demand }];
  });
  const silent = counted.find(({ unstated }) => unstated !== undefined);
  if (silent !== undefined && size > 0)
    return {
      reason: 'QuotaNeedsValue',
      message: `ResourceQuota "${metadata.name}" counts ${silent.resource}, and container "${silent.unstated}" of ${workloadInWords(snapshot.release.spec)} states none: give it one, or the namespace a LimitRange`,
    };
  if (counted.every(({ left, needed }) => needed <= left)) return undefined;
  const needs = counted.filter(({ resource }) => resource !== 'pods' && resource !== 'count/pods');
  const short = counted.filter(({ left, needed }) => needed > left);
  const inAll = needs.map(({ resource, needed }) => inWords(resource, needed));
  const missing = short.map(({ resource, left }) => inWords(resource, Math.max(0, left)));
  return {
    reason: 'QuotaTooSmall',
    message: `the candidate needs ${[inWords('pods', added), ...inAll].join(', ')}; ResourceQuota "${metadata.name}" has ${missing.join(', ')} left: raise it, or lower spec.capacity.candidate`,
  };
}
