/**
 * What wait4(2) tells about a process that ended: its wait status and struct rusage.
 *
 * @module
 */

import { roundToUs, usToMs } from "../../trace/units.ts";
import { signalName } from "../../trace/linux/abi.ts";

/** Words of struct rusage on 64-bit Linux: two timevals and 14 longs. */
export const RUSAGE_WORDS = 18;

/** Resources of a process and of the descendants that it waited for, getrusage(2). */
export interface Rusage {
  /** CPU time in user mode. */
  readonly userMs: number;
  /** CPU time in the kernel. */
  readonly systemMs: number;
  /** Largest resident memory of one process, kB; includes the launcher's own peak before exec. */
  readonly maxRssKb: number;
  /** Page faults without I/O. */
  readonly minorFaults: number;
  /** Page faults with I/O. */
  readonly majorFaults: number;
  /** Blocks of 512 bytes read. */
  readonly readBlocks: number;
  /** Blocks of 512 bytes written. */
  readonly writtenBlocks: number;
  /** Context switches that it asked for. */
  readonly voluntarySwitches: number;
  /** Context switches by preemption. */
  readonly involuntarySwitches: number;
}

/** How a process ended. */
export interface WaitResult {
  /** Exit code; 128 + signal for a killed process, as shells count. */
  readonly status: number;
  /** The signal that killed it. */
  readonly signal: string | null;
  /** What it used; null where the launcher cannot know. */
  readonly rusage: Rusage | null;
}

/** The result in a wait status and the words of a struct rusage. */
export function parseWaitResult(waitStatus: number, words: BigInt64Array): WaitResult {
  const word = (index: number): number => Number(words[index] ?? 0n);
  const timeMs = (index: number): number => roundToUs(word(index) * 1000 + usToMs(word(index + 1)));
  // wait(2): the low seven bits are the signal, the next byte above them the exit code.
  const signal = waitStatus & 0x7f;
  return {
    status: signal === 0 ? (waitStatus >> 8) & 0xff : 128 + signal,
    signal: signal === 0 ? null : signalName(signal),
    rusage: {
      userMs: timeMs(0),
      systemMs: timeMs(2),
      maxRssKb: word(4),
      minorFaults: word(8),
      majorFaults: word(9),
      readBlocks: word(11),
      writtenBlocks: word(12),
      voluntarySwitches: word(16),
      involuntarySwitches: word(17),
    },
  };
}
