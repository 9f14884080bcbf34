/** The witness of a switch: notes when it is told of a candidate whose pods are all ready. */
import { LABEL_RELEASE } from '../src/api/names.ts';
import type { KubeTransport } from '../src/kube/transport.ts';
import { DEPLOYMENTS, type Deployment, ENDPOINT_SLICES, type EndpointSlice } from '../src/kube/types.ts';
import { eventually } from '../test/support/eventually.ts';
import { follow } from './follow.ts';
import { wallClock } from './numbers.ts';

/** On a busy machine the witness may hear of it after the Service was patched. */
const HEARS_WITHIN_MS = 10_000;

/** A witness that is told after the patch was answered has nothing to say about the time between. */
export const heardInTime = (milliseconds: number): boolean => milliseconds >= 0;

export interface Satisfied {
  readonly sliceAt: number;
  readonly deploymentAt: number;
}

export class Watcher {
  readonly #stopping: AbortController = new AbortController();
  readonly #service: string;
  readonly #replicas: number;
  #wanted: { namespace: string; color: string } | undefined;
  #sliceAt: number | undefined;
  #deploymentAt: number | undefined;

  /** Of the Service of this name, and the release that is called like it. */
  constructor(client: KubeTransport, service: string, replicas: number) {
    this.#service = service;
    this.#replicas = replicas;
    const scope = { labelSelector: LABEL_RELEASE, signal: this.#stopping.signal };
    follow<EndpointSlice>(client, ENDPOINT_SLICES, scope, (slice) => this.#slice(slice));
    follow<Deployment>(client, DEPLOYMENTS, scope, (deployment) => this.#deployment(deployment));
  }

  /** From now on this colour is looked at. */
  look(namespace: string, color: string): void {
    this.#wanted = { namespace, color };
    this.#sliceAt = undefined;
    this.#deploymentAt = undefined;
  }

  /** Since when both say that every pod is there and ready. Default patience: for news of what has happened already. */
  satisfied(patienceMs: number = HEARS_WITHIN_MS): Promise<Satisfied> {
    return eventually(
      'the witness to see a candidate whose pods are all ready',
      patienceMs,
      () => {
        const [sliceAt, deploymentAt] = [this.#sliceAt, this.#deploymentAt];
        return sliceAt === undefined || deploymentAt === undefined ? undefined : { sliceAt, deploymentAt };
      },
      5,
    );
  }

  /** What was satisfied once, by the pods of the revision before, may be so no more. */
  #slice({ metadata, endpoints }: EndpointSlice): void {
    const ofTwin =
      metadata.labels?.['kubernetes.io/service-name'] === `${this.#service}-${this.#wanted?.color}`;
    if (!ofTwin || metadata.namespace !== this.#wanted?.namespace) return;
    const ready = (endpoints ?? []).filter(({ conditions }) => conditions?.ready).length;
    this.#sliceAt = ready === this.#replicas ? (this.#sliceAt ?? wallClock()) : undefined;
  }

  #deployment({ metadata, status }: Deployment): void {
    const isIt =
      metadata.namespace === this.#wanted?.namespace &&
      metadata.name === `${this.#service}-${this.#wanted?.color}`;
    if (!isIt) return;
    const { observedGeneration = 0, replicas, updatedReplicas, availableReplicas } = status ?? {};
    const isComplete =
      observedGeneration >= (metadata.generation ?? 0) &&
      [replicas, updatedReplicas, availableReplicas].every((count) => count === this.#replicas);
    this.#deploymentAt = isComplete ? (this.#deploymentAt ?? wallClock()) : undefined;
  }

  stop(): void {
    this.#stopping.abort();
  }
}
