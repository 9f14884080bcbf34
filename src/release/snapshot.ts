/**
 * Everything known about one release at one moment. `decide` sees nothing else: same snapshot, same plan.
 *
 * All times are milliseconds since the epoch. Views hold only what a rule reads.
 */
import type { Measurement } from '../analysis/measurement.ts';
import type { NamedConfig } from '../api/config.ts';
import type { BudgetSpec, ReleaseSpec } from '../api/schema.ts';
import type { Color, ReleaseStatus } from '../api/status.ts';
import type { EndpointView } from './endpoint-view.ts';
import type { RevisionFacts } from './facts.ts';
import type { Marked } from './mark.ts';

export interface Snapshot {
  readonly now: number;
  readonly release: ReleaseView;
  /** The status as last written; {} when it was lost. Nothing that safety needs is read from it. */
  readonly previous: ReleaseStatus;
  readonly source: SourceView | undefined;
  readonly config: ConfigView;
  readonly wish: WishView | undefined;
  /** In the order of the spec. */
  readonly services: readonly ServiceView[];
  /** Only for an external workload. */
  readonly endpoint?: EndpointView | undefined;
  /** In the order of the spec. */
  readonly previews: readonly PreviewView[];
  /** Services of this release that its spec no longer names. */
  readonly leftovers: readonly LeftoverView[];
  readonly sides: Readonly<Record<Color, SideView>>;
  /** Where the two sides are workloads that people write; undefined for every other kind of workload. */
  readonly pair: PairView | undefined;
  /** PodDisruptionBudgets of other people that select pods of a colour. Only looked up where the release asks for its own. */
  readonly foreignBudgets: readonly string[];
  /** Ascending by number. */
  readonly revisions: readonly RevisionView[];
  readonly jobs: readonly JobView[];
  readonly observations: Observations;
}

export interface ReleaseView {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly generation: number;
  readonly deleting: boolean;
  /** When somebody deleted it, by the clock of the API server. */
  readonly deletedAt: number | undefined;
  /** Its whole namespace is being deleted. Only looked up while the release is. */
  readonly namespaceEnding: boolean;
  /** The annotation that says what becomes of the colours when the release is deleted, as written. */
  readonly onDelete: string | undefined;
  readonly hasFinalizer: boolean;
  readonly spec: ReleaseSpec;
  /** The action annotation, as written. */
  readonly action: string | undefined;
}

/** Config that the spec names, as it stands now. */
export interface ConfigView {
  readonly found: NamedConfig | undefined;
  readonly missing: readonly {
    readonly kind: 'ConfigMap' | 'Secret';
    readonly name: string;
    readonly field: string;
    /** The operator may not see whether it is there. */
    readonly forbidden?: boolean;
  }[];
  /** What the ConfigMaps hold together. */
  readonly bytes: number;
}

/** What people wish for, wherever they say it. */
export interface WishView {
  /** Identity of the content, computed by the running binary. */
  readonly fingerprint: string;
  readonly podLabels: Readonly<Record<string, string>>;
  readonly replicas: number;
}

/** A Deployment outside of the release: its pods serve before the adoption. Absent where the workload is inline. */
export interface SourceView {
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly replicas: number;
  readonly ready: number;
  /** Pods that exist, ready or not. */
  readonly pods: number;
  readonly paused: boolean;
  /** Every pod that exists is of the template that stands in it now. undefined: its controller has yet to say so. */
  readonly rolledOut: boolean | undefined;
  /** pod-template-hash of the one ReplicaSet that has all ready pods. Only looked up with `live`, and while the release is deleted. */
  readonly readyHash: string | undefined;
  /** Names of the ReplicaSets that have ready pods: several in the middle of a rollout. Looked up as `readyHash` is. */
  readonly readySets: readonly string[];
  /** Identity of its content, computed by the running binary. */
  readonly fingerprint: string;
  readonly podLabels: Readonly<Record<string, string>>;
  /**
   * The content that really runs: of the ReplicaSet with the most ready pods. Only looked up before the adoption, and during
   * it where config is named or something else is wished for.
   */
  readonly live?: { readonly fingerprint: string; readonly replicaSet: string };
  /** Autoscalers that target it. Only looked up before and during the adoption. */
  readonly autoscalers: readonly { readonly name: string; readonly uid: string }[];
  /** Name of the release whose label it carries: the label makes its changes seen, and says whose it is. */
  readonly claimedBy: string | undefined;
  /** An autoscaler that was taken over is stored on it. */
  readonly storedAutoscaler: boolean;
  /** When it was last scaled to 0 by us. */
  readonly parkedAt: number | undefined;
  /** Who scaled it since; for the message. */
  readonly scaledBy?: string | undefined;
}

export interface Locality {
  readonly kind: 'node' | 'zone';
  /** As it stands in the Service, such as `externalTrafficPolicy: Local`. */
  readonly field: string;
}

