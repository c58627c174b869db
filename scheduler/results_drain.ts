/**
 * Results from the queue to `results.jsonl`: on the disk before the queue forgets them, and once each,
 * also when a scheduler dies between the two or Redis rolls back.
 *
 * @module
 */

import { JsonLinesWriter } from "../trace/json_lines.ts";
import { TASK_RESULT, type TaskResult } from "../trace/records.ts";
import { DecodeError } from "../trace/schema.ts";

/** What the drain needs of the queue. */
export interface ResultSource {
  /** The oldest results, as JSON. */
  results(count: number): Promise<readonly string[]>;
  /** Forget `written`, the oldest; false when this scheduler is not active any more. */
  trimResults(written: readonly string[]): Promise<boolean>;
}

/** Results in one portion: 250 kB, written and synced in a few ms. */
const PORTION = 1000;

/**
 * How many of the newest results are remembered to recognise one that comes again: far more than end in
 * the 2 s that a rolled back append-only file may lose. About 10 MB.
 */
const REMEMBERED = 100_000;

/** Writes results down; dispose of it to close the file. */
export class ResultsDrain implements Disposable {
  readonly #source: ResultSource;
  readonly #writer: JsonLinesWriter;
  readonly #seen = new Set<string>();
  #isStale = true;

  private constructor(source: ResultSource, writer: JsonLinesWriter) {
    this.#source = source;
    this.#writer = writer;
  }

  /** Open `path` for appending. */
  static open(path: string, source: ResultSource): ResultsDrain {
    return new ResultsDrain(source, JsonLinesWriter.open(path));
  }

  /** Another scheduler may have written meanwhile: look what the file has before the next result. */
  distrust(): void {
    this.#isStale = true;
  }

  /** How each task ended, by what is on the disk, the newest of them: as many as are remembered. */
  async ended(): Promise<readonly TaskResult[]> {
    const ends = new Map<string, TaskResult>();
    for (const line of await lastLines(this.#writer.path)) {
      const result = resultIn(line);
      if (result === null || result.state === "superseded") continue;
      ends.delete(result.task_id);
      ends.set(result.task_id, result);
    }
    return [...ends.values()].slice(-REMEMBERED);
  }

  async #learn(): Promise<void> {
    this.#seen.clear();
    for (const line of await lastLines(this.#writer.path)) this.#isNew(line);
    this.#isStale = false;
  }

  /**
   * Write down what there is, while `mayWrite` says so: it is asked right before each write, for this
   * process may have been paused since it began. Returns how many results were new.
   *
   * @throws {Error} naming the file when it cannot be written: the queue then keeps them.
   */
  async drain(mayWrite: () => boolean = () => true): Promise<number> {
    let count = 0;
    if (this.#isStale) await this.#learn();
    for (;;) {
      const portion = await this.#source.results(PORTION);
      if (portion.length === 0 || !mayWrite()) return count;
      let text = "";
      for (const line of portion) {
        if (!this.#isNew(line)) continue;
        text += line + "\n";
        count += 1;
      }
      await this.#write(text);
      if (!await this.#source.trimResults(portion)) return count;
    }
  }

  async #write(text: string): Promise<void> {
    if (text === "") return;
    try {
      this.#writer.appendText(text);
      await syncFile(this.#writer.path);
    } catch (error) {
      // What is remembered as written is not: the next try looks what the file really has.
      this.#isStale = true;
      throw error;
    }
  }

  /** Close the file. */
  [Symbol.dispose](): void {
    this.#writer[Symbol.dispose]();
  }

  /** False when this result was written before. What is not a result is written down for a person. */
  #isNew(line: string): boolean {
    const result = resultIn(line);
    return result === null || this.#remember(result);
  }

  /** False when this result was written before. */
  #remember({ task_id, attempt, state }: TaskResult): boolean {
    const name = `${task_id} ${attempt ?? "-"} ${state}`;
    if (this.#seen.has(name)) return false;
    this.#seen.add(name);
    if (this.#seen.size > REMEMBERED) {
      const [oldest] = this.#seen;
      if (oldest !== undefined) this.#seen.delete(oldest);
    }
    return true;
  }
}

/** The result in `line`; null: it is none. */
function resultIn(line: string): TaskResult | null {
  try {
    return TASK_RESULT.decode(JSON.parse(line), "the queue's results");
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof DecodeError)) throw error;
    return null;
  }
}

/** What the end of a file is read for, bytes: REMEMBERED lines of 300 bytes. */
const TAIL_BYTES = 32 * 1024 * 1024;

/** The last lines of `path`, the first of them perhaps cut. */
async function lastLines(path: string): Promise<string[]> {
  using file = await Deno.open(path, { read: true });
  const size = await file.seek(0, Deno.SeekMode.End);
  await file.seek(Math.max(0, size - TAIL_BYTES), Deno.SeekMode.Start);
  const chunks = await Array.fromAsync(
    file.readable.pipeThrough(new TextDecoderStream()),
  );
  return chunks.join("").split("\n");
}

/** Wait until the file is on the disk, beside the main thread: a sync takes ms, placements do not wait. */
async function syncFile(path: string): Promise<void> {
  using file = await Deno.open(path, { read: true });
  await file.syncData();
}
