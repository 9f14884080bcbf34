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
  #resolve: (satisfied: Satisfied) => void = () => {};

  /** Of the Service of this name, and the release that is called like it. */
  constructor(client: KubeTransport, service: string, replicas: number) {
    this.#service = service;
    this.#replicas = replicas;
    const scope = { labelSelector: LABEL_RELEASE, signal: this.#stopping.signal };
    follow<EndpointSlice>(client, ENDPOINT_SLICES, scope, (slice) => this.#slice(slice));
    follow<Deployment>(client, DEPLOYMENTS, scope, (deployment) => this.#deployment(deployment));
  }

  expect(namespace: string, color: string): Promise<Satisfied> {
    this.#wanted = { namespace, color };
    this.#sliceAt = undefined;
    this.#deploymentAt = undefined;
    return new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  #slice({ metadata, endpoints }: EndpointSlice): void {
    const ofTwin =
      metadata.labels?.['kubernetes.io/service-name'] === `${this.#service}-${this.#wanted?.color}`;
    const ready = (endpoints ?? []).filter(({ conditions }) => conditions?.ready).length;
    if (!ofTwin || metadata.namespace !== this.#wanted?.namespace || ready < this.#replicas) return;
    this.#sliceAt ??= wallClock();
    this.#settle();
  }

  #deployment({ metadata, status }: Deployment): void {
    const wanted =
      metadata.namespace === this.#wanted?.namespace &&
      metadata.name === `${this.#service}-${this.#wanted?.color}`;
    const available = status?.availableReplicas ?? 0;
    const observed = (status?.observedGeneration ?? 0) >= (metadata.generation ?? 0);
    if (!wanted || !observed || available < this.#replicas || status?.updatedReplicas !== available) return;
    this.#deploymentAt ??= wallClock();
    this.#settle();
  }

  #settle(): void {
    if (this.#sliceAt === undefined || this.#deploymentAt === undefined) return;
    this.#resolve({ sliceAt: this.#sliceAt, deploymentAt: this.#deploymentAt });
  }

  stop(): void {
    this.#stopping.abort();
  }
}
