/** Services: where traffic goes, whose they are, and the twins that show the sides. */
import {
  ANNOTATION_CLAIM,
  ANNOTATION_SWITCH,
  colorName,
  LABEL_POD_TEMPLATE_HASH,
  LABEL_RELEASE,
  twinName,
} from '../../api/names.ts';
import { COLORS } from '../../api/status.ts';
import type { CallOptions, JsonPatchOperation, Urgency } from '../../kube/ports.ts';
import { DEPLOYMENTS, SERVICES, type Service } from '../../kube/types.ts';
import { parseMark, type SwitchMark } from '../../release/mark.ts';
import { renderTwin } from '../../workload/render.ts';
import type { Scene } from '../observe.ts';
import { SWITCH_ANNOTATIONS, switchAnnotations, toldOf } from '../switch-mark.ts';
import type { Applier, Appliers, Apply, Of } from './applier.ts';
import { StaleError } from './errors.ts';
import { assertHeld, assertInForce, assertUncommitted } from './in-force.ts';
import { serviceOf } from './present.ts';
import { assertNotHandedBack, assertStands } from './standing.ts';
import { create, patch, pointer, remove, removeMembers, setMembers, test, testMark } from './writes.ts';

export const patchService = (
  applier: Applier,
  scene: Scene,
  name: string,
  operations: JsonPatchOperation[],
  options?: CallOptions,
): Promise<void> => patch(applier, applier.cache.services, SERVICES, scene, name, operations, options);

/** A Service that became dual stack has twins that do: a pod counts only where every family has it. */
function familiesOf({ spec: { ipFamilies, ipFamilyPolicy } }: Service): JsonPatchOperation[] {
  if (ipFamilies === undefined || ipFamilyPolicy === undefined) return [];
  return [
    { op: 'add', path: '/spec/ipFamilyPolicy', value: ipFamilyPolicy },
    { op: 'add', path: '/spec/ipFamilies', value: ipFamilies },
  ];
}

/** A preview must not keep the release waiting that it shows. */
const PREVIEW_DEADLINE_MS = 2000;

/**
 * A Service with neither mark nor claim may be one that the release gave back when it went, of which this process has not
 * heard yet: put to a side that has been deleted since, it would be dark, and nobody would put it back. One that has
 * either still is given back after this, or is not as it was seen.
 */
async function assertOurs(
  applier: Applier,
  scene: Scene,
  expectedMark: string | undefined,
  { metadata }: Service,
  urgency: Urgency = 'normal',
): Promise<void> {
  const isClaimed = metadata.annotations?.[ANNOTATION_CLAIM] === scene.release.uid;
  if (expectedMark === undefined && !isClaimed) await assertStands(applier, scene, { urgency });
}

/** Without the key the source serves again, which another process may have parked a moment ago, with the adoption done. */
function unvouched({ release }: Scene, effect: Of<'PatchSelector'>): SwitchMark | undefined {
  const { color, mark, expectedMark } = effect;
  if (color === undefined) return parseMark(expectedMark, release.uid);
  return expectedMark === undefined ? mark : undefined;
}

/** The production selector. Mark, time and reason travel in the same patch: no crash can separate them. */
const patchSelector: Apply<'PatchSelector'> = async (applier, scene, effect) => {
  const label = scene.release.spec.traffic.selectorLabel;
  const service = serviceOf(scene, effect.service);
  const annotations = service.metadata.annotations;
  const path = `/spec/selector/${pointer(label)}`;
  const urgency = effect.rescue ? 'rescue' : 'normal';
  await Promise.all([
    assertOurs(applier, scene, effect.expectedMark, service, urgency),
    assertInForce(applier, scene, unvouched(scene, effect), urgency),
    assertUncommitted(applier, scene, effect, urgency),
    assertHeld(applier, scene, effect, urgency),
    effect.from[LABEL_POD_TEMPLATE_HASH] === undefined
      ? undefined
      : assertNotHandedBack(applier, scene, urgency),
  ]);
  const marks = effect.mark && switchAnnotations({ ...effect, mark: effect.mark });
  const operations: JsonPatchOperation[] = [
    test('/metadata/uid', effect.uid),
    test('/spec/selector', effect.from),
    testMark(effect.expectedMark, service.metadata),
    ...(effect.color === undefined
      ? removeMembers('/spec/selector', service.spec.selector, [label])
      : [
          { op: 'add' as const, path, value: effect.color },
          // Of an ejection that did not end: no pod of a colour has it, and nothing would be selected.
          ...removeMembers('/spec/selector', service.spec.selector, [LABEL_POD_TEMPLATE_HASH]),
        ]),
    ...(marks === undefined
      ? removeMembers('/metadata/annotations', annotations, SWITCH_ANNOTATIONS)
      : setMembers('/metadata/annotations', annotations, marks)),
  ];
  return patchService(applier, scene, effect.service, operations, { urgency });
};

/**
 * A Service names pods of the source until the colours are gone. Where another process has come so far it may have let go
 * of the Service already, and where people have ended the release by force nobody will: that would not be taken away again.
 */
