/** Nodes: they start pods, and their pods behave as the version of the application that they run. */
import { CONFIG_MAPS, type ConfigMap, PODS, type Pod } from '../../../src/kube/types.ts';
import { readBy } from '../content.ts';
import type { Random } from '../random.ts';
import { contentName, type Version } from '../versions.ts';
import type { Change } from './api.ts';
import type { Surroundings } from './controller.ts';
import { isReady } from './deployments.ts';

type ContainerState = {
  readonly waiting?: { readonly reason: string };
  readonly running?: object;
  readonly terminated?: { readonly reason: string; readonly exitCode: number };
};

export interface Kubelet {
  /** Images can be pulled. */
  registry: boolean;
  /** Nothing flaps any more. */
  calm: boolean;
  /** Traffic reached pods of this image. */
  serves(image: string): void;
  /** Every other pod is not ready for so long. */
  loseNode(ms: number): void;
  evict(random: Random): void;
  /** A container of some pod is killed, and starts again. */
  restart(random: Random): void;
}

export function startKubelet(
  around: Surroundings,
  versionOf: (image: string) => Version | undefined,
): Kubelet {
  const { api, timeline, random } = around;
  const servedImages = new Set<string>();
  const dead = new Set<string>();
  const lost = new Set<string>();

  const kubelet: Kubelet = { registry: true, calm: false, serves, loseNode, evict, restart };

  api.onChange(({ type, event, object, before }: Change) => {
    if (type === CONFIG_MAPS) beginAnew();
    if (type !== PODS) return;
    const { name, uid = '', deletionTimestamp } = object.metadata;
    if (event === 'ADDED') timeline.after(random.between(10, 200), () => start(name, uid));
    if (
      event === 'MODIFIED' &&
      deletionTimestamp !== undefined &&
      before?.metadata.deletionTimestamp === undefined
    )
      timeline.after(random.between(200, 5000), () => api.remove(PODS, name));
  });

  const present = (name: string, uid: string): Pod | undefined => {
    const pod = api.get<Pod>(PODS, name);
    return pod?.metadata.uid === uid ? pod : undefined;
  };

  function start(name: string, uid: string): void {
    const pod = present(name, uid);
    if (pod === undefined) return;
    const reads = readBy(pod.spec);
    if (reads !== undefined && !read(pod, reads)) {
      report(name, false, { waiting: { reason: 'CreateContainerConfigError' } });
      timeline.after(3000, () => start(name, uid));
      return;
    }
    const version = versionOf(imageOf(present(name, uid) ?? pod));
    if (version?.broken === 'pull' && !kubelet.registry) {
      report(name, false, { waiting: { reason: 'ImagePullBackOff' } });
      timeline.after(10_000, () => start(name, uid));
      return;
    }
    report(name, false, { waiting: { reason: 'ContainerCreating' } });
    const [least, most] = version?.startMs ?? [500, 2000];
    timeline.after(random.between(least, most), () => begin(name, uid, version));
  }

  /** The environment of a container is what the ConfigMap says when it begins: it stands on the pod, for all to see. */
  function read({ metadata }: Pod, configMap: string): boolean {
    const settings = api.get<ConfigMap>(CONFIG_MAPS, configMap)?.data?.app;
    if (settings === undefined) return false;
    api.update<Pod>(PODS, metadata.name, (pod) => ({
      ...pod,
      metadata: { ...pod.metadata, annotations: { ...pod.metadata.annotations, [READ]: settings } },
    }));
    return true;
  }

  /** What crashes, or does not answer its probes, is begun again and again: with what its ConfigMap says by then. */
  function beginAnew(): void {
    for (const pod of api.list<Pod>(PODS).filter(wouldReadAnew)) {
      const { name, uid = '' } = pod.metadata;
      timeline.after(random.between(1000, 60_000), () => {
        const now = present(name, uid);
        if (now !== undefined && wouldReadAnew(now)) start(name, uid);
      });
    }
  }

  function wouldReadAnew(pod: Pod): boolean {
    const isOver = dead.has(imageOf(pod)) || versionOf(imageOf(pod))?.broken === 'crash';
    const settings = api.get<ConfigMap>(CONFIG_MAPS, readBy(pod.spec) ?? '')?.data?.app;
    return isOver && settings !== undefined && settings !== pod.metadata.annotations?.[READ];
  }

  function begin(name: string, uid: string, version: Version | undefined): void {
    if (present(name, uid) === undefined) return;
    if (version?.broken === 'crash') {
      report(name, false, { waiting: { reason: 'CrashLoopBackOff' } }, 3);
      beginAnew();
      return;
    }
    setReady(name, uid, true);
    if (version?.flaps !== undefined) flap(name, uid, version.flaps);
  }

  function setReady(name: string, uid: string, ready: boolean): void {
    const pod = present(name, uid);
    if (pod === undefined) return;
    report(name, ready && !dead.has(imageOf(pod)) && !lost.has(uid));
  }

  function flap(name: string, uid: string, flaps: 'probe' | 'memory'): void {
    timeline.after(random.between(30_000, 240_000), () => {
      const pod = present(name, uid);
      if (pod === undefined || kubelet.calm) return;
      if (flaps === 'memory') runOut(pod);
      else setReady(name, uid, false);
      timeline.after(random.between(500, 8000), () => {
        setReady(name, uid, true);
        flap(name, uid, flaps);
      });
    });
  }

  function report(
    name: string,
    ready: boolean,
    state: ContainerState = { running: {} },
    restartCount = 0,
    lastState: ContainerState = {},
  ): void {
    api.update<Pod>(PODS, name, (pod) => ({
      ...pod,
      status: {
        phase: state.waiting === undefined ? 'Running' : 'Pending',
        conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
        containerStatuses: [{ name: 'app', restartCount, ready, state, lastState }],
      },
    }));
  }

  function serves(image: string): void {
    const version = versionOf(image);
    if (version?.diesAfterMs === undefined || servedImages.has(image)) return;
    servedImages.add(image);
    timeline.after(version.diesAfterMs, () => {
      dead.add(image);
      for (const pod of api.list<Pod>(PODS)) {
        if (imageOf(pod) === image) setReady(pod.metadata.name, pod.metadata.uid ?? '', false);
      }
      beginAnew();
    });
  }

  function loseNode(ms: number): void {
    const gone = api.list<Pod>(PODS).filter((pod, index) => index % 2 === 0 && isReady(pod));
    for (const { metadata } of gone) {
      lost.add(metadata.uid ?? '');
      setReady(metadata.name, metadata.uid ?? '', false);
      timeline.after(ms, () => {
        lost.delete(metadata.uid ?? '');
        setReady(metadata.name, metadata.uid ?? '', true);
      });
    }
  }

  const standing = (): Pod[] =>
    api.list<Pod>(PODS).filter(({ metadata }) => metadata.deletionTimestamp === undefined);

  function evict(drawn: Random): void {
    const pods = standing();
    if (pods.length > 0) api.delete(PODS, drawn.pick(pods).metadata.name);
  }

  function restart(drawn: Random): void {
    const pods = standing().filter(isReady);
    if (pods.length > 0) runOut(drawn.pick(pods));
  }

  /** The container is killed for its memory, and starts again in its pod. */
  function runOut(pod: Pod): void {
    const { name, uid = '' } = pod.metadata;
    const restarts = (pod.status?.containerStatuses?.[0]?.restartCount ?? 0) + 1;
    report(name, false, { running: {} }, restarts, { terminated: { reason: 'OOMKilled', exitCode: 137 } });
    const [least, most] = versionOf(imageOf(pod))?.startMs ?? [500, 2000];
    timeline.after(random.between(least, most), () => setReady(name, uid, true));
  }

  return kubelet;
}

const READ = 'settings';

/** What it runs: its image, and what it has read. */
export function imageOf({ metadata, spec }: Pod): string {
  const [container] = (spec.containers ?? []) as { image?: string }[];
  return contentName(container?.image ?? '', metadata.annotations?.[READ]);
}
