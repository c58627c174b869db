/**
 * Both clocks read by system calls of a list, in the process or on the thread that the time is of.
 *
 * @module
 */

import {
  CLOCK_BOOTTIME,
  CLOCK_REALTIME,
  type ClockReading,
  TIMESPEC_WORDS,
  timespecMs,
} from "../../trace/clock.ts";
import { SYSTEM_CALL } from "./linux.ts";
import type { SystemCall } from "./machine_code.ts";

/** 32-bit words of a stamp: two struct timespec, the wall clock first. */
export const STAMP_WORDS: number = 2 * TIMESPEC_WORDS;

/** The calls that read both clocks into the {@linkcode STAMP_WORDS} words at `address`. */
export function stampCalls(address: bigint): SystemCall[] {
  return [
    [SYSTEM_CALL.clockGettime, CLOCK_REALTIME, address],
    [SYSTEM_CALL.clockGettime, CLOCK_BOOTTIME, address + BigInt(TIMESPEC_WORDS * 4)],
  ];
}

/** The time that these calls wrote. */
export function readStamp(words: Uint32Array): ClockReading {
  return { tsMs: timespecMs(words, 0), bootMs: timespecMs(words, TIMESPEC_WORDS) };
}
