/**
 * Which node gets which task where a dispatcher speaks to the nodes themselves, past the scheduler.
 *
 * @module
 */

import type { Task } from "../../trace/task.ts";

/**
 * The seeds' policies. `rr3`: round robin. `duration-greedy`: in order, each to the node with the least
 * input duration so far. `lpt-duration`: the same, longest first. `duration-online` and
 * `online-duration` are one policy: in order, to the node with the least so far among those whose queue
 * is below its limit at that moment.
 */
export const NODE_POLICIES = [
  "rr3",
  "duration-greedy",
  "lpt-duration",
  "duration-online",
  "online-duration",
] as const;

/** A policy of {@linkcode NODE_POLICIES}. */
export type NodePolicy = (typeof NODE_POLICIES)[number];

/** True where the policy looks at the queues while it goes. */
export function isOnline(policy: NodePolicy): boolean {
  return policy === "duration-online" || policy === "online-duration";
}

/** A task and its node. */
export interface NodeTask {
  /** The node. */
  readonly node: string;
  /** The task. */
  readonly task: Task;
}

/** What {@linkcode placeOnNodes} goes by. */
export interface NodePolicyOptions {
  /** Nodes, in the order given. */
  readonly nodes: readonly string[];
  /** A policy that is not online. */
  readonly policy: NodePolicy;
  /** Duration of a task's input, s; unused by `rr3`. */
  readonly durationS: (task: Task) => number;
}

/** The tasks with their nodes, in the order in which they are to be enqueued. */
export function placeOnNodes(
  tasks: readonly Task[],
  { nodes, policy, durationS }: NodePolicyOptions,
): NodeTask[] {
  if (policy === "rr3") {
    return tasks.map((task, index) => ({ node: nodes[index % nodes.length] as string, task }));
  }
  const load = new NodeLoad(nodes);
  const ordered = policy === "lpt-duration"
    ? tasks.toSorted((a, b) => durationS(b) - durationS(a))
    : tasks;
  return ordered.map((task) => {
    const node = load.leastOf(nodes);
    load.add(node, durationS(task));
    return { node, task };
  });
}

/** Input duration that each node was given so far. */
export class NodeLoad {
  readonly #seconds: Map<string, number>;

  /** Nothing yet on any of `nodes`. */
  constructor(nodes: readonly string[]) {
    this.#seconds = new Map(nodes.map((node) => [node, 0]));
  }

  /** The one of `nodes` with the least; the first of those that are equal. */
  leastOf(nodes: readonly string[]): string {
    return nodes.reduce((best, node) => this.#of(node) < this.#of(best) ? node : best);
  }

  /** Add `seconds` to what `node` was given. */
  add(node: string, seconds: number): void {
    this.#seconds.set(node, this.#of(node) + seconds);
  }

  #of(node: string): number {
    return this.#seconds.get(node) ?? 0;
  }
}
