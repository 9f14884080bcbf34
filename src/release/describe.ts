/** An effect in a few words, for the decision log. */
import { budgetInWords } from './budgets.ts';
import type { Effect } from './plan.ts';

export function describe(effect: Effect): string {
  switch (effect.kind) {
    case 'AddFinalizer':
    case 'RemoveFinalizer':
      return effect.kind;
    case 'CreateRevision':
      return `CreateRevision ${effect.revision} from ${effect.from}`;
    case 'RecordFacts':
      return `RecordFacts ${effect.revision}${effect.facts.outcome ? ` ${effect.facts.outcome.kind}` : ''}`;
    case 'DeleteRevision':
      return `DeleteRevision ${effect.revision}`;
    case 'WriteCopy':
      return `WriteCopy ${effect.color} ${effect.configMap} of ${effect.revision}`;
    case 'RemoveCopy':
      return `RemoveCopy ${effect.name}`;
    case 'ClaimService':
    case 'ReleaseService':
      return `${effect.kind} ${effect.service}`;
    case 'HoldSource':
      return effect.autoscaler === undefined
        ? 'HoldSource'
        : `HoldSource, storing autoscaler ${effect.autoscaler}`;
    case 'ClaimSource':
    case 'ReleaseSource':
      return effect.kind;
    case 'ScaleSource':
      return `ScaleSource ${effect.from} -> ${effect.to}`;
    case 'RemoveAutoscaler':
      return `RemoveAutoscaler ${effect.name}`;
    case 'WriteTwin':
    case 'RemoveTwin':
      return `${effect.kind} ${effect.service}-${effect.color}`;
    case 'WriteColor':
      return `WriteColor ${effect.color} ${effect.revision}, ${effect.replicas} replicas`;
    case 'ScaleColor':
      return `ScaleColor ${effect.color} ${effect.from} -> ${effect.to}`;
    case 'RecyclePods':
      return `RecyclePods ${effect.color}: ${effect.pods.map(({ name }) => name).join(', ')}`;
    case 'WriteAutoscaler':
      return `WriteAutoscaler ${effect.color}, minReplicas ${effect.minReplicas}`;
    case 'ClaimPaired':
    case 'ReleasePaired':
      return `${effect.kind} ${effect.object} ${effect.name}`;
    case 'LockAutoscaler':
      return `LockAutoscaler ${effect.name}, minReplicas ${effect.from} -> ${effect.to}`;
    case 'WriteBudget':
      return `WriteBudget ${effect.color}, ${budgetInWords(effect.asks)}`;
    case 'RemoveBudget':
    case 'DeleteColor':
    case 'LabelColor':
      return `${effect.kind} ${effect.color}`;
    case 'PatchSelector':
      return `PatchSelector ${effect.service} -> ${effect.color ?? 'source'}`;
    case 'PointPreview':
      return `PointPreview ${effect.service} -> ${effect.color}`;
    case 'HandBack':
      return `HandBack ${effect.service} -> ${effect.hash === undefined ? 'as before the adoption' : `source (${effect.hash})`}`;
    case 'ClaimEndpoint':
    case 'ReleaseEndpoint':
      return `${effect.kind} ${effect.configMap}`;
    case 'Publish':
      return `Publish ${effect.configMap} -> ${effect.color}`;
    case 'ReleaseSecret':
      return `ReleaseSecret ${effect.secret}`;
    case 'PublishSecret':
      return `PublishSecret ${effect.secret} -> ${effect.color}`;
    case 'RestartConsumer':
      return `RestartConsumer ${effect.consumer} ${effect.name}`;
    case 'CreateJob':
      return `CreateJob ${effect.gate} for ${effect.revision}`;
    default:
      return effect satisfies never;
  }
}
