/**
 * The record of what the scheduler knew and decided.
 *
 * @module
 */

import type { LineSink } from "../../trace/patient_writer.ts";
import type { PlacementEvent } from "../../trace/records.ts";
import type { Host, Infeasibility, PlacementPolicy } from "./placement.ts";

/** A line as it is written: what does not concern an event is left out, and reads as null. */
type Line = Partial<PlacementEvent> & Pick<PlacementEvent, "event" | "ts_ms">;

/** A task as the record names it. */
export interface LoggedTask {
  /** The task. */
  readonly taskId: string;
  /** Its place in the order of submission. */
  readonly seq: number | null;
  /** Units that it asks for. */
  readonly units: number;
}

/** Collects lines and appends them in one write per step of the scheduler. */
export class PlacementLog {
  readonly #writer: LineSink | null;
  #lines: Line[] = [];

  /** Write with `writer`; null: keep no record. */
  constructor(writer: LineSink | null) {
    this.#writer = writer;
  }

  /** This scheduler leads from here on; the hosts follow. */
  policy(tsMs: number, leader: string, policy: PlacementPolicy): void {
    const { weigher, order, scanPending } = policy;
    this.#add({
      event: "policy",
      ts_ms: tsMs,
      leader,
      ...(typeof weigher === "string" ? { weigher, weigher_order: order } : { weighers: weigher }),
      scan_pending: scanPending,
    });
  }

  /** A host as it is known now; null when it is gone. */
  host(tsMs: number, node: string, host: Host | null): void {
    if (host === null) {
      this.#add({ event: "host_gone", ts_ms: tsMs, node });
      return;
    }
    this.#add({
      event: "host",
      ts_ms: tsMs,
      node,
      capacity_units: host.capacity,
      free_units: host.free,
      free_slots: host.freeSlots,
      tasks: host.tasks,
      is_draining: host.isDraining,
    });
  }

  /** Which hosts with slots may be considered. */
  tokens(tsMs: number, tokenNodes: ReadonlySet<string> | null): void {
    this.#add({
      event: "tokens",
      ts_ms: tsMs,
      token_nodes: tokenNodes === null ? null : [...tokenNodes].sort(),
    });
  }

  /** A task was placed. */
  placed(tsMs: number, task: LoggedTask, { node, index }: { node: string; index: number }): void {
    this.#add({ event: "placed", ts_ms: tsMs, ...named(task), node, index });
  }

  /** A task waits; `reasons` holds the hosts by why they cannot take it. */
  waiting(
    tsMs: number,
    task: LoggedTask,
    reasons: Readonly<Partial<Record<Infeasibility, readonly string[]>>>,
  ): void {
    const counts = Object.entries(reasons).map(([reason, nodes]) => [reason, nodes.length]);
    const line = { event: "waiting", ts_ms: tsMs, ...named(task) } as const;
    this.#add({ ...line, reasons: Object.fromEntries(counts) });
  }

  /** Append what was collected. */
  flush(): void {
    if (this.#lines.length === 0) return;
    this.#writer?.append(this.#lines);
    this.#lines = [];
  }

  #add(line: Line): void {
    if (this.#writer !== null) this.#lines.push(line);
  }
}

function named({ taskId, seq, units }: LoggedTask): Pick<Line, "task_id" | "seq" | "cpu_units"> {
  return { task_id: taskId, seq, cpu_units: units };
}
