/** What must be so when the faults have ended and everything had its time: invariants 6, 8, 11 and 12. */
import { LABEL_REVISION } from '../../src/api/names.ts';
import { RELEASES } from '../../src/api/resource.ts';
import { COLORS, type Color } from '../../src/api/status.ts';
import {
  DEPLOYMENTS,
  type Deployment,
  HORIZONTAL_POD_AUTOSCALERS,
  type HorizontalPodAutoscaler,
} from '../../src/kube/types.ts';
import { SOURCE, versionNamed } from './content.ts';
import { checkBudgets } from './oracle/budgets.ts';
import { checkNoneLeft, checkNoneLost } from './oracle/config.ts';
import { checkGivenBack, checkNothingLeft } from './oracle/ejection.ts';
import { isTarget } from './oracle/sides.ts';
import { newestFirst, ownRevisions, type RevisionTruth, readRevision } from './oracle/truth.ts';
import { fail } from './oracle/view.ts';
import { previewsOf, RELEASE, type Scenario, SERVICE, siblingsOf } from './scenario.ts';
import type { Stage } from './stage.ts';
import { isGood, type Version } from './versions.ts';
import { imageOfColor, readyEndpoints, selectedColor } from './world.ts';

/** What people wish for in the end. */
export interface Wished {
  readonly version: Version;
  /** With the Secret beside it; see `wishedName`. */
  readonly name: string;
}

export interface Expected {
  readonly wished: Wished | undefined;
  readonly deleted: boolean;
  /** Writes since everything should have been done. */
  readonly lateWrites: number;
}

/** With the source goes what is stored on it. */
const BEYOND_GIVING_BACK = 'delete the source, which Git brings back';

export function checkRest(stage: Stage, { wished, deleted, lateWrites }: Expected): void {
  const { api } = stage.world;
  if (lateWrites > 0 && isResting(stage, wished?.version))
    fail(`at rest: ${lateWrites} writes although nothing happens`);
  if (readyEndpoints(api, SERVICE).length === 0 && somethingServes(stage))
    fail('at rest: production has no ready endpoint');
  if (deleted) {
    if (api.get(RELEASES, RELEASE) !== undefined)
      fail('at rest: the release that was deleted is still there');

    checkNoneLost(stage.world);
    if (stage.oracle.endedInOrder) checkEnded(stage);
    return;
  }
  checkServices(stage);
  checkLoser(stage);
  checkLocks(stage);
  if (['Idle', 'Committed'].includes(stage.status().phase ?? '')) checkBudgets(stage.world);
  checkWatched(stage);
  checkNoneLost(stage.world);
  checkNoneLeft(stage.world);
  checkWish(stage, wished);
}

/** Nobody else gives anything back, or removes it: where people took the finalizer away it may be left. */
function checkEnded({ world, happenings, oracle }: Stage): void {
  if (!happenings.counts.has(BEYOND_GIVING_BACK)) {
    checkGivenBack(world);
    checkNothingLeft(world, oracle.keptAtTheEnd);
  }
  checkNoneLeft(world);
}

/** Nothing is left to be written. What is watched is measured, and measurements are written down. */
export function isResting({ world, status }: Stage, wished: Version | undefined): boolean {
  const isWatched = ['Observing', 'Held'].includes(status().phase ?? '');
  return !isWatched && isDecided(wished, world.scenario);
}

/** All production Services are on one side, unless only people can put them there; a preview shows that, or the candidate. */
function checkServices(stage: Stage): void {
  const { world, status } = stage;
  const color = selectedColor(world.api);
  const { phase, message } = status();
  for (const name of isUnadopted(stage) ? [] : siblingsOf(world.scenario)) {
    const own = selectedColor(world.api, name);
    if (own !== color && !isForPeople(stage))
      fail(`at rest: ${name} selects ${own}, and ${SERVICE} ${color}: [${phase}] ${message}`);
  }
  for (const name of previewsOf(world.scenario)) {
    if (readyEndpoints(world.api, name).length === 0 && readyEndpoints(world.api, SERVICE).length > 0)
      fail(`at rest: the preview ${name} is dark: [${phase}] ${message}`);
  }
}

/**
 * A release that is created anew finds its Services on two sides: one of them would lose its pods by a guess. Or a Service
 * was pointed to pods that serve while none of the active side is ready, and would be dark there. Both are told of. But a
 * candidate that stands on the other side, with no Service on it, moves all of them with its switch: it goes on.
 */
function isForPeople(stage: Stage): boolean {
  const { api, scenario } = stage.world;
  const names = [SERVICE, ...siblingsOf(scenario)];
  const isOn = (name: string, color: Color): boolean => selectedColor(api, name) === color;
  const serves = (name: string): boolean => readyEndpoints(api, name).length > 0;
  const { conditions, revision } = stage.status();
  const reason = conditions?.find(({ type }) => type === 'Ready')?.reason;
  if (reason === 'ServicesDisagree')
    return revision === undefined && COLORS.every((color) => names.some((name) => isOn(name, color)));
  const isLeft = (name: string, home: Color): boolean => serves(name) && !serves(`${name}-${home}`);
  const everyIsRight = (home: Color): boolean =>
    names.every((name) => isOn(name, home) || isLeft(name, home));
  const [newest] = newestFirst(revisionsOf(stage));
  const isUnderWay = ({ image, facts: { color, outcome } }: RevisionTruth): boolean =>
    outcome === undefined &&
    imageOfColor(stage.world, color) === image &&
    !names.some((name) => isOn(name, color));
  const goesOn = newest !== undefined && isUnderWay(newest);
  return reason === 'SelectorAstray' && !goesOn && COLORS.some(everyIsRight);
}

