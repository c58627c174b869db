/**
 * Placement: which node takes the next task. No clock, no I/O; the same input gives the same decision.
 *
 * Hosts are scanned in the order of their names. A host is feasible when it is not draining, has a free
 * slot (where it has slots) and as many free units as the task asks for. Without a weigher the first
 * feasible host takes the task (first-fit); with one, the feasible host of the smallest or largest
 * weight; with several, that of the largest sum of normalised weights times their multipliers. The
 * earlier name wins a tie. The queue is strict FIFO: a head that fits nowhere blocks what
 * is behind it, unless backfill is switched on.
 *
 * @module
 */

import type { Weigher, WeigherName, WeigherTerm } from "../../trace/weighers.ts";

export type { Weigher, WeigherName, WeigherTerm };

/** A host as placement sees it. */
export interface Host {
  /** NODE_ID. */
  readonly node: string;
  /** Units in all. */
  readonly capacity: number;
  /** Units that a task may take now. */
  free: number;
  /** Slots that a task may take now; null: the host has none, capacity alone counts. */
  freeSlots: number | null;
  /** Assigned and running tasks. */
  tasks: number;
  /** True where nothing new is placed. */
  readonly isDraining: boolean;
}

/** How one of several feasible hosts is chosen. */
export interface PlacementPolicy {
  /** How feasible hosts are weighed; "": not at all, the first is taken; a list: by a sum. */
  readonly weigher: Weigher;
  /** Whether the smallest or the largest weight wins; of a sum, the largest always does. */
  readonly order: "min" | "max";
  /** Tasks of the queue's front that may be placed past a waiting head; 1: none, strict FIFO. */
  readonly scanPending: number;
}

/** Why a host cannot take a task. */
export type Infeasibility = "draining" | "no_slot" | "no_token" | "busy" | "too_small";

/** A decision about one task. */
export type Decision =
  | { readonly kind: "placed"; readonly host: Host }
  | { readonly kind: "waiting" };

/** What {@linkcode place} is to decide. */
export interface Candidates {
  /** All hosts, sorted by name. */
  readonly hosts: readonly Host[];
  /** With `--scan-slots`: hosts with slots that may be considered; null: all. */
  readonly tokenNodes: ReadonlySet<string> | null;
}

/** The weight of a host, by the name of what weighs it. */
export const WEIGHERS = {
  /** Assigned and running tasks. */
  instances: (host: Host): number => host.tasks,
  /** Units that are not free. */
  vcpu: (host: Host): number => host.capacity - host.free,
} as const satisfies Readonly<Record<WeigherName, (host: Host) => number>>;

/** Why `host` cannot take a task of `units`, or null when it can. */
export function infeasibility(
  host: Host,
  units: number,
  tokenNodes: ReadonlySet<string> | null,
): Infeasibility | null {
  if (host.capacity < units) return "too_small";
  if (host.isDraining) return "draining";
  if (host.free < units) return "busy";
  if (host.freeSlots === null) return null;
  if (host.freeSlots < 1) return "no_slot";
  return tokenNodes === null || tokenNodes.has(host.node) ? null : "no_token";
}

/** The host for a task of `units`. */
export function place(units: number, candidates: Candidates, policy: PlacementPolicy): Decision {
  const { hosts, tokenNodes } = candidates;
  if (typeof policy.weigher !== "string") {
    const feasible = hosts.filter((host) => infeasibility(host, units, tokenNodes) === null);
    const host = heaviest(feasible, policy.weigher);
    return host === null ? { kind: "waiting" } : { kind: "placed", host };
  }
  const weigh = policy.weigher === "" ? null : WEIGHERS[policy.weigher];
  let best: Host | null = null;
  let bestWeight = Infinity;
  for (const host of hosts) {
    if (host.free < units || infeasibility(host, units, tokenNodes) !== null) continue;
    if (weigh === null) return { kind: "placed", host };
    const weight = weigh(host);
    const signed = policy.order === "min" ? weight : -weight;
    if (signed < bestWeight) {
      best = host;
      bestWeight = signed;
    }
  }
  return best === null ? { kind: "waiting" } : { kind: "placed", host: best };
}

