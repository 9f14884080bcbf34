/** Why something is done although nobody wishes for anything else: what was not as it should be, in a clause. */
import { budgetInWords } from './budgets.ts';
import type { Effect, EffectKind } from './plan.ts';

type Words = { [Kind in EffectKind]?: (effect: Extract<Effect, { kind: Kind }>) => string };

const WORDS: Words = {
  ScaleSource: ({ by = 'another writer' }) =>
    `the source was scaled up or paused by ${by} and gets no traffic: back to 0`,
  ScaleColor: ({ color, to }) =>
    to === 0
      ? `${color} is no longer needed: no pods`
      : `${color} is to have ${to} ${to === 1 ? 'pod' : 'pods'}`,
  RecyclePods: ({ color }) => `pods of ${color} are replaced, so that connections made before the switch end`,
  WriteColor: ({ color, revision }) => `${color} is to hold revision ${revision}`,
  LabelColor: ({ color }) =>
    `the Deployment of ${color} is to carry the labels and annotations that are stated`,
  WriteAutoscaler: ({ color, minReplicas }) =>
    `the autoscaler of ${color} is to keep at least ${minReplicas} pods`,
  LockAutoscaler: ({ name, to, own }) =>
    to === own
      ? `autoscaler "${name}" gets its own minReplicas back`
      : `autoscaler "${name}" is to keep at least ${to} pods`,
  ClaimPaired: ({ object, name }) => `${object} "${name}" lacks our label`,
  ReleasePaired: ({ object, name }) => `${object} "${name}" is in the spec no more`,
  RemoveAutoscaler: ({ name }) => `autoscaler "${name}" is in nobody's spec`,
  WriteBudget: ({ color, asks }) => `the disruption budget of ${color} is to ask for ${budgetInWords(asks)}`,
  RemoveBudget: ({ color }) => `${color} is to have no disruption budget`,
  ClaimService: ({ service }) => `Service "${service}" lost our label or claim`,
  WriteTwin: ({ service, color }) => `Service "${service}-${color}" is not as it should be`,
  RemoveTwin: ({ service }) => `Service "${service}" is in the spec no more`,
  ReleaseService: ({ service }) => `Service "${service}" is in the spec no more`,
  PatchSelector: ({ service, color }) => `Service "${service}" joins the others on ${color}`,
  PointPreview: ({ service, color }) => `Service "${service}" is to show ${color}`,
  ClaimEndpoint: ({ configMap }) => `ConfigMap "${configMap}" is not there, or lost our label`,
  RestartConsumer: ({ consumer, name }) => `${consumer} "${name}" is to run with what is published`,
  WriteCopy: ({ color, configMap }) => `${color} lacks its copy of ConfigMap "${configMap}"`,
  RemoveCopy: ({ name }) => `ConfigMap "${name}" is a copy that no revision needs`,
  DeleteRevision: ({ revision }) => `revision ${revision} is beyond historyLimit`,
};

/** Each clause once, in the order of the effects; empty where there is nothing to say. */
export function tidying(effects: readonly Effect[]): string {
  const clauses = effects.map((effect) => {
    const words = WORDS[effect.kind] as ((effect: Effect) => string) | undefined;
    return words?.(effect);
  });
  return [...new Set(clauses.filter((clause) => clause !== undefined))].join('; ');
}

/** Nothing is added where nothing is tidied. */
export function withTidying(message: string, effects: readonly Effect[]): string {
  const done = tidying(effects);
  return done === '' ? message : `${message}; ${done}`;
}
