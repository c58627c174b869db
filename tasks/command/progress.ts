/**
 * Progress of long work: a bar that is redrawn on a terminal, plain lines now and then elsewhere.
 */

import type { Io } from "./main.ts";

/** How often a bar is redrawn, ms: smooth to the eye, and no load. */
const REDRAW_MS = 100;

/** How often a plain line is written, ms: a log of an hour stays readable. */
const LINE_MS = 5000;

const BAR_WIDTH = 24;

/** Shows how far work is; dispose of it when the work has ended, however it ended. */
export interface Progress extends Disposable {
  /** `done` of 1 is done; `what` is being worked on. */
  update(done: number, what: string): void;
}

/** Show the progress of `label` on stderr. */
export function openProgress(io: Io, label: string): Progress {
  return io.isTerminal ? new Bar(label) : new Lines(io, label);
}

class Bar implements Progress {
  readonly #label: string;
  readonly #encoder = new TextEncoder();
  #drawnMs = -Infinity;

  constructor(label: string) {
    this.#label = label;
  }

  update(done: number, what: string): void {
    const nowMs = performance.now();
    if (nowMs - this.#drawnMs < REDRAW_MS && done < 1) return;
    this.#drawnMs = nowMs;
    const filled = Math.round(clamp(done) * BAR_WIDTH);
    const bar = "█".repeat(filled) + "·".repeat(BAR_WIDTH - filled);
    const line = `${this.#label} ${bar} ${percent(done)} ${what}`;
    this.#write(`\r\x1b[K${line.slice(0, columns() - 1)}`);
  }

  [Symbol.dispose](): void {
    if (this.#drawnMs !== -Infinity) this.#write("\r\x1b[K");
  }

  #write(text: string): void {
    Deno.stderr.writeSync(this.#encoder.encode(text));
  }
}

class Lines implements Progress {
  readonly #io: Io;
  readonly #label: string;
  #writtenMs = performance.now();

  constructor(io: Io, label: string) {
    this.#io = io;
    this.#label = label;
  }

  update(done: number, what: string): void {
    const nowMs = performance.now();
    if (nowMs - this.#writtenMs < LINE_MS) return;
    this.#writtenMs = nowMs;
    this.#io.say(`${this.#label} ${percent(done)} ${what}`);
  }

  [Symbol.dispose](): void {}
}

function columns(): number {
  try {
    return Deno.consoleSize().columns;
  } catch (error) {
    // Not every terminal tells its size.
    if (error instanceof Error) return 80;
    throw error;
  }
}

function clamp(done: number): number {
  return Math.min(1, Math.max(0, done));
}

function percent(done: number): string {
  return `${String(Math.floor(clamp(done) * 100)).padStart(3)} %`;
}
