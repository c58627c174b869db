/**
 * How the processes to follow are found: by sentinels, by name, by cgroup or by descent.
 *
 * @module
 */

import type { AlarmEvents } from "../sampling/alarm.ts";
import type { CollectorStats } from "../../trace/records.ts";

/** Finds processes to follow. */
export interface Finder {
  /** Name of the way. */
  readonly mode: CollectorStats["mode"];
  /** Follow or let go at once what the alarm told of; called between two ticks. */
  react(events: AlarmEvents): void;
  /** Look for what came and went; called at each tick. */
  refresh(): void;
  /** Sentinels ignored since the last call: stale ones, and those of another process. */
  takeForeignCount(): number;
  /**
   * Processes born since the last call that a scan of the whole host met, whatever their names; null: this
   * way takes no such look.
   */
  takeBornCount(): number | null;
}
