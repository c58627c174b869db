/**
 * Both clocks read by system calls of a list, in the process or on the thread that the time is of.
 *
 * @module
 */

import {
  CLOCK_BOOTTIME,
  CLOCK_PROCESS_CPUTIME_ID,
  CLOCK_REALTIME,
  type ClockReading,
} from "../../trace/clock.ts";
import { SYSTEM_CALL } from "../../trace/linux/abi.ts";
import { TIMESPEC_WORDS, timespecMs } from "../../trace/linux/cpu_clock.ts";
import { roundToUs } from "../../trace/units.ts";
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

/** 32-bit words of the stamp of a start: a stamp, and the CPU time that came before it. */
export const START_STAMP_WORDS: number = STAMP_WORDS + TIMESPEC_WORDS;

/** The calls by which a new process stamps its start into the words at `address`. */
export function startStampCalls(address: bigint): SystemCall[] {
  const cpuAddress = address + BigInt(STAMP_WORDS * 4);
  return [
    ...stampCalls(address),
    [SYSTEM_CALL.clockGettime, CLOCK_PROCESS_CPUTIME_ID, cpuAddress],
  ];
}

/**
 * When the process that made these calls had used no CPU time yet: what it used until then counts in its
 * total, so the time that it took must be between start and end.
 */
export function readStartStamp(words: Uint32Array): ClockReading {
  const { tsMs, bootMs } = readStamp(words);
  const cpuMs = timespecMs(words, STAMP_WORDS);
  return { tsMs: roundToUs(tsMs - cpuMs), bootMs: roundToUs(bootMs - cpuMs) };
}