/** The host of the largest sum, the first of several; null where there is none. */
function heaviest(hosts: readonly Host[], terms: readonly WeigherTerm[]): Host | null {
  const sums = hosts.map(() => 0);
  for (const { weigher, multiplier } of terms) {
    for (const [at, weight] of normalized(hosts.map(WEIGHERS[weigher])).entries()) {
      sums[at] = (sums[at] ?? 0) + multiplier * weight;
    }
  }
  const largest = sums.reduce((most, sum) => Math.max(most, sum), -Infinity);
  return hosts[sums.indexOf(largest)] ?? null;
}

/** Weights scaled to 0 for the smallest and 1 for the largest; all 0 where they are equal. */
export function normalized(weights: readonly number[]): number[] {
  const least = weights.reduce((one, other) => Math.min(one, other), Infinity);
  const most = weights.reduce((one, other) => Math.max(one, other), -Infinity);
  const range = most - least;
  return weights.map((weight) => range === 0 ? 0 : (weight - least) / range);
}

/** Hosts by the reason for which they cannot take a task of `units`. */
export function explainWaiting(
  units: number,
  { hosts, tokenNodes }: Candidates,
): Readonly<Partial<Record<Infeasibility, readonly string[]>>> {
  const reasons: Partial<Record<Infeasibility, string[]>> = {};
  for (const host of hosts) {
    const reason = infeasibility(host, units, tokenNodes);
    if (reason !== null) (reasons[reason] ??= []).push(host.node);
  }
  return reasons;
}

/** Take `units` and a slot of `host`. */
export function reserve(host: Host, units: number): void {
  host.free -= units;
  host.tasks += 1;
  if (host.freeSlots !== null) host.freeSlots -= 1;
}

/** Give back what {@linkcode reserve} took. */
export function release(host: Host, units: number): void {
  host.free += units;
  host.tasks -= 1;
  if (host.freeSlots !== null) host.freeSlots += 1;
}

/** A task at the front of the queue. */
export interface QueuedTask {
  /** The task. */
  readonly taskId: string;
  /** Units that it asks for. */
  readonly units: number;
}

/** One placement of a plan. */
export interface PlannedPlacement<T extends QueuedTask> {
  /** The task. */
  readonly task: T;
  /** The host. */
  readonly host: Host;
  /** Its place in the queue once the placements before it are done: 0 for the head. */
  readonly index: number;
}

/** What to do with the front of the queue. */
export interface Plan<T extends QueuedTask> {
  /** Placements, in their order; the hosts' books have them already. */
  readonly placements: readonly PlannedPlacement<T>[];
  /** The first task that fits nowhere, null when all fit. */
  readonly waiting: T | null;
}

/** Place as many as possible of `tasks`, the front of the queue in its order. */
export function planBatch<T extends QueuedTask>(
  tasks: readonly T[],
  candidates: Candidates,
  policy: PlacementPolicy,
): Plan<T> {
  const placements: PlannedPlacement<T>[] = [];
  let waiting: T | null = null;
  let skipped = 0;
  // What cannot take the smallest of these tasks need not be looked at for each of them.
  const least = tasks.reduce((units, task) => Math.min(units, task.units), Infinity);
  const { tokenNodes } = candidates;
  const hosts = candidates.hosts.filter((host) => infeasibility(host, least, tokenNodes) === null);
  for (const task of tasks) {
    const decision = place(task.units, { hosts, tokenNodes }, policy);
    if (decision.kind === "placed") {
      reserve(decision.host, task.units);
      placements.push({ task, host: decision.host, index: skipped });
      continue;
    }
    waiting ??= task;
    skipped += 1;
    if (skipped >= policy.scanPending) break;
  }
  return { placements, waiting };
}