/**
 * Nothing was ever proven, also of what is being adopted, and nothing that could be runs: a key that another writer put is
 * what people have until a pod of theirs is ready. Where what they wish for is good that is a violation of its own; see
 * `checkWish`.
 */
function isUnadopted(stage: Stage): boolean {
  const source = stage.world.api.get<Deployment>(DEPLOYMENTS, SOURCE);
  const isProven = revisionsOf(stage).some(({ facts }) => facts.validatedAt !== undefined);
  return !isProven && (source?.status?.readyReplicas ?? 0) === 0;
}

/** A gate that hangs, or pods that never come in time, are tried again for ever: nobody is at fault. */
function isDecided(version: Version | undefined, { spec }: Scenario): boolean {
  if (version === undefined || version.smoke === 'hang' || version.flaps !== undefined) return false;
  const patience = (spec.preparation?.deadlineSeconds ?? 600) * 1000;
  return version.diesAfterMs === undefined && version.startMs[1] + 20_000 < patience;
}

/**
 * A side that may carry the traffic has ready pods: a standby whose window is over may not. Once the release is gone nobody
 * is left to put anything back.
 */
function somethingServes({ world, oracle: { view } }: Stage): boolean {
  const selected = selectedColor(world.api);
  const services = [SERVICE, ...COLORS.filter(isEligible).map((color) => `${SERVICE}-${color}`)];
  return services.some((name) => readyEndpoints(world.api, name).length > 0);

  function isEligible(color: Color): boolean {
    return color === selected || isTarget(view, color);
  }
}

function revisionsOf({ world }: Stage): RevisionTruth[] {
  return ownRevisions(world.api).flatMap(readRevision);
}

/** With nothing under way the autoscaler of the active side has its own minimum. */
function checkLocks(stage: Stage): void {
  const { api, scenario } = stage.world;
  const least = scenario.spec.autoscaling?.spec.minReplicas as number | undefined;
  if (least === undefined || !['Idle', 'Committed'].includes(stage.status().phase ?? '')) return;
  const autoscaler = api.get<HorizontalPodAutoscaler>(
    HORIZONTAL_POD_AUTOSCALERS,
    `${RELEASE}-${selectedColor(api)}`,
  );
  const { minReplicas = least } = autoscaler?.spec ?? {};
  if (minReplicas !== least)
    fail(`at rest: the autoscaler of the active side has a minimum of ${minReplicas}, not ${least}`);
}

/** What is bad and watched is put back, or people are told why it cannot be. */
function checkWatched(stage: Stage): void {
  const { api, scenario } = stage.world;
  const { phase = '', conditions, revision } = stage.status();
  const color = selectedColor(api);
  if (!['Observing', 'Held'].includes(phase) || (color !== 'blue' && color !== 'green')) return;
  const serving = versionNamed(scenario, imageOfColor(stage.world, color));
  const told = conditions?.find(({ type }) => type === 'Ready')?.reason === 'RollbackImpossible';
  const watched = revisionsOf(stage).find(({ name }) => name === revision)?.frozen.observation?.checks ?? [];
  if (serving?.errors === 'many' && watched.length > 0 && !told)
    fail(`at rest: ${serving.image} answers with errors, is watched, and keeps the traffic`);
}

/** What was rejected, or never had the traffic, is kept at 0. */
function checkLoser(stage: Stage): void {
  const { api } = stage.world;
  const color = selectedColor(api);
  const other = color === 'blue' ? 'green' : color === 'green' ? 'blue' : undefined;
  const deployment = other && api.get<Deployment>(DEPLOYMENTS, `${RELEASE}-${other}`);
  const name = deployment?.metadata.labels?.[LABEL_REVISION];
  const outcome = revisionsOf(stage).find((each) => each.name === name)?.facts.outcome?.kind;
  // Of a Service that lost its key they are all that serves: people are told.
  if (isForPeople(stage)) return;
  if (outcome !== undefined && outcome !== 'Committed' && deployment?.spec.replicas !== 0)
    fail(`at rest: ${name} on ${other} is ${outcome}, and has ${deployment?.spec.replicas} pods`);
}

/** What people wish for serves, unless something speaks against it. */
function checkWish(stage: Stage, wished: Wished | undefined): void {
  if (wished === undefined || !isGood(wished.version) || isForPeople(stage)) return;
  const { api, scenario } = stage.world;
  const { name, version } = wished;
  const { phase, message, conditions } = stage.status();
  const ready = conditions?.find(({ type }) => type === 'Ready');
  const color = selectedColor(api);
  const serving = color === 'blue' || color === 'green' ? imageOfColor(stage.world, color) : 'the source';
  if (serving === name) {
    // An order whose target does not become ready waits until people take it back.
    if (ready?.status !== 'True' && ready?.reason !== 'Requested')
      fail(`at rest: ${name} serves, and Ready is ${ready?.status}: ${message}`);
    return;
  }
  const rejected = revisionsOf(stage).some(
    ({ image, facts }) => image === name && facts.rejected !== undefined,
  );
  // An active side that was edited is theirs to mend as well.
  if (rejected || !isDecided(version, scenario) || ready?.reason === 'ActiveEdited') return;
  fail(`at rest: ${name} is wished for, good and not rejected, and ${serving} serves: [${phase}] ${message}`);
}
