/** The status of a BlueGreenRelease: written by the operator, read by people at 3 a.m. and by tools. */
import { z } from 'zod';

const text = (maximum: number) => z.string().max(maximum);
const time = z.string().max(40).describe('RFC 3339.');
const color = z.enum(['blue', 'green']);
const count = z.int().min(0);

export type Color = z.output<typeof color>;
export const COLORS: readonly Color[] = ['blue', 'green'];

const condition = z.object({
  type: text(64),
  status: z.enum(['True', 'False', 'Unknown']),
  observedGeneration: count.optional(),
  lastTransitionTime: time,
  reason: text(128),
  message: text(1024),
});

const side = z.object({
  color,
  revision: text(63).optional(),
  images: z.array(text(512)).max(16).optional(),
  ready: count,
  desired: count,
});

const gate = z.object({
  name: text(63),
  state: z.enum(['Pending', 'Running', 'Passed', 'Failed', 'Inconclusive']),
  message: text(1024).optional(),
});

const measurement = z.object({
  at: time,
  verdict: z.enum(['Good', 'Bad', 'Unknown']),
  reason: text(64),
  value: text(32).optional(),
  message: text(256).optional(),
});

const check = z.object({
  name: text(63),
  state: z.enum(['Pending', 'Good', 'Bad', 'Unknown']),
  query: text(4096).optional(),
  failures: count.optional().describe('Bad measurements in a row.'),
  since: time.optional().describe('Availability: since when too few pods are ready.'),
  message: text(1024).optional(),
  measurements: z.array(measurement).max(10).optional(),
});

const switched = z.object({
  direction: z.enum(['Forward', 'Back']),
  from: text(32).optional(),
  to: color,
  revision: text(63),
  decidedAt: time.optional(),
  patchedAt: time.optional(),
  convergedAt: time.optional(),
  services: z
    .array(
      z.object({
        name: text(63),
        inSync: z.boolean(),
        converged: z.boolean(),
        ready: count,
        message: text(256).optional(),
      }),
    )
    .max(8)
    .optional(),
});

const decision = z.object({
  at: time,
  reason: text(64),
  message: text(512),
  effects: z.array(text(256)).max(16).optional(),
});

export const statusSchema = z.object({
  observedGeneration: count.optional(),
  phase: text(32).optional().describe('For display; automation reads the conditions.'),
  message: text(1024).optional().describe('What is being waited for, and until when.'),
  attempt: count.optional().describe('Counts up with every release that is started.'),
  revision: text(63).optional().describe('The revision that takes production traffic.'),
  replicas: count.optional(),
  selector: text(512).optional(),
  active: side.optional(),
  candidate: side.optional(),
  standby: side.optional(),
  conditions: z
    .array(condition)
    .max(16)
    .optional()
    .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['type'] }),
  gates: z.array(gate).max(20).optional(),
  checks: z.array(check).max(24).optional(),
  switch: switched.optional(),
  rollback: z
    .object({ available: z.boolean(), until: time.optional(), message: text(512).optional() })
    .optional(),
  rejected: z
    .array(z.object({ revision: text(63), at: time, reason: text(64), message: text(1024) }))
    .max(50)
    .optional(),
  decisions: z.array(decision).max(20).optional(),
  history: z
    .array(
      z.object({
        revision: text(63),
        attempt: count,
        outcome: text(32),
        startedAt: time,
        finishedAt: time.optional(),
        message: text(1024).optional(),
      }),
    )
    .max(50)
    .optional(),
});

export type ReleaseStatus = z.output<typeof statusSchema>;
export type Condition = z.output<typeof condition>;
export type SideStatus = z.output<typeof side>;
export type GateStatus = z.output<typeof gate>;
export type CheckStatus = z.output<typeof check>;
export type SwitchStatus = z.output<typeof switched>;
export type Decision = z.output<typeof decision>;
