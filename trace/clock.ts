/**
 * The two clocks of the contract: epoch milliseconds for `ts_*`, and the boot clock beside them.
 *
 * The boot clock (CLOCK_BOOTTIME, clock_gettime(2)) is never stepped, counts suspended time and is one
 * for all processes of a machine, so that intervals hold even when somebody sets the wall clock.
 *
 * @module
 */

import { TIMESPEC_WORDS, timespecMs } from "./linux/cpu_clock.ts";
import { LibcUnavailableError, openLibc } from "./linux/libc.ts";

/** The wall clock in `linux/time.h`. */
export const CLOCK_REALTIME = 0;
/** CPU time of the calling process, in `linux/time.h`. */
export const CLOCK_PROCESS_CPUTIME_ID = 2;
/** The boot clock in `linux/time.h`. */
export const CLOCK_BOOTTIME = 7;

/** A reading of both clocks, the wall clock first. */
export interface ClockReading {
  /** Wall clock, ms since the epoch, with decimals. */
  readonly tsMs: number;
  /** Boot clock, ms since boot, with decimals. */
  readonly bootMs: number;
}

/** Reads both clocks of this machine. */
export interface Clock extends Disposable {
  /** Both clocks now. */
  now(): ClockReading;
  /** The boot clock alone, ms with decimals. */
  bootMs(): number;
  /** True when readings have nanosecond resolution (FFI), false for the 10 ms of /proc/uptime. */
  readonly isPrecise: boolean;
}

/**
 * Open the clocks: those of the C library, or where there is none of that name (musl) the wall clock of
 * the runtime and the boot clock of /proc/uptime (10 ms steps; proc_uptime(5)). Both ways need every
 * permission.
 */
export function openClock(): Clock {
  try {
    return new LibcClock();
  } catch (error) {
    if (error instanceof LibcUnavailableError) return new UptimeClock();
    throw error;
  }
}

class LibcClock implements Clock {
  readonly isPrecise = true;
  readonly #library = openLibc({
    clock_gettime: { parameters: ["i32", "buffer"], result: "i32" },
  });
  readonly #timespec = new Uint32Array(TIMESPEC_WORDS);
  readonly #bytes = new Uint8Array(this.#timespec.buffer);

  now(): ClockReading {
    return { tsMs: this.#read(CLOCK_REALTIME), bootMs: this.#read(CLOCK_BOOTTIME) };
  }

  bootMs(): number {
    return this.#read(CLOCK_BOOTTIME);
  }

  [Symbol.dispose](): void {
    this.#library.close();
  }

  #read(clock: number): number {
    this.#library.symbols.clock_gettime(clock, this.#bytes);
    return timespecMs(this.#timespec, 0);
  }
}

class UptimeClock implements Clock {
  readonly isPrecise = false;

  now(): ClockReading {
    return { tsMs: Date.now(), bootMs: this.bootMs() };
  }

  bootMs(): number {
    const seconds = Number(Deno.readTextFileSync("/proc/uptime").split(" ", 1)[0]);
    return Math.round(seconds * 1000);
  }

  [Symbol.dispose](): void {}
}
