/**
 * What this machine lets an adapter use: FFI or not, precise clock or not.
 *
 * @module
 */

import { type Clock, openClock } from "../../trace/clock.ts";
import { CloneStarter } from "./clone_starter.ts";
import { CommandStarter } from "./command_starter.ts";
import { StartCalls } from "./start_calls.ts";
import type { Starter } from "./starter.ts";

/** Clocks and starter of this machine. */
export interface Machine {
  /** Both clocks. */
  readonly clock: Clock;
  /** Starts processes. */
  readonly starter: Starter;
  /** Null where FFI is not available. */
  readonly libc: StartCalls | null;
  /** What is missing here and what it costs, a sentence each. */
  readonly notes: readonly string[];
}

/** Open the best that this machine has. */
export function openMachine(): Machine {
  const clock = openClock();
  const libc = StartCalls.open();
  if (libc instanceof StartCalls) {
    return { clock, libc, starter: new CloneStarter(libc, clock), notes: [] };
  }
  const note = `no rusage, and a shell's start counts as the task's: ${libc.missing}`;
  return { clock, libc: null, starter: new CommandStarter(clock), notes: [note] };
}
