/**
 * The state of the queue as text. Pure.
 */

import type { NodeStatus, QueueStatus, TaskWhereabouts } from "../../scheduler/queue/status.ts";
import { counted } from "../../trace/counted.ts";

/** Lines that show `status`. */
export function statusLines(status: QueueStatus): string[] {
  const { pending_key, pending, scheduler, head, nodes, dead_letters, ended } = status;
  const lines = [
    `${pending_key}  ${pending} waiting · scheduler ${scheduler ?? "none is active"}` +
    ` · ${counted(dead_letters, "dead letter")}`,
  ];
  if (head !== null) {
    const task = head.task_id === null
      ? "not a task"
      : `${head.task_id} (${head.profile ?? "no profile"}, ${
        counted(head.cpu_units ?? 0, "unit")
      }, ` +
        `waiting for ${duration(head.waited_ms)})`;
    lines.push(`head       ${task}: ${head.why}`);
  }
  lines.push(
    `ended      ${ended.done} done, ${ended.failed} failed, ${ended.dead} dead, ` +
      `${ended.cancelled} cancelled${unwrittenText(status)}`,
  );
  if (status.ts_data_lost !== null) {
    lines.push(`data lost  Redis lost data at ${new Date(status.ts_data_lost).toISOString()}`);
  }
  if (nodes.length > 0) lines.push("", ...table([NODE_COLUMNS, ...nodes.map(nodeRow)]));
  else lines.push("", "no node has a live worker");
  for (const { node, hold, capacity } of nodes.filter(({ hold }) => hold > 0)) {
    lines.push(
      "",
      `cap:${node} was set by hand: ${hold} of ${counted(capacity, "unit")} are held back until ` +
        "its worker registers again",
    );
  }
  if (status.drained.length > 0) {
    lines.push("", `drained, no live worker: ${status.drained.join(", ")} (drain --undo)`);
  }
  for (const { node, queued } of status.orphaned_queues ?? []) {
    lines.push(
      "",
      `q:${node}  ${counted(queued, "task")} waiting, and no live worker of that name`,
    );
  }
  if (status.foreign_caps !== null && status.foreign_caps.length > 0) {
    lines.push("", `ignored, no such node lives: ${status.foreign_caps.join(", ")}`);
  }
  if (status.foreign_tokens.length > 0) {
    lines.push("", `ignored slot tokens of: ${status.foreign_tokens.join(", ")}`);
  }
  return lines;
}

/** Without a scheduler results stay in Redis; with one, they are on their way for a moment. */
function unwrittenText({ unwritten_results, scheduler }: QueueStatus): string {
  if (scheduler !== null || unwritten_results === 0) return "";
  return ` · ${unwritten_results} results wait for a scheduler to write results.jsonl`;
}

const NODE_COLUMNS = ["node", "state", "units", "slots", "queued", "running", "heartbeat"];

function nodeRow(node: NodeStatus): string[] {
  const held = node.hold === 0 ? "" : ` (${node.hold} held)`;
  return [
    node.node,
    node.state,
    `${node.free}/${node.capacity} free${held}`,
    node.slots === null ? "-" : `${node.free_slots}/${node.slots} free`,
    String(node.queued),
    runningText(node),
    `${duration(node.heartbeat_age_ms)} ago`,
  ];
}

/** Running tasks that fit into a line of a terminal. */
const SHOWN_TASKS = 3;

function runningText({ running }: NodeStatus): string {
  if (running.length === 0) return "0";
  const names = running.slice(0, SHOWN_TASKS).map(({ task_id, attempt }) =>
    attempt === 1 ? task_id : `${task_id}#${attempt}`
  );
  const more = running.length > SHOWN_TASKS ? ", …" : "";
  return `${running.length}: ${names.join(", ")}${more}`;
}

function table(rows: readonly (readonly string[])[]): string[] {
  const widths = NODE_COLUMNS.map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0))
  );
  return rows.map((row) =>
    row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ").trimEnd()
  );
}

/** A length of time as people say it. */
export function duration(ms: number | null): string {
  if (ms === null) return "?";
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.floor(seconds % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** Where a task is, in words. */
export function whereaboutsLine(found: TaskWhereabouts): string {
  const { task_id, state, node, ahead, attempts, reason } = found;
  const behind = ahead === null ? "" : ahead === 0 ? ", the next one" : `, ${ahead} before it`;
  switch (state) {
    case null:
      return `${task_id}: the queue does not know it, or has forgotten it after its end`;
    case "pending":
      return node === null
        ? `${task_id}: waits in the pending queue${behind}`
        : `${task_id}: waits in the queue of ${node}, put there past the scheduler${behind}`;
    case "assigned":
      return `${task_id}: assigned to ${node}${behind}`;
    case "running":
      return `${task_id}: runs on ${node}, attempt ${attempts}`;
    default:
      return `${task_id}: ${state}${reason === null ? "" : `, ${reason}`}`;
  }
}
