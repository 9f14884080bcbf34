/** A life in which some things come far more often than they would by chance: what is looked for shows soon. */
import type { ReleaseSpecInput } from '../../src/api/schema.ts';
import type { Faults } from './faults.ts';
import type { Scenario } from './scenario.ts';
import type { Version } from './versions.ts';

export interface Focus {
  /** In place of what the level says. */
  readonly faults?: Partial<Faults>;
  /** In place of what was drawn: objects member by member, all else as a whole. */
  readonly spec?: Partial<{ readonly [key in keyof ReleaseSpecInput]: unknown }>;
  readonly replicas?: number;
  /** How many versions people wish for. */
  readonly count?: number;
  /** In turn, from the second version on: what each of them is, beside good. */
  readonly versions?: readonly Partial<Version>[];
  /** Production Services and previews, by number. */
  readonly services?: number;
  readonly previews?: number;
  /** Whether people wish for the next version just before the release is adopted. */
  readonly rollout?: boolean;
  /** Whether the release is deleted in the end. */
  readonly deleted?: boolean;
}

export function focused(scenario: Scenario, { deedEvery }: Faults, focus: Focus): Scenario {
  const versions = scenario.versions.slice(0, focus.count).map((version, index) => {
    const kinds = focus.versions ?? [];
    return kinds.length === 0 || index === 0 ? version : good(version, kinds[(index - 1) % kinds.length]);
  });
  return {
    replicas: focus.replicas ?? scenario.replicas,
    spec: merge(
      merge(fitting(scenario.spec, focus), { traffic: servicesOf(focus) }),
      focus.spec ?? {},
    ) as ReleaseSpecInput,
    versions,
    lively: focus.count === undefined ? scenario.lively : versions.length * deedEvery * 1.3 + 60_000,
  };
}

/** What was drawn, without the number that an autoscaler has instead: the API server refuses both together. */
function fitting({ replicas, ...spec }: ReleaseSpecInput, focus: Focus): ReleaseSpecInput {
  return replicas === undefined || focus.spec?.autoscaling !== undefined ? spec : { ...spec, replicas };
}

function good({ image, startMs }: Version, kind: Partial<Version> = {}): Version {
  return { image, startMs, smoke: 'pass', errors: 'none', ...kind };
}

function servicesOf({ services, previews }: Focus): object {
  const named = (names: readonly string[], many: number) => names.slice(0, many).map((name) => ({ name }));
  return {
    ...(services !== undefined && { services: named(['checkout', 'till', 'admin'], services) }),
    ...(previews !== undefined && { previewServices: named(['next'], previews) }),
  };
}

function merge(drawn: unknown, wanted: unknown): unknown {
  if (!isObject(drawn) || !isObject(wanted)) return wanted;
  const merged = Object.entries(wanted).map(([key, value]) => [key, merge(drawn[key], value)]);
  return { ...drawn, ...Object.fromEntries(merged) };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
