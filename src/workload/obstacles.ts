/** What in a template keeps two colours from running side by side, each in a sentence with the remedy. */
import type { JsonObject, LabelSelector, PodTemplate } from '../kube/types.ts';
import { matchesSelector } from './selector.ts';

interface Obstacle {
  readonly reason: string;
  readonly message: string;
}

/** `selectorLabel`: the key by which the colours' pods differ. */
export function obstacles(template: PodTemplate, selectorLabel: string): Obstacle[] {
  return [...hostPorts(template), ...antiAffinity(template, selectorLabel)];
}

function hostPorts({ spec }: PodTemplate): Obstacle[] {
  if (spec.hostNetwork === true)
    return [
      {
        reason: 'HostPort',
        message:
          'spec.template.spec.hostNetwork is set: pods of both colours would want the same ports of one node; remove it, and reach the pods by a Service',
      },
    ];
  return containersOf(spec).flatMap(({ name, ports = [] }) =>
    ports.flatMap(({ hostPort }) =>
      hostPort === undefined || hostPort === 0
        ? []
        : [
            {
              reason: 'HostPort',
              message: `container "${name}" has hostPort ${hostPort}: pods of both colours would want the same port of one node; remove it, and reach the pods by a Service`,
            },
          ],
    ),
  );
}

interface Container {
  readonly name: string;
  readonly ports?: readonly { readonly hostPort?: number }[];
}

function containersOf(spec: JsonObject): Container[] {
  return ['initContainers', 'containers'].flatMap((key) => {
    const list = spec[key];
    return Array.isArray(list) ? (list as unknown as Container[]) : [];
  });
}

interface Term {
  readonly labelSelector?: LabelSelector;
  readonly matchLabelKeys?: readonly string[];
  readonly topologyKey?: string;
}

/** A required term that matches the pod itself keeps the colours off each other's nodes as well. */
function antiAffinity({ metadata, spec }: PodTemplate, selectorLabel: string): Obstacle[] {
  const affinity = spec.affinity as { podAntiAffinity?: JsonObject } | undefined;
  const required = affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  const terms = Array.isArray(required) ? (required as unknown as Term[]) : [];
  const apart = new Set([selectorLabel, 'pod-template-hash']);
  return terms.flatMap((term, index) => {
    const tells = term.matchLabelKeys?.some((key) => apart.has(key)) ?? false;
    if (tells || !matchesOwn(term.labelSelector, metadata?.labels ?? {}, apart)) return [];
    const path = `spec.template.spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[${index}]`;
    return [
      {
        reason: 'AntiAffinity',
        message: `${path} matches its own pods, so a candidate could not run on any ${term.topologyKey} where production does: add matchLabelKeys: [${selectorLabel}] to it`,
      },
    ];
  });
}

/** A selector that asks for one of these keys tells the colours apart already. */
function matchesOwn(
  selector: LabelSelector | undefined,
  labels: Readonly<Record<string, string>>,
  apart: ReadonlySet<string>,
): boolean {
  if (selector === undefined) return false;
  const { matchLabels = {}, matchExpressions = [] } = selector;
  const keys = [...Object.keys(matchLabels), ...matchExpressions.map(({ key }) => key)];
  if (keys.some((key) => apart.has(key))) return false;
  return matchesSelector(selector, labels);
}
