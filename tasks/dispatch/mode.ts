/**
 * What a dispatcher's flags mean together: which queue is fed, and at what pace. Pure.
 */

import {
  type Arrivals,
  parseArrivals,
  type PulseOptions,
} from "../../scheduler/dispatch/arrivals.ts";
import type { FeedLimits } from "../../scheduler/dispatcher.ts";
import { isOnline, type NodePolicy } from "../../scheduler/dispatch/node_policy.ts";
import { parseNodeId } from "../../trace/run_dir.ts";
import { asUsage, UsageError } from "../command/usage_error.ts";
import type { DispatchFlags } from "../flags/dispatch.ts";

/** Nodes that are fed directly. */
export interface NodesMode {
  /** NODE_IDs, in the order given. */
  readonly nodes: readonly string[];
  /** Which node gets which task. */
  readonly policy: NodePolicy;
}

/** How tasks are handed over. */
export type DispatchMode =
  /** To the pending queue in pulses. */
  | { readonly kind: "pulse"; readonly pulse: PulseOptions }
  /** To the pending queue as it has room. */
  | { readonly kind: "fifo"; readonly limits: FeedLimits }
  /** At times fixed beforehand, to the pending queue or to nodes. */
  | { readonly kind: "arrivals"; readonly arrivals: Arrivals; readonly to: NodesMode | null }
  /** To nodes: at once, as their queues have room, or looking at the queues for each task. */
  | (NodesMode & { readonly kind: "direct" })
  | (NodesMode & { readonly kind: "drip" | "online"; readonly limits: FeedLimits });

/** Flags that only the fifo mode has: with one of them and no --pending-mode it is meant. */
const FIFO_FLAGS = ["pending-max", "batch-size", "dribble-interval"];

/**
 * The mode that `options` ask for; null when they name no queue.
 *
 * @param given Names of the flags that were given, not defaulted.
 * @throws {UsageError} when they contradict each other.
 */
export function modeOf(options: DispatchFlags, given: ReadonlySet<string>): DispatchMode | null {
  const to = nodesOf(options);
  if (options.arrivals !== null) {
    if (given.has("pending-mode") || options.drip || (to !== null && isOnline(to.policy))) {
      throw new UsageError(
        "--arrivals fixes all times beforehand: it excludes --pending-mode, --drip and online policies",
      );
    }
    if (to === null && !options.pending) return null;
    const arrivals = asUsage(() => parseArrivals(options.arrivals as string));
    return { kind: "arrivals", arrivals, to: options.pending ? null : to };
  }
  if (options.pending) {
    const isFifoMeant = FIFO_FLAGS.some((name) => given.has(name));
    const mode = options["pending-mode"] ?? (isFifoMeant ? "fifo" : "pulse");
    if (mode === "fifo") return { kind: "fifo", limits: limitsOf(options, options["pending-max"]) };
    const pulse = {
      size: options["pulse-size"],
      intervalS: options["pulse-interval"],
      staggerS: options["pulse-stagger"],
    };
    return { kind: "pulse", pulse };
  }
  if (to === null) return null;
  if (!options.drip && !isOnline(to.policy)) return { kind: "direct", ...to };
  const limits = limitsOf(options, options["backlog-limit"]);
  return { kind: isOnline(to.policy) ? "online" : "drip", limits, ...to };
}

function limitsOf(options: DispatchFlags, queueMax: number): FeedLimits {
  return {
    queueMax,
    batchSize: options["batch-size"],
    intervalMs: options["dribble-interval"] * 1000,
  };
}

function nodesOf({ nodes, policy }: DispatchFlags): NodesMode | null {
  if (nodes === null) return null;
  const names = nodes.split(/[\s,]+/).filter((name) => name !== "");
  if (names.length === 0) throw new UsageError("--nodes needs names like cloud1,cloud2");
  if (new Set(names).size < names.length) throw new UsageError("--nodes names a node twice");
  return { nodes: names.map((name) => asUsage(() => parseNodeId(name))), policy };
}

/** What it means for a dispatch that no scheduler is active. */
export function withoutScheduler(mode: DispatchMode): string {
  const isDirect = "nodes" in mode || (mode.kind === "arrivals" && mode.to !== null);
  return isDirect
    ? "no scheduler is active: results stay in Redis until one writes them into results.jsonl"
    : "no scheduler is active: tasks wait for one";
}

/** The mode in words, for the first line that a dispatcher says. */
export function describeMode(mode: DispatchMode): string {
  switch (mode.kind) {
    case "pulse": {
      const { size, intervalS, staggerS } = mode.pulse;
      return `to q:pending in pulses of ${size} every ${intervalS} s, ${staggerS} s apart`;
    }
    case "fifo":
      return `to q:pending, ${describeLimits(mode.limits)}`;
    case "arrivals": {
      const queue = mode.to === null ? "q:pending" : mode.to.nodes.join(", ");
      return `to ${queue} by arrivals ${describeArrivals(mode.arrivals)}`;
    }
    case "direct":
      return `to ${mode.nodes.join(", ")} at once by ${mode.policy}`;
    case "drip":
    case "online":
      return `to ${mode.nodes.join(", ")} by ${mode.policy}, ${describeLimits(mode.limits)}`;
  }
}

function describeLimits({ queueMax, batchSize, intervalMs }: FeedLimits): string {
  return `${batchSize} every ${intervalMs / 1000} s while fewer than ${queueMax} wait`;
}

function describeArrivals(arrivals: Arrivals): string {
  switch (arrivals.kind) {
    case "poisson":
      return `poisson, ${arrivals.ratePerS} per s`;
    case "every":
      return `every ${arrivals.intervalS} s`;
    case "file":
      return `of ${arrivals.path}`;
  }
}
