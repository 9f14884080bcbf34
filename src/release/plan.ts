/**
 * A plan is data: it can be printed before it happens, replayed in a test, and explained a week later.
 *
 * Each effect is idempotent and names its precondition; the applier refuses one whose precondition does not hold.
 */
import type { BudgetSpec, CheckSpec, PodMetricsSpec, WarmUpSpec } from '../api/schema.ts';
import type { Color, GateStatus, ReleaseStatus } from '../api/status.ts';
import type { WorkloadKind } from '../api/workload.ts';
import type { RevisionFacts } from './facts.ts';
import type { SwitchMark } from './mark.ts';

export type Effect =
  | { readonly kind: 'AddFinalizer' }
  | { readonly kind: 'RemoveFinalizer' }
  /** Freezes a revision. `from`: what people wish for, what really runs, or what a colour that was kept runs. */
  | {
      readonly kind: 'CreateRevision';
      readonly revision: string;
      readonly number: number;
      readonly from: 'source' | 'live' | Color;
      readonly fingerprint: string;
      readonly facts: RevisionFacts;
    }
  | {
      readonly kind: 'RecordFacts';
      readonly revision: string;
      readonly expected: string | undefined;
      readonly facts: RevisionFacts;
    }
  | { readonly kind: 'DeleteRevision'; readonly revision: string }
  /** A colour's copy of a ConfigMap, with what the revision holds of it. */
  | {
      readonly kind: 'WriteCopy';
      readonly color: Color;
      readonly revision: string;
      readonly configMap: string;
      readonly digest: string;
    }
  | { readonly kind: 'RemoveCopy'; readonly color: Color; readonly name: string; readonly uid: string }
  /** Makes a Service or the source ours to follow and to switch; refused when another writer was quicker. */
  | {
      readonly kind: 'ClaimService';
      readonly service: string;
      readonly uid: string;
      readonly resourceVersion: string;
    }
  /** Makes the source ours to follow, where another writer took our label away. */
  | { readonly kind: 'ClaimSource'; readonly uid: string }
  /**
   * Claims the source and pauses it in one write, so that nothing rolls while a colour of it is built; an autoscaler
   * is stored on it in the same write.
   */
  | {
      readonly kind: 'HoldSource';
      readonly uid: string;
      readonly resourceVersion: string;
      readonly autoscaler: string | undefined;
    }
  /** Sets the source's replicas, lets it run (unpaused) and notes the time, in one write. */
  | {
      readonly kind: 'ScaleSource';
      readonly uid: string;
      readonly from: number;
      readonly to: number;
      readonly at: number;
      /** Who had scaled it up, where somebody did. */
      readonly by?: string | undefined;
    }
  /** Gives the source back: unpaused, without our label. Its autoscaler is restored where no colour goes on serving. */
  | { readonly kind: 'ReleaseSource'; readonly uid: string; readonly serves: boolean }
  /** Takes back label, claim and mark; refused when another writer was quicker. `color`: the selector names the other side, and is to name this one. */
  | {
      readonly kind: 'ReleaseService';
      readonly service: string;
      readonly uid: string;
      readonly resourceVersion: string;
      /** Where it points to from now on; 'None': without our key. */
      readonly color?: Color | 'None';
    }
  | { readonly kind: 'RemoveAutoscaler'; readonly name: string; readonly uid: string }
  | { readonly kind: 'WriteTwin'; readonly service: string; readonly color: Color }
  | { readonly kind: 'RemoveTwin'; readonly service: string; readonly color: Color }
  /** A full write of a colour's Deployment; `uid` absent: it must not exist. */
  | {
      readonly kind: 'WriteColor';
      readonly color: Color;
      readonly revision: string;
      readonly replicas: number;
      readonly expected: { readonly uid: string; readonly resourceVersion: string } | undefined;
    }
  | {
      readonly kind: 'ScaleColor';
      readonly color: Color;
      readonly uid: string;
      readonly from: number;
      readonly to: number;
    }
  /** The labels and annotations that the release states for a colour's Deployment. */
  | {
      readonly kind: 'LabelColor';
      readonly color: Color;
      readonly uid: string;
      readonly resourceVersion: string;
    }
  /** Ends pods of a side without traffic, so that its ReplicaSet makes new ones. Refused when that side is selected. */
  | {
      readonly kind: 'RecyclePods';
      readonly color: Color;
      readonly pods: readonly { readonly name: string; readonly uid: string }[];
    }
  /** Labels what people wrote for a pair, so that it is watched; refused where it carries a release's label already. */
  | { readonly kind: 'ClaimPaired'; readonly object: PairedKind; readonly name: string; readonly uid: string }
  /** Takes our label back, and gives an autoscaler its own minimum. */
  | {
      readonly kind: 'ReleasePaired';
      readonly object: PairedKind;
      readonly name: string;
      readonly uid: string;
    }
  /** Sets the minimum of an autoscaler that people wrote. `own`: what it is without us, noted on it unless it is that. */
  | {
      readonly kind: 'LockAutoscaler';
      readonly color: Color;
      readonly name: string;
      readonly uid: string;
      readonly from: number;
      readonly to: number;
      readonly own: number;
      /** As it stood there: what somebody else noted since is not written over. */
      readonly note: string | undefined;
      readonly at: number;
    }
  | { readonly kind: 'WriteAutoscaler'; readonly color: Color; readonly minReplicas: number }
  | { readonly kind: 'WriteBudget'; readonly color: Color; readonly asks: BudgetSpec }
  | { readonly kind: 'RemoveBudget'; readonly color: Color; readonly uid: string }
  | { readonly kind: 'DeleteColor'; readonly color: Color; readonly uid: string }
  | {
      readonly kind: 'PatchSelector';
      readonly service: string;
      readonly uid: string;
      readonly from: Readonly<Record<string, string>>;
      readonly expectedMark: string | undefined;
      /** undefined, with the mark: remove both, so that the source serves again (only while it is being adopted). */
      readonly color: Color | undefined;
      readonly mark: SwitchMark | undefined;
      readonly decidedAt: number;
      readonly reason: string;
      /** Puts production back: waits for nothing. */
      readonly rescue: boolean;
    }
  /** Makes the published ConfigMap ours to follow and to write; `expected` absent: creates it, empty. */
  | {
      readonly kind: 'ClaimEndpoint';
      readonly configMap: string;
      readonly expected: { readonly uid: string; readonly resourceVersion: string } | undefined;
    }
  /** Publishes the address of one side, with the mark of the switch in the same patch. */
  | {
      readonly kind: 'Publish';
      readonly configMap: string;
      readonly uid: string;
      readonly from: Readonly<Record<string, string>>;
      readonly expectedMark: string | undefined;
      readonly color: Color;
      readonly mark: SwitchMark;
      readonly data: Readonly<Record<string, string>>;
      readonly decidedAt: number;
      readonly reason: string;
      /** Puts production back: waits for nothing. */
      readonly rescue: boolean;
    }
  /**
   * Publishes the credentials of the side that the ConfigMap says, and `beside` them what it says, with its mark in the
   * same patch. What they are is read by whoever applies this: a plan is logged and kept.
   */
  | {
      readonly kind: 'PublishSecret';
      readonly secret: string;
      readonly uid: string;
      readonly resourceVersion: string;
      /** `version`: uid and resourceVersion. */
      readonly source: { readonly name: string; readonly version: string };
      readonly keys: readonly string[];
      readonly color: Color;
      readonly mark: SwitchMark;
      readonly beside: Readonly<Record<string, string>>;
      readonly decidedAt: number;
      readonly reason: string;
      readonly rescue: boolean;
    }
  /** Takes back the mark; what it holds stays. */
  | { readonly kind: 'ReleaseSecret'; readonly secret: string; readonly uid: string }
  /** Takes back label and mark; what it says stays. */
  | { readonly kind: 'ReleaseEndpoint'; readonly configMap: string; readonly uid: string }
  /** Rolls out a consumer anew, so that its pods read what is published. */
  | {
      readonly kind: 'RestartConsumer';
      readonly consumer: WorkloadKind;
      readonly name: string;
      readonly uid: string;
      readonly digest: string;
      readonly at: number;
    }
  /** Claims a preview Service and points it to a colour, in one write; refused when another writer was quicker. */
  | {
      readonly kind: 'PointPreview';
      readonly service: string;
      readonly uid: string;
      readonly resourceVersion: string;
      readonly color: Color;
    }
  /**
   * Gives a Service back to the source, whose pods of one template alone it selects then; `hash` undefined: without
   * that, as before the adoption.
   */
  | {
      readonly kind: 'HandBack';
      readonly service: string;
      readonly uid: string;
      readonly from: Readonly<Record<string, string>>;
      readonly expectedMark: string | undefined;
      readonly hash: string | undefined;
      readonly decidedAt: number;
      readonly reason: string;
    }
  | {
      readonly kind: 'CreateJob';
      readonly gate: string;
      readonly revision: string;
      readonly attempt: number;
      readonly color: Color;
    };

