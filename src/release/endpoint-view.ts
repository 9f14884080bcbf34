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
  /** In the order of the spec. */
  readonly consumers: readonly ConsumerView[];
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
