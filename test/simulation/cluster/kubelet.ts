/** Nodes: they start pods, and their pods behave as the version of the application that they run. */
import { PODS, type Pod } from '../../../src/kube/types.ts';
import type { Version } from '../versions.ts';
import type { Change } from './api.ts';
import type { Surroundings } from './controller.ts';
import { isReady } from './deployments.ts';

export interface Kubelet {
  /** Images can be pulled. */
  registry: boolean;
  /** Nothing flaps any more. */
  calm: boolean;
  /** Traffic reached pods of this image. */
  serves(image: string): void;
  /** Every other pod is not ready for so long. */
  loseNode(ms: number): void;
  evict(): void;
}

export function startKubelet(
  around: Surroundings,
  versionOf: (image: string) => Version | undefined,
): Kubelet {
  const { api, timeline, random } = around;
  const servedImages = new Set<string>();
  const dead = new Set<string>();
  const lost = new Set<string>();

  const kubelet: Kubelet = { registry: true, calm: false, serves, loseNode, evict };

  api.onChange(({ type, event, object, before }: Change) => {
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
    const version = versionOf(imageOf(pod));
    if (version?.broken === 'pull' && !kubelet.registry) {
      report(name, false, { reason: 'ImagePullBackOff' });
      timeline.after(10_000, () => start(name, uid));
      return;
    }
    report(name, false, { reason: 'ContainerCreating' });
    const [least, most] = version?.startMs ?? [500, 2000];
    timeline.after(random.between(least, most), () => begin(name, uid, version));
  }

  function begin(name: string, uid: string, version: Version | undefined): void {
    if (present(name, uid) === undefined) return;
    if (version?.broken === 'crash') {
      report(name, false, { reason: 'CrashLoopBackOff' }, 3);
      return;
    }
    setReady(name, uid, true);
    if (version?.flaps) flap(name, uid);
  }

  function setReady(name: string, uid: string, ready: boolean): void {
    const pod = present(name, uid);
    if (pod === undefined) return;
    report(name, ready && !dead.has(imageOf(pod)) && !lost.has(uid));
  }

  function flap(name: string, uid: string): void {
    timeline.after(random.between(20_000, 90_000), () => {
      if (present(name, uid) === undefined || kubelet.calm) return;
      setReady(name, uid, false);
      timeline.after(random.between(500, 8000), () => {
        setReady(name, uid, true);
        flap(name, uid);
      });
    });
  }

  function report(name: string, ready: boolean, waiting?: { reason: string }, restartCount = 0): void {
    api.update<Pod>(PODS, name, (pod) => ({
      ...pod,
      status: {
        phase: waiting === undefined ? 'Running' : 'Pending',
        conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
        containerStatuses: [
          { name: 'app', restartCount, ready, state: waiting === undefined ? { running: {} } : { waiting } },
        ],
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

  function evict(): void {
    const pods = api.list<Pod>(PODS).filter(({ metadata }) => metadata.deletionTimestamp === undefined);
    if (pods.length > 0) api.delete(PODS, random.pick(pods).metadata.name);
  }

  return kubelet;
}

export function imageOf(pod: Pod): string {
  const [container] = (pod.spec.containers ?? []) as { image?: string }[];
  return container?.image ?? '';
}
