/** `clock.jsonl` of a worker: how far its clock is from the controller's, over time. */

import { measureClockOffset } from "../scheduler/clock_offset.ts";
import { QueueError } from "../scheduler/redis_connection.ts";
import type { ClockTime } from "../trace/adapter_protocol.ts";
import { JsonLinesWriter } from "../trace/json_lines.ts";
import type { ClockOffset } from "../trace/records.ts";
import { roundToUs } from "../trace/units.ts";

/** What a {@linkcode ClockLog} asks, and whom it tells. */
export interface ClockLogOptions {
  /** The controller's clock, epoch ms. */
  readonly time: () => Promise<number>;
  /** Told what went wrong. */
  readonly report: (line: string) => void;
}

/** Writes a line per measurement; dispose of it to close the file. */
export class ClockLog implements Disposable {
  readonly #writer: JsonLinesWriter;
  readonly #options: ClockLogOptions;
  /** Boot clock less wall clock, ms; null: nobody has read them yet. */
  #bootLeadMs: number | null = null;

  /** Append to `path`. */
  constructor(path: string, options: ClockLogOptions) {
    this.#writer = JsonLinesWriter.open(path);
    this.#options = options;
  }

  /** Take note of both clocks: an adapter reads them, this role cannot (null: it is gone). */
  see(clocks: ClockTime | null): void {
    if (clocks !== null) this.#bootLeadMs = clocks.boot_ms - clocks.ts_ms;
  }

  /** Measure, and write a line. */
  async note(): Promise<void> {
    const { time, report } = this.#options;
    try {
      const { tsMs, offsetMs, errorMs } = await measureClockOffset(time);
      const line: ClockOffset = {
        ts_ms: roundToUs(tsMs),
        boot_ms: this.#bootLeadMs === null ? null : roundToUs(tsMs + this.#bootLeadMs),
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

  /** Close the file. */
  [Symbol.dispose](): void {
    this.#writer[Symbol.dispose]();
  }
}
