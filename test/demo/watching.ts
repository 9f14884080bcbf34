/** Fills the scene: watches of the release, the Deployments and the Service, all from outside the operator. */
import { LABEL_COLOR, LABEL_REVISION } from '../../src/api/names.ts';
import { COLORS } from '../../src/api/status.ts';
import { parseMark, type Switch } from '../support/audit.ts';
import { type Following, watch } from '../support/follow.ts';
import { SHOP } from '../support/shop.ts';
import type { Target } from '../support/target.ts';
import type { Scene, SideName } from './scene.ts';

export interface Watching extends Following {
  /** Each change of the Service's selector, with the time when this process heard of it. */
  readonly switches: readonly Switch[];
}

const nameOf: Readonly<Record<string, SideName>> = {
  [SHOP]: 'source',
  ...Object.fromEntries(COLORS.map((color) => [`${SHOP}-${color}`, color])),
};

export function watchScene(
  target: Target,
  namespace: string,
  scene: Scene,
  tell: (kind: 'phase' | 'traffic', text: string) => void,
): Watching {
  const switches: Switch[] = [];
  const all = [
    watch(target, ['deployments', '-n', namespace], (deployment) => noteDeployment(scene, deployment)),
    watch(target, ['services', SHOP, '-n', namespace], (service) => {
      noteService(scene, service, switches, tell);
    }),
  ];
  return {
    switches,
    stop: () => {
      for (const each of all) each.stop();
    },
  };
}

/** A watch of its own: its resource exists only once the operator is installed. */
export function watchRelease(
  target: Target,
  namespace: string,
  scene: Scene,
  tell: (kind: 'phase' | 'traffic', text: string) => void,
): Following {
  return watch(target, ['bluegreenreleases', SHOP, '-n', namespace], (release) => {
    const before = scene.release;
    scene.release = release.status ?? {};
    const { phase = '', message = '' } = scene.release;
    if (phase !== before.phase || message !== before.message) tell('phase', `${phase}: ${message}`);
  });
}

function noteDeployment(scene: Scene, { metadata, spec, status }: any): void {
  const name = nameOf[metadata.name];
  if (name === undefined) return;
  const { env = [] } = spec.template.spec.containers[0] ?? {};
  const version: string = env.find((each: { name: string }) => each.name === 'VERSION')?.value ?? '?';
  if (name !== 'source') scene.colorOf[version] = name;
  scene.sides[name] = {
    version,
    revision: spec.template.metadata.labels?.[LABEL_REVISION],
    ready: status.readyReplicas ?? 0,
    desired: spec.replicas ?? 0,
  };
}

function noteService(
  scene: Scene,
  { metadata, spec }: any,
  switches: Switch[],
  tell: (kind: 'traffic', text: string) => void,
): void {
  const color = spec.selector?.[LABEL_COLOR];
  const selected = COLORS.find((each) => each === color) ?? 'source';
  if (selected === scene.selected) return;
  const isFirst = scene.selected === undefined;
  scene.selected = selected;
  if (isFirst) return;
  const at = Date.now();
  const decided = Date.parse(metadata.annotations?.['bluegreen.dev/switched-at'] ?? '');
  const mark = parseMark(metadata.annotations?.['bluegreen.dev/switch']);
  switches.push({ decidedAt: Number.isNaN(decided) ? at : decided, patchedAt: at, color, mark, user: '' });
  const version = scene.sides[selected]?.version;
  const back = mark?.direction === 'Back' ? ' back' : '';
  tell(
    'traffic',
    `the Service now points${back} to ${selected}${version === undefined ? '' : `, which runs ${version}`}`,
  );
}