export interface Endpoint {
  readonly podUid: string;
  readonly ready: boolean;
  readonly serving: boolean;
  /** `addressType/port name` of the slice that lists it: a pod counts only when every such pair has it. */
  readonly group: string;
  readonly node?: string;
  readonly zone?: string;
}

export interface ServiceView extends Marked {
  readonly name: string;
  readonly found: boolean;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly type: string;
  readonly headless: boolean;
  readonly ports: readonly number[];
  /** The field, if any, that keeps traffic on the client's node, or in its zone. */
  readonly locality: Locality | undefined;
  readonly publishNotReadyAddresses: boolean;
  readonly selector: Readonly<Record<string, string>>;
  /** uid of the release that may switch it. */
  readonly claimedBy: string | undefined;
  readonly labelled: boolean;
  readonly endpoints: readonly Endpoint[];
  /** The twin of each colour. */
  readonly twins: Readonly<Record<Color, TwinView>>;
  /** Who last wrote the selector, from managedFields; for the message about drift. */
  readonly selectorWriter: string | undefined;
}

/** A Service that shows the candidate, or the active side. Nothing that safety needs is read from it. */
export interface PreviewView {
  readonly name: string;
  readonly found: boolean;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly type: string;
  readonly selector: Readonly<Record<string, string>>;
  /** uid of the release that may point it somewhere. */
  readonly claimedBy: string | undefined;
  readonly labelled: boolean;
}

/**
 * Why the last write to a Service, or to one of its twins, failed. Known to the process that tried; another one has to
 * try for itself.
 */
export interface Refusal {
  readonly at: number;
  /** The API server's own words. */
  readonly message: string;
  /** It will say so again: it, a policy or a webhook forbids the write. Anything else may pass. */
  readonly final: boolean;
}

export interface Patched {
  /** As it was written; of a consumer see `restartMark`. */
  readonly mark: string;
  readonly at: number;
}

/** What a Service that left the spec still has of ours. */
export interface LeftoverView {
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly selector: Readonly<Record<string, string>>;
  /** The Service whose twin it is, and the colour; undefined: it was a production Service. */
  readonly twinOf: { readonly service: string; readonly color: Color } | undefined;
}

export interface TwinView {
  readonly found: boolean;
  /** It carries our label: an object without it is never taken. */
  readonly ours: boolean;
  /** Selector and ports are what the production Service has, plus the colour. */
  readonly matches: boolean;
  readonly endpoints: readonly Endpoint[];
}

export interface SideView {
  readonly color: Color;
  readonly deployment: ColorDeploymentView | undefined;
  readonly autoscaler: AutoscalerView | undefined;
  readonly budget: BudgetView | undefined;
  /** By name. */
  readonly pods: readonly PodView[];
  /** Its copies of ConfigMaps, those of older revisions too. */
  readonly copies: readonly CopyView[];
}

export interface CopyView {
  readonly name: string;
  readonly uid: string;
  /** Of what it holds. */
  readonly digest: string;
}

export interface ColorDeploymentView {
  readonly uid: string;
  readonly resourceVersion: string;
  readonly ours: boolean;
  /** The revision it was written for. */
  readonly revision: string | undefined;
  /** Its live content is that revision's content, byte for byte after normalisation. */
  readonly matches: boolean;
  /** Who wrote its template last, where it does not match; for the message. */
  readonly writer?: string | undefined;
  /** Identity of its live content. */
  readonly fingerprint: string;
  /** Named config that it runs with. */
  readonly config: NamedConfig | undefined;
  /** It carries the labels and annotations that the release states for it, and none that it stated before. */
  readonly carriesStated: boolean;
  /** The controller has seen the latest write: below this the counts are of an older template. */
  readonly observed: boolean;
  readonly desired: number;
  readonly pods: number;
  readonly updated: number;
  readonly ready: number;
  readonly available: number;
  /** Why the ReplicaSet cannot make pods (quota, admission), in the API server's words. */
  readonly replicaFailure: string | undefined;
  readonly images: readonly string[];
  /** What one of its pods requests: cores and bytes. */
  readonly requests: { readonly cpu: number; readonly memory: number };
  /** Of its pods. */
  readonly podLabels: Readonly<Record<string, string>>;
}

export interface AutoscalerView {
  readonly uid: string;
  readonly ours: boolean;
  readonly minReplicas: number;
  readonly maxReplicas: number;
  /** Everything but minReplicas is what the spec says. */
  readonly matches: boolean;
  /** Kubernetes has switched it off, because another autoscaler's target has the same pods. */
  readonly ambiguous: boolean;
}

export interface PairView {
  readonly blue: PairedView;
  readonly green: PairedView;
  /** Autoscalers of this release that its spec no longer names. */
  readonly leftovers: readonly PairedAutoscalerView[];
}

