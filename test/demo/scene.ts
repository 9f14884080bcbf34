/** All that the demo shows while it runs. The watches write it, the screen reads it. */
import type { ReleaseStatus } from '../../src/api/status.ts';
import { answersOf, type Kind, type Row } from './load/tally.ts';
import { failedOf, serverErrorsOf } from './traffic.ts';

/** The Deployment that people edit, and the two that derive from it. */
export type SideName = 'source' | 'blue' | 'green';

export interface Side {
  readonly version: string;
  readonly revision: string | undefined;
  readonly ready: number;
  readonly desired: number;
}

export interface Moment {
  readonly at: number;
  /** What a line is about decides how it is coloured. */
  readonly kind: 'step' | 'phase' | 'traffic' | 'good' | 'bad';
  readonly text: string;
}

export interface Scene {
  readonly startedAt: number;
  title: string;
  /** What the demo does, and the last line of progress while it builds. */
  step: string;
  progress: string;
  release: ReleaseStatus;
  readonly sides: Partial<Record<SideName, Side>>;
  /** The colour that ran a version last: answers of it can arrive when it is gone. */
  readonly colorOf: Record<string, 'blue' | 'green'>;
  /** Where the Service points to. */
  selected: SideName | undefined;
  /** Answers of the last full second: by kind of connection, then by version. */
  rates: Record<Kind, Record<string, Rate>>;
  requests: number;
  failed: number;
  serverErrors: number;
  readonly moments: Moment[];
}

export interface Rate {
  readonly answers: number;
  readonly errors: number;
}

export function newScene(startedAt: number): Scene {
  return {
    startedAt,
    title: '',
    step: '',
    progress: '',
    release: {},
    sides: {},
    colorOf: {},
    selected: undefined,
    rates: { new: {}, kept: {} },
    requests: 0,
    failed: 0,
    serverErrors: 0,
    moments: [],
  };
}

export function addRow(scene: Scene, row: Row): void {
  scene.requests += row.due;
  scene.failed += failedOf(row);
  scene.serverErrors += serverErrorsOf(row);
  scene.rates = { new: {}, kept: {} };
  for (const { kind, version, status, count } of answersOf(row)) {
    const { answers, errors } = scene.rates[kind][version] ?? { answers: 0, errors: 0 };
    scene.rates[kind][version] = {
      answers: answers + count,
      errors: errors + (status >= 500 ? count : 0),
    };
  }
}
