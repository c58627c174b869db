/** `clock.jsonl` of a worker: how far its clock is from the controller's, over time. */

import { measureClockOffset } from "../../scheduler/clock_offset.ts";
import { QueueError } from "../../scheduler/queue/connection.ts";
import type { ClockTime } from "../../trace/adapter_protocol.ts";
import { PatientWriter } from "../../trace/patient_writer.ts";
import type { ClockOffset } from "../../trace/records.ts";
import { roundToUs } from "../../trace/units.ts";

/**
 * So far apart may the wall clock and `performance.now()` go between two readings of the boot clock, ms: a reading
 * is an answer of the adapter, which a loaded machine may delay. Worst outcome of a larger one: a line
 * is this far from its place on the boot clock.
 */
const STEP_MS = 1000;

/** What a {@linkcode ClockLog} asks, and whom it tells. */
export interface ClockLogOptions {
  /** The controller's clock, epoch ms. */
  readonly time: () => Promise<number>;
  /** Told what went wrong. */
  readonly report: (line: string) => void;
}

/** Writes a line per measurement; dispose of it to close the file. */
export class ClockLog implements Disposable {
  readonly #writer: PatientWriter;
  readonly #options: ClockLogOptions;
  /** Both clocks as they were read last, and when by `performance.now()`; null: nobody has read them. */
  #seen: (ClockTime & { readonly monotonicMs: number }) | null = null;

  /** Append to `path`. */
  constructor(path: string, options: ClockLogOptions) {
    this.#writer = PatientWriter.open(path, options);
    this.#options = options;
  }

  /** Take note of both clocks: an adapter reads them, this role cannot (null: it is gone). */
  see(clocks: ClockTime | null): void {
    if (clocks !== null) this.#seen = { ...clocks, monotonicMs: performance.now() };
  }

  /** Measure, and write a line. */
  async note(): Promise<void> {
    const { time, report } = this.#options;
    try {
      const { tsMs, monotonicMs, offsetMs, errorMs } = await measureClockOffset(time);
      const line: ClockOffset = {
        ts_ms: roundToUs(tsMs),
        boot_ms: this.#bootMs(tsMs, monotonicMs),
        offset_ms: roundToUs(offsetMs),
        error_ms: roundToUs(errorMs),
      };
      this.#writer.append([line]);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      // The worker ends in the middle of a measurement: nothing is lost.
      if (!(error instanceof QueueError && error.code === "closed")) report(error.message);
    }
  }

  /** The boot clock at wall time `tsMs`, which was `monotonicMs`; null: not known. */
  #bootMs(tsMs: number, monotonicMs: number): number | null {
    if (this.#seen === null) return null;
    const wallMs = tsMs - this.#seen.ts_ms;
    const passedMs = monotonicMs - this.#seen.monotonicMs;
    // A wall clock that was set since says nothing about the boot clock.
    const isSet = Math.abs(wallMs - passedMs) > STEP_MS;
    return roundToUs(this.#seen.boot_ms + (isSet ? passedMs : wallMs));
  }

  /** Close the file. */
  [Symbol.dispose](): void {
    this.#writer[Symbol.dispose]();
  }
}