export type PairedKind = WorkloadKind | 'HorizontalPodAutoscaler';

export type EffectKind = Effect['kind'];

/** Work that takes long and runs beside the loop. It comes back as an observation. */
export type Request =
  | {
      readonly kind: 'WarmUp';
      readonly revision: string;
      readonly attempt: number;
      readonly color: Color;
      readonly pod: string;
      readonly uid: string;
      readonly asked: WarmUpSpec;
    }
  | {
      readonly kind: 'Scrape';
      readonly revision: string;
      readonly attempt: number;
      readonly color: Color;
      readonly pod: string;
      readonly uid: string;
      readonly asked: PodMetricsSpec;
    }
  | { readonly kind: 'Preflight'; readonly key: string }
  | {
      readonly kind: 'Measure';
      readonly check: CheckSpec;
      readonly revision: string;
      readonly attempt: number;
      readonly color: Color;
    };

/** What a rule says: the first that speaks decides. */
export interface Verdict {
  readonly phase: Phase;
  /** Low-cardinality, UpperCamelCase. */
  readonly reason: string;
  /** One sentence: what is being done or waited for, and until when. Times in it are absolute, never remaining. */
  readonly message: string;
  readonly effects?: readonly Effect[];
  readonly requests?: readonly Request[];
  /** When to look again although nothing has changed, milliseconds since the epoch. */
  readonly lookAgainAt?: number;
  /** Something only a person can mend. */
  readonly stalled?: boolean;
  /** Something is wrong that nothing is done about: people are told, once. */
  readonly alert?: { readonly reason: string; readonly message: string };
  /** Another writer undid what was ordered. Told: a moment ago, and then it is mended without a word. */
  readonly drift?: 'New' | 'Told';
  /** The gates as this rule saw them. */
  readonly gates?: readonly GateStatus[];
  /** The spec has not been judged yet: the status must not claim that it was observed. */
  readonly specPending?: boolean;
}

export type Phase =
  | 'Idle'
  | 'Adopting'
  | 'Preparing'
  | 'Validating'
  | 'Switching'
  | 'Split'
  | 'Observing'
  | 'Held'
  | 'Committed'
  | 'RollingBack'
  | 'RolledBack'
  | 'Failed'
  | 'Stalled'
  | 'Suspended'
  | 'Deleting';

export interface Plan {
  readonly verdict: Verdict;
  readonly effects: readonly Effect[];
  readonly requests: readonly Request[];
  readonly status: ReleaseStatus;
  readonly lookAgainAt: number | undefined;
  /** Nobody waits for these effects: they may come after what other releases need. */
  readonly patient: boolean;
}
