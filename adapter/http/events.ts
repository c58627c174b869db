/**
 * Appends records in batches and loses none without a word: what a full disk refuses is kept and tried
 * again, up to a bound.
 *
 * @module
 */

import { JsonLinesWriter } from "../../trace/json_lines.ts";

/**
 * Records kept while they cannot be written: at half a kB each 50 MB, half a minute of a busy service.
 * What comes on top is lost, and counted.
 */
const KEPT_LIMIT = 100_000;

/** Records that are written at once without waiting for the next flush: about 0.5 MB. */
const BATCH_LIMIT = 1000;

/** A file that records are appended to. Dispose of it to write what is left and close the file. */
export class EventLines<T extends object> implements Disposable {
  readonly #writer: JsonLinesWriter;
  readonly #report: (line: string) => void;
  #pending: T[] = [];
  #lostCount = 0;
  #isFailing = false;

  /** Append to `path`, whose folder exists; `report` is told when that fails and when it works again. */
  constructor(path: string, report: (line: string) => void) {
    this.#writer = JsonLinesWriter.open(path);
    this.#report = report;
  }

  /** Records that could not be written and were given up. */
  get lostCount(): number {
    return this.#lostCount;
  }

  /** Records that wait to be written. */
  get pendingCount(): number {
    return this.#pending.length;
  }

  /** Append `one` with the next batch. */
  add(one: T): void {
    if (this.#pending.length >= KEPT_LIMIT) {
      this.#lostCount++;
      return;
    }
    this.#pending.push(one);
    // After a failure the disk is left alone until the next flush.
    if (this.#pending.length >= BATCH_LIMIT && !this.#isFailing) this.flush();
  }

  /** Write what is pending. */
  flush(): void {
    if (this.#pending.length === 0) return;
    try {
      this.#writer.append(this.#pending);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      if (!this.#isFailing) {
        this.#report(`${error.message}; records are kept until that works again`);
      }
      this.#isFailing = true;
      return;
    }
    if (this.#isFailing) {
      this.#report(`${this.#writer.path}: ${this.#pending.length} kept records are written now`);
    }
    this.#isFailing = false;
    this.#pending = [];
  }

  /** Write what is left; what cannot be written now is lost. */
  [Symbol.dispose](): void {
    this.flush();
    this.#lostCount += this.#pending.length;
    this.#pending = [];
    this.#writer[Symbol.dispose]();
  }
}
