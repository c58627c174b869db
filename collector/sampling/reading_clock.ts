/**
 * The clocks that stamp readings.
 *
 * @module
 */

import { type Clock, type ClockReading, openClock } from "../../trace/clock.ts";
import { roundToUs } from "../../trace/units.ts";
import type { Procfs } from "../proc/procfs.ts";
import { parseUptimeMs } from "../proc/uptime.ts";

/**
 * The clocks of this machine: the kernel's by FFI, else those of the runtime, which need no permission:
 * `Date` for the wall clock (whole ms), and one reading of /proc/uptime (10 ms steps) advanced by
 * `performance.now()` for the boot clock.
 */
export function openReadingClock(procfs: Procfs, { ffi }: { readonly ffi: boolean }): Clock {
  if (ffi) return openClock();
  return new RuntimeClock(procfs.parse("uptime", parseUptimeMs) ?? 0);
}

class RuntimeClock implements Clock {
  readonly isPrecise = false;
  // performance.now() does not count suspended time: after a suspend the boot clock is behind by it.
  readonly #originMs: number;

  constructor(bootMs: number) {
    this.#originMs = bootMs - performance.now();
  }

  now(): ClockReading {
    return { tsMs: Date.now(), bootMs: this.bootMs() };
  }

  bootMs(): number {
    return roundToUs(this.#originMs + performance.now());
  }

  [Symbol.dispose](): void {}
}