/** What people wrote for one side, beside what a `SideView` tells of it. */
export interface PairedView {
  /** Name of the release whose label it carries. */
  readonly claimedBy: string | undefined;
  /** Labels that its pod template must carry and does not, as `key: value`. */
  readonly lacks: readonly string[];
  /** Its selector matches the pods of the other side as well. */
  readonly selectsOther: boolean;
  /** Identity of its content without its colour: two sides that are the same need no release. */
  readonly colorless: string | undefined;
  /** undefined: none is named, or it does not exist. */
  readonly autoscaler: PairedAutoscalerView | undefined;
}

export interface PairedAutoscalerView {
  readonly name: string;
  readonly uid: string;
  readonly claimedBy: string | undefined;
  /** Kind and name of what it scales. */
  readonly target: { readonly kind: string; readonly name: string };
  readonly minReplicas: number;
  readonly maxReplicas: number;
  /** What minReplicas is, or was before it was raised. */
  readonly own: number;
  /** Our note of what its minReplicas was, as it stands; undefined: there is none. */
  readonly note: string | undefined;
  /** Another minimum stands there than the one we wrote then; undefined: ours does, or we wrote none. */
  readonly overwrittenSince: number | undefined;
}

export interface BudgetView {
  readonly uid: string;
  readonly ours: boolean;
  /** What it asks for; undefined: not of exactly the pods of its colour. */
  readonly asks: BudgetSpec | undefined;
}

export interface PodView {
  readonly uid: string;
  readonly name: string;
  /** By the API server's clock, to the second. */
  readonly createdAt: number;
  /** Since when it is ready, by the kubelet's clock; undefined while it is not. */
  readonly readySince: number | undefined;
  readonly revision: string | undefined;
  readonly ready: boolean;
  /** Why a container waits or keeps failing, such as ImagePullBackOff or CrashLoopBackOff. */
  readonly trouble:
    | { readonly reason: string; readonly container: string; readonly restarts: number }
    | undefined;
  /** Why it has no node. */
  readonly unschedulable: string | undefined;
}

export interface RevisionView {
  /** Such as r3: the name given once. */
  readonly name: string;
  readonly number: number;
  readonly objectName: string;
  readonly resourceVersion: string;
  /** Identity of the stored content, computed by the running binary. */
  readonly fingerprint: string;
  /** Named config, as it was frozen. */
  readonly config: NamedConfig | undefined;
  /** The release as it was when this revision was first started. */
  readonly frozen: ReleaseSpec;
  /** The annotation as stored, for the precondition of its next write. */
  readonly rawFacts: string | undefined;
  readonly facts: RevisionFacts | undefined;
}

export interface JobView {
  readonly name: string;
  readonly uid: string;
  readonly gate: string;
  readonly revision: string;
  readonly attempt: number;
  readonly state: 'Running' | 'Complete' | 'Failed';
  /** It failed because its time was up. */
  readonly deadlineExceeded: boolean;
  /** Termination message of its last failed pod, at most 1 KiB; else the Job's own condition. */
  readonly message: string | undefined;
}

/** What was asked for beside the loop, and has come back. */
export interface Observations {
  /** By check name, oldest first; only of the current attempt. */
  readonly measurements: Readonly<Record<string, readonly Measurement[]>>;
  /** By the uid of a candidate pod. */
  readonly warmUps: Readonly<Record<string, WarmUpSeen>>;
  /** What a pod's own metrics say, by its uid. */
  readonly scrapes: Readonly<Record<string, ScrapeSeen>>;
  /** Verdicts of the API server and of the metric sources on what a release would derive from `key`. */
  readonly preflight: Preflight | undefined;
  /** By name of the Service or of the published ConfigMap, `kind/name` of a consumer; gone with the next write that succeeds. */
  readonly refusals: Readonly<Record<string, Refusal>>;
  /** By name of the Service or of the published ConfigMap, `kind/name` of a consumer: the last patch of it that this process saw answered. */
  readonly patches: Readonly<Record<string, Patched>>;
}

export interface WarmUpSeen {
  /** Requests that it has answered. */
  readonly answered: number;
  /** When the last of them came, or failed to. */
  readonly at: number;
  /** Why there are no more. */
  readonly trouble?: string;
}

/** What the last answer of a pod said of its request counter. */
export interface ScrapeSeen {
  readonly at: number;
  /** When the first of the answers came that all said the same: the counter has not grown since. */
  readonly unchangedSince?: number;
  /** Why it says nothing. */
  readonly trouble?: string;
}

export interface Preflight {
  readonly key: string;
  readonly at: number;
  /** Empty: accepted. */
  readonly problems: readonly Problem[];
  /** Nobody could be asked: why. */
  readonly unanswered?: string;
}

/** One sentence that says what is wrong, where, and what to do. */
export interface Problem {
  readonly reason: string;
  readonly message: string;
}
