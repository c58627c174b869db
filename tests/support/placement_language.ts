/**
 * A small language for placements. Nodes: `name:free/capacity`, `name:free/capacity s1` with a free slot
 * count, a trailing `~` while it drains, `t3` for three tasks. Tasks: units separated by blanks. A plan:
 * one node name per task, `-` where the head waits and placing ends.
 */

import { type Host, type PlacementPolicy, planBatch } from "../../scheduler/placement/placement.ts";

/** Hosts from lines like `a:2/4 s1 t2`, in the order of their names. */
export function hostsOf(text: string): Host[] {
  const hosts = text.split(",").map((part) => part.trim()).filter((part) => part !== "").map(
    hostOf,
  );
  return hosts.sort((a, b) => a.node < b.node ? -1 : 1);
}

function hostOf(text: string): Host {
  const [books = "", ...marks] = text.split(/\s+/);
  const found = /^([\w.-]+):(-?\d+)\/(\d+)$/.exec(books);
  if (found === null) throw new SyntaxError(`Cannot read the node "${text}"`);
  const [, node = "", free, capacity] = found;
  const host: Host = {
    node,
    capacity: Number(capacity),
    free: Number(free),
    freeSlots: null,
    tasks: 0,
    isDraining: marks.includes("~"),
  };
  for (const mark of marks) {
    if (mark.startsWith("s")) host.freeSlots = Number(mark.slice(1));
    if (mark.startsWith("t")) host.tasks = Number(mark.slice(1));
  }
  return host;
}

/** What is decided for tasks of these units: `a b -`. */
export function placed(
  nodes: string,
  tasks: string,
  { tokens = null, ...policy }: Partial<PlacementPolicy> & {
    readonly tokens?: readonly string[] | null;
  } = {},
): string {
  const queue = tasks.split(/\s+/).map((units, at) => ({ taskId: `t${at}`, units: Number(units) }));
  const candidates = { hosts: hostsOf(nodes), tokenNodes: tokens && new Set(tokens) };
  const full = { weigher: "", order: "min", scanPending: 1, ...policy } as const;
  const { placements, waiting } = planBatch(queue, candidates, full);
  const where = new Map(placements.map(({ task, host }) => [task.taskId, host.node]));
  const decided = queue.map(({ taskId }) => where.get(taskId) ?? "-");
  if (full.scanPending === 1 && waiting !== null) decided.length = decided.indexOf("-") + 1;
  return decided.join(" ");
}
