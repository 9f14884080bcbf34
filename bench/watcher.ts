/** The witness of a switch: notes when it is told of a candidate whose pods are all ready. */
import { LABEL_RELEASE } from '../src/api/names.ts';
import type { KubeTransport } from '../src/kube/transport.ts';
import { DEPLOYMENTS, type Deployment, ENDPOINT_SLICES, type EndpointSlice } from '../src/kube/types.ts';
import { follow } from './follow.ts';
import { wallClock } from './numbers.ts';

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

  /** Since when both say that every pod is there and ready, as far as is known now. */
  satisfied(): Satisfied {
    if (this.#sliceAt === undefined || this.#deploymentAt === undefined)
      throw new Error('the Service was patched before the witness saw a candidate whose pods were all ready');
    return { sliceAt: this.#sliceAt, deploymentAt: this.#deploymentAt };
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