async function assertEndable(applier: Applier, scene: Scene): Promise<void> {
  const { namespace, name } = scene.release;
  const standing = COLORS.map((color) =>
    applier.client.get(DEPLOYMENTS, { namespace, name: colorName(name, color) }),
  );
  const [colors] = await Promise.all([Promise.all(standing), assertStands(applier, scene)]);
  if (colors.every((color) => color === undefined))
    throw new StaleError('no colour is left that the source would take over from');
}

/** Without the mark: what the source runs is no switch of this release. When it was done says when it has drained. */
const handBack: Apply<'HandBack'> = async (applier, scene, effect) => {
  const {
    [LABEL_POD_TEMPLATE_HASH]: _,
    [scene.release.spec.traffic.selectorLabel]: __,
    ...rest
  } = effect.from;
  const service = serviceOf(scene, effect.service);
  const { metadata } = service;
  await Promise.all([
    assertOurs(applier, scene, effect.expectedMark, service),
    effect.hash === undefined ? undefined : assertEndable(applier, scene),
  ]);
  const path = '/metadata/annotations';
  return patchService(applier, scene, effect.service, [
    test('/metadata/uid', effect.uid),
    test('/spec/selector', effect.from),
    testMark(effect.expectedMark, metadata),
    {
      op: 'add',
      path: '/spec/selector',
      value: { ...rest, ...(effect.hash !== undefined && { [LABEL_POD_TEMPLATE_HASH]: effect.hash }) },
    },
    ...removeMembers(path, metadata.annotations, [ANNOTATION_SWITCH]),
    ...setMembers(path, metadata.annotations, toldOf(effect)),
  ]);
};

export const serviceAppliers: Appliers<
  | 'ClaimService'
  | 'ReleaseService'
  | 'PatchSelector'
  | 'HandBack'
  | 'PointPreview'
  | 'WriteTwin'
  | 'RemoveTwin'
> = {
  ClaimService: async (applier, scene, { service, uid, resourceVersion }) => {
    await assertStands(applier, scene);
    const { labels, annotations } = serviceOf(scene, service).metadata;
    return patchService(applier, scene, service, [
      test('/metadata/uid', uid),
      test('/metadata/resourceVersion', resourceVersion),
      ...setMembers('/metadata/labels', labels, { [LABEL_RELEASE]: scene.release.name }),
      ...setMembers('/metadata/annotations', annotations, { [ANNOTATION_CLAIM]: scene.release.uid }),
    ]);
  },
  ReleaseService: (applier, scene, { service, uid, resourceVersion, color }) => {
    const { labels, annotations } = serviceOf(scene, service).metadata;
    const path = `/spec/selector/${pointer(scene.release.spec.traffic.selectorLabel)}`;
    const pointed =
      color === 'None' ? { op: 'remove' as const, path } : { op: 'add' as const, path, value: color };
    return patchService(applier, scene, service, [
      test('/metadata/uid', uid),
      test('/metadata/resourceVersion', resourceVersion),
      ...(color === undefined ? [] : [pointed]),
      ...removeMembers('/metadata/labels', labels, [LABEL_RELEASE]),
      ...removeMembers('/metadata/annotations', annotations, [ANNOTATION_CLAIM, ...SWITCH_ANNOTATIONS]),
    ]);
  },
  PatchSelector: patchSelector,
  HandBack: handBack,
  PointPreview: async (applier, scene, { service, uid, resourceVersion, color }) => {
    const preview = serviceOf(scene, service);
    await assertOurs(applier, scene, undefined, preview);
    const { labels, annotations } = preview.metadata;
    const path = `/spec/selector/${pointer(scene.release.spec.traffic.selectorLabel)}`;
    const operations: JsonPatchOperation[] = [
      test('/metadata/uid', uid),
      test('/metadata/resourceVersion', resourceVersion),
      ...setMembers('/metadata/labels', labels, { [LABEL_RELEASE]: scene.release.name }),
      ...setMembers('/metadata/annotations', annotations, { [ANNOTATION_CLAIM]: scene.release.uid }),
      // Those of a time when it was a production Service.
      ...removeMembers('/metadata/annotations', annotations, SWITCH_ANNOTATIONS),
      { op: 'add', path, value: color },
    ];
    return patchService(applier, scene, service, operations, { deadlineMs: PREVIEW_DEADLINE_MS });
  },
  WriteTwin: async (applier, scene, { service, color }) => {
    const body = renderTwin(scene.release, serviceOf(scene, service), color);
    const { services } = applier.cache;
    const known = services.get({ namespace: scene.release.namespace, name: twinName(service, color) });
    if (known === undefined) return create<Service>(applier, services, SERVICES, scene, body);
    await patchService(applier, scene, body.metadata.name, [
      test('/metadata/uid', known.metadata.uid),
      { op: 'add', path: '/spec/selector', value: body.spec.selector },
      { op: 'add', path: '/spec/ports', value: body.spec.ports },
      ...familiesOf(body),
    ]);
  },
  RemoveTwin: async (applier, scene, { service, color }) => {
    const name = twinName(service, color);
    const { services } = applier.cache;
    const uid = services.get({ namespace: scene.release.namespace, name })?.metadata.uid;
    if (uid !== undefined) await remove(applier, services, SERVICES, scene, name, uid);
  },
};
