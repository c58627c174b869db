/**
 * What starts processes and tells how they end.
 *
 * @module
 */

import type { ClockReading } from "../../trace/clock.ts";
import type { ChildCpu } from "./children_counters.ts";
import type { SpawnPlan } from "./spawn_plan.ts";
import type { WaitResult } from "./wait_result.ts";

/** A process that ended. */
export interface Exit extends WaitResult {
  /** When its end was seen; never before it. */
  readonly at: ClockReading;
  /** CPU time by the counters of this process for its children, where there is no rusage; null: not known. */
  readonly childCpu: ChildCpu | null;
}

/** A process that was started. */
export interface Started {
  /** Its process id. */
  readonly pid: number;
  /** When it began: its own first act, or just before it was made. */
  readonly at: ClockReading;
  /** Its end. Never rejects. */
  readonly exit: Promise<Exit>;
}

/** Starts processes. */
export interface Starter {
  /** How, as the protocol calls it. */
  readonly kind: "clone" | "deno_command";
  /**
   * Start a process.
   *
   * @throws {SpawnError} saying which step failed and why.
   */
  start(plan: SpawnPlan): Started;
  /** Resolves when a descendant that outlived its parent has ended, or may have. */
  descendantEnded(): Promise<void>;
  /** True when such a descendant has ended at or after boot time `bootMs`, or may have. */
  hasLostOrphan(bootMs: number): boolean;
}
