/**
 * What runs, in one name: an image, what the ConfigMap says that its pods read, and which Secret was named for them. And
 * how people say what they wish for: in a Deployment of theirs or in the release, and in a ConfigMap beside it.
 */
import { ANNOTATION_CONFIG, LABEL_CONFIG } from '../../src/api/names.ts';
import { type BlueGreenReleaseObject, RELEASES } from '../../src/api/resource.ts';
import type { ReleaseSpecInput } from '../../src/api/schema.ts';
import type { KubeObject, ResourceType } from '../../src/kube/ports.ts';
import {
  CONFIG_MAPS,
  type ConfigMap,
  DEPLOYMENTS,
  type Deployment,
  type PodTemplate,
  SECRETS,
} from '../../src/kube/types.ts';
import type { Api } from './cluster/api.ts';
import { KEYS, RELEASE, type Scenario, SETTINGS } from './scenario.ts';
import { contentName, type Version, WITH } from './versions.ts';

/** The Deployment that people edit, and its autoscaler. */
export const SOURCE = 'checkout';
const SECRET = ' and ';

interface Place {
  readonly api: Api;
  readonly scenario: Scenario;
}

function partsOf(name: string): { image: string; settings: string | undefined } {
  const [image = '', settings] = withoutSecret(name).split(WITH);
  return { image, settings };
}

export const imageIn = (name: string): string => partsOf(name).image;

function withSecret(name: string, secrets: Readonly<Record<string, string>> | undefined): string {
  const named = secrets?.[KEYS];
  return named === undefined ? name : `${name}${SECRET}${named}`;
}

/** Pods do not show which Secret they have read. */
export const withoutSecret = (name: string): string => name.split(SECRET)[0] ?? '';

export function versionNamed({ versions }: Scenario, name: string): Version | undefined {
  const own = withoutSecret(name);
  return versions.find(({ image }) => image === own);
}

/** The ConfigMap that a container reads. */
export function readBy(spec: { readonly containers?: unknown }): string | undefined {
  return containerOf(spec)?.envFrom?.[0]?.configMapRef.name;
}

interface Container {
  readonly image?: string;
  readonly envFrom?: readonly { readonly configMapRef: { readonly name: string } }[];
}

function containerOf({ containers }: { readonly containers?: unknown }): Container | undefined {
  return ((containers ?? []) as Container[])[0];
}

/** `held`: what a ConfigMap says. */
function nameOf(template: PodTemplate, held: (configMap: string) => string | undefined): string {
  const reads = readBy(template.spec);
  const image = containerOf(template.spec)?.image ?? '';
  return contentName(image, reads === undefined ? undefined : (held(reads) ?? 'nothing'));
}

/** What a ControllerRevision holds. */
export function nameOfRevision(data: {
  content: { template: PodTemplate; config?: { secrets?: Record<string, string> } };
  configMaps?: Record<string, { data?: Record<string, string> }>;
}): string {
  const name = nameOf(data.content.template, (configMap) => data.configMaps?.[configMap]?.data?.app);
  return withSecret(name, data.content.config?.secrets);
}

/** What each ConfigMap says, or said at last. */
export type Settings = ReadonlyMap<string, string>;

export function followSettings(api: Api): Settings {
  const settings = new Map<string, string>();
  api.onChange(({ type, object }) => {
    if (type === CONFIG_MAPS) settings.set(object.metadata.name, (object as ConfigMap).data?.app ?? '');
  });
  return settings;
}

/** Of a colour: its pods and the Secret that was named for them. */
export function nameOfDeployment(settings: Settings, { metadata, spec }: Deployment): string {
  const stated = metadata.annotations?.[ANNOTATION_CONFIG];
  const name = nameOf(spec.template, (configMap) => settings.get(configMap));
  return withSecret(name, stated === undefined ? undefined : JSON.parse(stated).secrets);
}

export function templateOf(name: string): Deployment['spec']['template'] {
  const { image, settings } = partsOf(name);
  const reads = settings === undefined ? {} : { envFrom: [{ configMapRef: { name: SETTINGS } }] };
  return {
    metadata: { labels: { app: 'checkout' } },
    spec: { containers: [{ name: 'app', image, ...reads }] },
  };
}

/** What people wish for when they wish for this version: the Secret is what it is by now. */
export function wishedName({ api, scenario: { spec, versions } }: Place, index: number): string {
  const name = versions[index]?.image ?? '';
  const { metadata } = api.get(SECRETS, KEYS) ?? {};
  if (metadata === undefined || (spec.config?.secrets ?? []).length === 0) return name;
  return withSecret(name, { [KEYS]: `${metadata.uid}/${metadata.resourceVersion}` });
}

export function workloadSaying({ spec, replicas }: Scenario, name: string): ReleaseSpecInput['workload'] {
  if (spec.workload.deployment === undefined) return spec.workload;
  return { deployment: { spec: { replicas, template: templateOf(name) as never } } };
}

/** Where people say it; where that is gone, nobody hears of it. */
export function sayWish({ api, scenario }: Place, name: string): void {
  const { settings } = partsOf(name);
  if (settings !== undefined)
    api.update<ConfigMap>(CONFIG_MAPS, SETTINGS, (object) => ({ ...object, data: { app: settings } }));
  if (isInline(scenario))
    api.update<BlueGreenReleaseObject>(RELEASES, RELEASE, (object) => ({
      ...object,
      spec: { ...(object.spec as object), workload: workloadSaying(scenario, name) },
    }));
  else
    api.update<Deployment>(DEPLOYMENTS, SOURCE, (object) => ({
      ...object,
      spec: { ...object.spec, template: templateOf(name) },
    }));
}

export const isInline = ({ spec }: Scenario): boolean => spec.workload.deployment !== undefined;

/** Everything stands there in which people say what they wish for. */
export function isWishSaid({ api, scenario }: Place): boolean {
  const { configMaps = [], secrets = [] } = scenario.spec.config ?? {};
  const isThere = (type: ResourceType, all: readonly { readonly name: string }[]): boolean =>
    all.every(({ name }) => api.get(type, name) !== undefined);
  const isConfigThere = isThere(CONFIG_MAPS, configMaps) && isThere(SECRETS, secrets);
  return isConfigThere && (isInline(scenario) || api.get(DEPLOYMENTS, SOURCE) !== undefined);
}

/** As it stands in Git; nothing where it exists. */
export function createSettings({ api, scenario: { spec } }: Place, name: string): void {
  const { settings } = partsOf(name);
  if (spec.config === undefined || settings === undefined || api.get(CONFIG_MAPS, SETTINGS) !== undefined)
    return;
  api.create<ConfigMap>(CONFIG_MAPS, { metadata: named(SETTINGS), data: { app: settings } });
}

export function createKeys({ api, scenario: { spec } }: Place): void {
  if ((spec.config?.secrets ?? []).length === 0 || api.get(SECRETS, KEYS) !== undefined) return;
  api.create<KubeObject & { data: object }>(SECRETS, { metadata: named(KEYS), data: { key: '0' } });
}

const named = (name: string): KubeObject['metadata'] => ({ name, labels: { [LABEL_CONFIG]: 'true' } });
