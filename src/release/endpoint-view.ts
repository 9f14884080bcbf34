/** What is known of an external workload: what is published, and who reads it. */
import type { Color } from '../api/status.ts';
import type { WorkloadKind } from '../api/workload.ts';
import type { Marked } from './mark.ts';

/** The published address of an external workload, and who reads it. */
export interface EndpointView extends Marked {
  /** Of the ConfigMap. */
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  /**
   * Absent; Free: it carries the label that lets a release take it; Ours: our labels are on it; Foreign: it has neither,
   * or belongs to the release `owner`.
   */
  readonly state: 'Absent' | 'Free' | 'Ours' | 'Foreign';
  readonly owner: string | undefined;
  readonly data: Readonly<Record<string, string>>;
  /** Who last wrote what it says, from managedFields; for the message about drift. */
  readonly writer: string | undefined;
  /** What a consumer carries that was started with what this revision publishes; by name of the revision. */
  readonly digests: Readonly<Record<string, string>>;
  /** Identity of what the spec says of each side now, as of a revision. */
  readonly fingerprints: Readonly<Record<Color, string>>;
  /** undefined: the release publishes none. */
  readonly credentials?: CredentialsView | undefined;
  /** In the order of the spec. */
  readonly consumers: readonly ConsumerView[];
}

/** The Secret that consumers read, and those that it is made from. Nothing here is computed from what one of them holds. */
export interface CredentialsView extends Marked {
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  /**
   * Ours: it carries our mark; Free: it carries the label that lets a release take it, and nothing in it would be lost;
   * InUse: something would; Foreign: it has no label, or belongs to the release `owner`; Unfit: no write could succeed; Unanswered: not now, which may pass.
   */
  readonly state: 'Absent' | 'Unreadable' | 'Unanswered' | 'Unfit' | 'InUse' | 'Foreign' | 'Free' | 'Ours';
  readonly owner: string | undefined;
  /** `name/uid/resourceVersion` of the Secret that it was copied from, as it says itself. */
  readonly copyOf: string | undefined;
  /** What the spec names. */
  readonly sides: Readonly<Record<Color, CredentialSource>>;
  /** By name of the revision, of those that publish credentials. */
  readonly sources: Readonly<Record<string, CredentialSource>>;
  /** As a part of the revision that each side would be now. */
  readonly versions: Readonly<Record<Color, string>>;
}

export interface CredentialSource {
  readonly name: string;
  readonly keys: readonly string[];
  /** Unlabelled: nobody has said that a release may use it. */
  readonly state: 'Absent' | 'Unreadable' | 'Unanswered' | 'Unlabelled' | 'Found';
  /** `uid/resourceVersion`; empty where it was not found. */
  readonly version: string;
  /** The first key that it does not have. */
  readonly lacks: string | undefined;
  /** What is published has the keys that it should have, and says of the environment what it should. */
  readonly shaped: boolean;
  /** Shaped, and what is published is what this Secret holds. */
  readonly same: boolean;
}

export interface ConsumerView {
  readonly kind: WorkloadKind;
  readonly name: string;
  readonly found: boolean;
  /** Empty where it could not be read. */
  readonly uid: string;
  /** The digest in its pod template. */
  readonly digest: string | undefined;
  /** The digest with which it was last restarted, and when; on its own metadata, where no rollback of its template reaches. */
  readonly restartedWith: string | undefined;
  readonly restartedAt: number | undefined;
  /** Its controller has seen the latest write; all pods are of its template and available, and there are no others. */
  readonly complete: boolean;
  /** How far it is, such as `1 of 2 pods`. */
  readonly progress: string;
  /** Why a restart of it would never end. */
  readonly obstacle: string | undefined;
}
