/** Shows the scene: a panel that is drawn again and again on a terminal, lines elsewhere. */
import { appendFileSync, writeFileSync } from 'node:fs';
import { clock, minutes, panel } from './panel.ts';
import type { Moment, Scene } from './scene.ts';

export interface Screen {
  /** Something happened. */
  tell(kind: Moment['kind'], text: string): void;
  progress(line: string): void;
  /** The last look; what is printed afterwards stands below. */
  end(): void;
}

export interface ScreenOptions {
  readonly scene: Scene;
  readonly verbose: boolean;
  readonly out: NodeJS.WriteStream;
  /** A file for the frames. */
  readonly record: string | undefined;
}

const MAX_WIDTH = 100;

export function openScreen(options: ScreenOptions): Screen {
  const { scene, verbose, out, record } = options;
  const shown = out.isTTY && !verbose ? new Panel(scene, out) : new Lines(scene, out, verbose);
  const recorder = record === undefined ? undefined : recordTo(record, scene);
  let ended = false;
  return {
    tell: (kind, text) => {
      if (ended) return;
      scene.moments.push({ at: Date.now(), kind, text });
      shown.tell(kind, text);
    },
    progress: (line) => {
      if (ended) return;
      scene.progress = line;
      shown.progress(line);
    },
    end: () => {
      ended = true;
      clearInterval(recorder);
      shown.end();
    },
  };
}

class Panel implements Screen {
  readonly #scene: Scene;
  readonly #out: NodeJS.WriteStream;
  readonly #timer: NodeJS.Timeout;
  #height = 0;

  constructor(scene: Scene, out: NodeJS.WriteStream) {
    this.#scene = scene;
    this.#out = out;
    out.write('\x1b[?25l');
    this.#timer = setInterval(() => this.#draw(), 200);
  }

  tell(): void {}

  progress(): void {}

  end(): void {
    clearInterval(this.#timer);
    this.#draw();
    this.#out.write('\x1b[?25h\n');
  }

  /** Over the last one: up by its height, then line by line. What does not fit the terminal cannot be drawn over. */
  #draw(): void {
    const { columns, rows } = this.#out;
    const width = Math.min(columns, MAX_WIDTH);
    const lines = panel(this.#scene, { now: Date.now(), width }).slice(0, rows - 1);
    const up = this.#height > 0 ? `\x1b[${this.#height}A` : '';
    this.#out.write(`${up}\r${lines.map((line) => `${line}\x1b[K\n`).join('')}\x1b[J`);
    this.#height = lines.length;
  }
}

const STATUS_EVERY_MS = 10_000;

class Lines implements Screen {
  readonly #scene: Scene;
  readonly #out: NodeJS.WriteStream;
  readonly #timer: NodeJS.Timeout;

  constructor(scene: Scene, out: NodeJS.WriteStream, verbose: boolean) {
    this.#scene = scene;
    this.#out = out;
    this.#timer = setInterval(() => this.#status(), verbose ? 1_000 : STATUS_EVERY_MS);
  }

  tell(_kind: Moment['kind'], text: string): void {
    this.#out.write(`${clock(Date.now())}  ${text}\n`);
  }

  progress(line: string): void {
    this.tell('step', line);
  }

  end(): void {
    clearInterval(this.#timer);
  }

  #status(): void {
    const { startedAt, step, sides, selected, requests, failed, serverErrors, release } = this.#scene;
    const pods = Object.entries(sides).map(
      ([name, { version, ready, desired }]) => `${name} ${version} ${ready}/${desired}`,
    );
    const parts = [
      minutes(Date.now() - startedAt),
      release.phase === undefined ? step : `${release.phase}: ${release.message}`,
      ...(selected === undefined ? [] : [`traffic to ${selected}`, pods.join(', ')]),
      ...(requests === 0 ? [] : [`${requests} requests, ${failed} failed, ${serverErrors} errors of v3`]),
    ];
    this.#out.write(`${clock(Date.now())}  … ${parts.join(' | ')}\n`);
  }
}

/** One JSON line for each frame: { at, lines }. */
function recordTo(file: string, scene: Scene): NodeJS.Timeout {
  writeFileSync(file, '');
  return setInterval(() => {
    const at = Date.now();
    const lines = panel(scene, { now: at, width: MAX_WIDTH });
    appendFileSync(file, `${JSON.stringify({ at, lines })}\n`);
  }, 500);
}
