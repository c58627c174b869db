/**
 * Rows of `placements`, and what the scheduler's record says about single tasks and nodes.
 *
 * @module
 */

import type { PlacementEvent } from "../../trace/records.ts";
import { weigherText } from "../../trace/weighers.ts";
import type { PlacementRow } from "./queue_tables.ts";

/** When a task was placed for the last time, epoch ms. */
export interface TaskPlacement {
  /** Reached the head of the queue. */
  headMs: number | null;
  /** Was assigned; null: it still waits. */
  assignedMs: number | null;
}

/** What a node offers from one time on. */
export interface OfferedUnits {
  /** From then on, epoch ms. */
  readonly fromMs: number;
  /** vCPUs; 0: the scheduler knows it no longer. */
  readonly units: number;
}

interface Host {
  readonly units: number;
  readonly isDraining: boolean;
  freeUnits: number;
  freeSlots: number | null;
}

/** Follows the record of a scheduler event by event. */
export class PlacementFold {
  /** Tasks that the record names. */
  readonly tasks: Map<string, TaskPlacement> = new Map();
  /** What each node offered over time. */
  readonly offered: Map<string, OfferedUnits[]> = new Map();
  readonly #hosts = new Map<string, Host>();
  #tokenNodes: ReadonlySet<string> | null = null;
  #policy: Pick<
    PlacementRow,
    "leader" | "weigher" | "weigher_order" | "scan_pending" | "weighers"
  > = {
    leader: null,
    weigher: null,
    weigher_order: null,
    scan_pending: null,
    weighers: null,
  };

  /** Take the next event; the row when it is a decision. */
  take(event: PlacementEvent): PlacementRow | null {
    const node = event.node ?? "";
    switch (event.event) {
      case "policy": {
        const { leader, weigher, weigher_order, scan_pending } = event;
        const weighers = event.weighers && weigherText(event.weighers);
        this.#policy = { leader, weigher, weigher_order, scan_pending, weighers };
        this.#hosts.clear();
        this.#tokenNodes = null;
        return null;
      }
      case "host":
        this.#hosts.set(node, {
          units: event.capacity_units ?? 0,
          isDraining: event.is_draining ?? false,
          freeUnits: event.free_units ?? 0,
          freeSlots: event.free_slots,
        });
        this.#offer(node, { fromMs: event.ts_ms, units: event.capacity_units ?? 0 });
        return null;
      case "host_gone":
        this.#hosts.delete(node);
        this.#offer(node, { fromMs: event.ts_ms, units: 0 });
        return null;
      case "tokens":
        this.#tokenNodes = event.token_nodes === null ? null : new Set(event.token_nodes);
        return null;
      case "waiting":
        this.#noteWaiting(event);
        return this.#rowOf(event);
      case "placed": {
        const row = this.#rowOf(event);
        this.#notePlaced(event);
        return row;
      }
    }
  }

  #offer(node: string, step: OfferedUnits): void {
    const steps = this.offered.get(node) ?? [];
    this.offered.set(node, steps);
    if (steps.at(-1)?.units !== step.units) steps.push(step);
  }

  #noteWaiting({ task_id, ts_ms }: PlacementEvent): void {
    if (task_id === null) return;
    const known = this.tasks.get(task_id);
    // A task that was placed and waits again has come back: the new wait counts.
    if (known === undefined || known.assignedMs !== null) {
      this.tasks.set(task_id, { headMs: ts_ms, assignedMs: null });
    }
  }

  #notePlaced({ task_id, ts_ms, node, cpu_units }: PlacementEvent): void {
    const host = this.#hosts.get(node ?? "");
    if (host !== undefined) {
      host.freeUnits -= cpu_units ?? 0;
      if (host.freeSlots !== null) host.freeSlots--;
    }
    if (task_id === null) return;
    const known = this.tasks.get(task_id);
    const isWaiting = known !== undefined && known.assignedMs === null;
    this.tasks.set(task_id, { headMs: isWaiting ? known.headMs : null, assignedMs: ts_ms });
  }

  #rowOf(event: PlacementEvent): PlacementRow {
    const { reasons } = event;
    return {
      ts_ms: event.ts_ms,
      decision: event.event,
      task_id: event.task_id,
      seq: event.seq,
      cpu_units: event.cpu_units,
      node: event.node,
      index: event.index,
      hosts: this.#hosts.size,
      candidates: this.#candidates(event.cpu_units ?? 0),
      reason: reasons === null ? null : mainReason(reasons),
      reasons: reasons === null ? null : JSON.stringify(reasons),
      ...this.#policy,
    };
  }

  #candidates(units: number): number {
    let count = 0;
    for (const [node, host] of this.#hosts) if (this.#isFeasible(node, { host, units })) count++;
    return count;
  }

  /** As the scheduler's placement has it; the tests compare the two. */
  #isFeasible(node: string, { host, units }: { host: Host; units: number }): boolean {
    if (host.units < units || host.isDraining || host.freeUnits < units) return false;
    if (host.freeSlots === null) return true;
    return host.freeSlots > 0 && (this.#tokenNodes === null || this.#tokenNodes.has(node));
  }
}

/** The reason of most nodes; of two with equal numbers the first by name. */
function mainReason(reasons: Readonly<Record<string, number>>): string {
  const sorted = Object.entries(reasons).sort(([a, some], [b, others]) =>
    others - some || (a < b ? -1 : 1)
  );
  return sorted[0]?.[0] ?? "no_node";
}
