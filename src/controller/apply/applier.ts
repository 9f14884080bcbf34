/** What applies an effect. */
import type { KubeClient } from '../../kube/ports.ts';
import type { Effect, EffectKind } from '../../release/plan.ts';
import type { WorkloadContent } from '../../workload/content.ts';
import type { Cache } from '../cache.ts';
import type { Scene } from '../observe.ts';

export interface Applier {
  readonly client: KubeClient;
  readonly cache: Cache;
  /** What the API server makes of a content of this fingerprint, where it was asked a moment ago. */
  readonly takeStored?: (fingerprint: string) => WorkloadContent | undefined;
}

export type Of<K extends EffectKind> = Extract<Effect, { kind: K }>;
export type Apply<K extends EffectKind> = (applier: Applier, scene: Scene, effect: Of<K>) => Promise<void>;
export type Appliers<K extends EffectKind> = { readonly [Each in K]: Apply<Each> };
