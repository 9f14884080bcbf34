/**
 * What an operator of some version left in the cluster in the middle of a release: written to a file once for each
 * version, and put into a new namespace for a later one to find.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { parse, stringify } from 'yaml';
import { RELEASES } from '../../../src/api/resource.ts';
import type { ResourceType } from '../../../src/kube/ports.ts';
import {
  CONTROLLER_REVISIONS,
  DEPLOYMENTS,
  HORIZONTAL_POD_AUTOSCALERS,
  JOBS,
  SERVICES,
} from '../../../src/kube/types.ts';
import { eventually } from '../../support/eventually.ts';
import { SHOP, type Shop } from './shop.ts';

/** In the order in which they are put back; the release comes before, since others name its uid. */
const KINDS: Readonly<Record<string, ResourceType>> = {
  controllerRevisions: CONTROLLER_REVISIONS,
  deployments: DEPLOYMENTS,
  services: SERVICES,
  autoscalers: HORIZONTAL_POD_AUTOSCALERS,
  jobs: JOBS,
};

interface Found {
  /** When it was so. Times in the objects are moved on by what has passed since. */
  readonly at: string;
  readonly release: any;
  readonly [kind: string]: any;
}

const UID = '00000000-0000-0000-0000-000000000000';
const NAMESPACE = 'the-namespace';
/** As text, and in facts as milliseconds. */
const TIME = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z|\b1[789]\d{11}\b/g;

export async function record(shop: Shop, file: string): Promise<void> {
  const release = await shop.read();
  const found: Record<string, unknown> = { at: new Date().toISOString(), release: bare(release) };
  for (const [kind, type] of Object.entries(KINDS))
    found[kind] = (await shop.list(type)).sort(byName).map(bare).map(withoutServersOwn);
  const text = stringify(found, { lineWidth: 0, aliasDuplicateObjects: false });
  writeFileSync(file, text.replaceAll(release.metadata.uid, UID).replaceAll(shop.namespace, NAMESPACE));
}

/** Into an empty namespace. Resolves when its pods are ready. */
export async function restore(shop: Shop, file: string): Promise<void> {
  const { at, release } = parse(readFileSync(file, 'utf8')) as Found;
  const passed = Date.now() - Date.parse(at);
  const { uid } = (await shop.create(RELEASES, release)).metadata;
  const text = readFileSync(file, 'utf8').replaceAll(UID, uid).replaceAll(NAMESPACE, shop.namespace);
  const found = parse(text.replace(TIME, (time) => moved(time, passed))) as Found;
  for (const [kind, type] of Object.entries(KINDS))
    for (const object of found[kind] ?? []) await shop.create(type, unpaused(object));
  await shop.patch(RELEASES, SHOP, { status: found.release.status }, 'status');
  await eventually(`the pods in ${shop.namespace} to be ready`, 90_000, async () => {
    const deployments = await shop.list(DEPLOYMENTS);
    const isReady = ({ spec, status }: any) => (status?.readyReplicas ?? 0) === spec.replicas;
    return deployments.every(isReady) || undefined;
  });
  for (const { metadata, spec } of found.deployments)
    if (spec.paused) await shop.patch(DEPLOYMENTS, metadata.name, { spec: { paused: true } });
}

/** A Deployment that was held had its pods before. */
function unpaused(object: any): any {
  return object.spec?.paused ? { ...object, spec: { ...object.spec, paused: false } } : object;
}

/** A time in its own notation. */
function moved(time: string, byMs: number): string {
  if (!time.endsWith('Z')) return String(Number(time) + byMs);
  const digits = /\.(\d+)Z$/.exec(time)?.[1]?.length ?? 0;
  const [whole = '', fraction = ''] = new Date(Date.parse(time) + byMs).toISOString().slice(0, -1).split('.');
  return digits === 0 ? `${whole}Z` : `${whole}.${fraction.padEnd(digits, '0')}Z`;
}

const byName = (a: any, b: any): number => (a.metadata.name < b.metadata.name ? -1 : 1);

/** Without what only the server that it was on could know. */
function bare({ apiVersion, kind, metadata, ...rest }: any): any {
  const { name, labels, annotations, finalizers, ownerReferences } = metadata;
  const kept = { name, labels, annotations, finalizers, ownerReferences };
  return { apiVersion, kind, metadata: kept, ...rest };
}

/** Addresses and the like, which a new object gets anew; and what controllers will say of it. */
function withoutServersOwn(object: any): any {
  const { status: _, ...rest } = structuredClone(object);
  for (const member of ['clusterIP', 'clusterIPs', 'ipFamilies', 'ipFamilyPolicy'])
    delete rest.spec?.[member];
  if (object.kind !== 'Job') return rest;
  delete rest.spec.selector;
  for (const { labels } of [rest.metadata, rest.spec.template.metadata])
    for (const label of Object.keys(labels ?? {}))
      if (/(controller-uid|job-name)$/.test(label)) delete labels[label];
  return rest;
}
