/**
 * Placing a recorded run again: the same knowledge must give the same decisions.
 *
 * @module
 */

import type { PlacementEvent } from "../../trace/records.ts";
import { HostMirror } from "./host_mirror.ts";
import { explainWaiting, place, type PlacementPolicy, reserve } from "./placement.ts";

/** A decision that comes out differently. */
export interface Difference {
  /** The task. */
  readonly taskId: string;
  /** What the record says: a node, or that it waits and why. */
  readonly recorded: string;
  /** What this scheduler decides. */
  readonly decided: string;
}

/** Takes the events of a `placement_events.jsonl` one by one. */
export class PlacementReplay {
  readonly #mirror = new HostMirror();
  #policy: PlacementPolicy = { weigher: "", order: "min", scanPending: 1 };
  #tokenNodes: ReadonlySet<string> | null = null;
  #decisions = 0;

  /** Decisions that were made again. */
  get decisions(): number {
    return this.#decisions;
  }

  /** Take the next event; the difference when it is a decision that comes out differently. */
  take(event: PlacementEvent): Difference | null {
    const { node } = event;
    switch (event.event) {
      case "policy":
        this.#mirror.replace([]);
        this.#tokenNodes = null;
        this.#policy = {
          weigher: event.weighers ?? event.weigher ?? "",
          order: event.weigher_order ?? "min",
          scanPending: event.scan_pending ?? 1,
        };
        return null;
      case "host":
        this.#mirror.set({
          node: node ?? "",
          capacity: event.capacity_units ?? 0,
          free: event.free_units ?? 0,
          freeSlots: event.free_slots,
          tasks: event.tasks ?? 0,
          isDraining: event.is_draining ?? false,
        });
        return null;
      case "host_gone":
        this.#mirror.update(node ?? "", null);
        return null;
      case "tokens":
        this.#tokenNodes = event.token_nodes === null ? null : new Set(event.token_nodes);
        return null;
      case "placed":
      case "waiting":
        return this.#decide(event);
    }
  }

  #decide(event: PlacementEvent): Difference | null {
    const units = event.cpu_units ?? 0;
    const candidates = { hosts: this.#mirror.hosts, tokenNodes: this.#tokenNodes };
    const decision = place(units, candidates, this.#policy);
    const decided = decision.kind === "placed"
      ? decision.host.node
      : `waits: ${counted(explainWaiting(units, candidates))}`;
    const recorded = event.event === "placed"
      ? event.node ?? ""
      : `waits: ${counted(event.reasons ?? {})}`;
    this.#decisions += 1;
    const host = this.#mirror.get(event.node ?? "");
    if (event.event === "placed" && host !== null) reserve(host, units);
    return decided === recorded ? null : { taskId: event.task_id ?? "", recorded, decided };
  }
}

/** `busy=3 too_small=1`, in the order of the names. */
function counted(reasons: Readonly<Record<string, number | readonly string[]>>): string {
  return Object.entries(reasons)
    .map(([reason, nodes]) => `${reason}=${typeof nodes === "number" ? nodes : nodes.length}`)
    .sort().join(" ");
}
