/** Say where a task is, where it was considered, and why it was not placed. */

import { PLAIN_CLIENT } from "../scheduler/queue/plain_client.ts";
import type { HeadStatus, TaskWhereabouts } from "../scheduler/queue/status.ts";
import { TIMING } from "../scheduler/queue/timing.ts";
import { counted } from "../trace/counted.ts";
import { readLines } from "../trace/json_lines.ts";
import { PLACEMENT_EVENT, type PlacementEvent, TASK_RESULT } from "../trace/records.ts";
import type { TaskResult } from "../trace/records.ts";
import type { Parsed } from "./command/parse.ts";
import { UsageError } from "./command/usage_error.ts";
import { type Io, runMain } from "./command/main.ts";
import { reachQueue } from "./redis/reach.ts";
import { duration, whereaboutsLine } from "./operator/status_report.ts";
import { EXPLAIN, explainedRun } from "./flags/operator.ts";

/** All that is known of one task. */
interface Explanation {
  readonly task: TaskWhereabouts;
  /** The head of the queue, where the task waits behind it or is it. */
  readonly head: HeadStatus | null;
  /** What the scheduler decided about it, oldest first. */
  readonly decisions: readonly PlacementEvent[];
  /** How its attempts ended. */
  readonly results: readonly TaskResult[];
}

/** `deno task explain`. */
export async function main(
  { options, operands }: Parsed<typeof EXPLAIN.flags>,
  io: Io,
): Promise<number> {
  const [taskId, ...rest] = operands;
  if (taskId === undefined || rest.length > 0) throw new UsageError("one TASK_ID is required");
  await using queue = await reachQueue(options, { io, client: PLAIN_CLIENT });
  const operator = queue.operator(TIMING);
  const task = await operator.locate(taskId);
  const isPending = task.state === "pending" && task.node === null;
  const run = explainedRun(options);
  const explanation: Explanation = {
    task,
    head: isPending ? (await operator.status()).head : null,
    decisions: run === null
      ? []
      : await linesAbout(taskId, { path: run.placementEvents, decode: PLACEMENT_EVENT.decode }),
    results: run === null
      ? []
      : await linesAbout(taskId, { path: run.results, decode: TASK_RESULT.decode }),
  };
  if (options.json) io.print(JSON.stringify(explanation));
  else for (const line of explanationLines(explanation, Date.now())) io.print(line);
  const isKnown = task.state !== null || explanation.results.length > 0;
  return isKnown ? 0 : 1;
}

function explanationLines(
  { task, head, decisions, results }: Explanation,
  nowMs: number,
): string[] {
  const lines = task.state === null && results.length > 0 ? [] : [whereaboutsLine(task)];
  if (task.ts_enqueue !== null) {
    const units = task.cpu_units === null ? "" : `, asks for ${counted(task.cpu_units, "unit")}`;
    lines.push(`  enqueued ${duration(nowMs - task.ts_enqueue)} ago, place ${task.seq}${units}`);
  }
  if (head !== null) {
    const who = head.task_id === task.task_id ? "it is the head" : `the head is ${head.task_id}`;
    lines.push(`  ${who}: ${head.why}`);
  }
  for (const { event, ts_ms, node, reasons } of decisions) {
    const what = event === "placed" ? `placed on ${node}` : `considered: ${reasonText(reasons)}`;
    lines.push(`  ${timeOf(ts_ms)} ${what}`);
  }
  for (const { ts_finish, state, node, attempt, reason } of withoutRepeats(results)) {
    const where = node === null ? "" : ` on ${node}, attempt ${attempt}`;
    lines.push(`  ${timeOf(ts_finish)} ${state}${where}${reason === null ? "" : `: ${reason}`}`);
  }
  return lines;
}

/** A node that is the scheduler's machine has two records of each decision: its worker's and the queue's. */
function withoutRepeats(results: readonly TaskResult[]): TaskResult[] {
  return results.filter(({ state, attempt, node }, index) =>
    index ===
      results.findIndex((one) =>
        one.state === state && one.attempt === attempt && one.node === node
      )
  );
}

function reasonText(reasons: PlacementEvent["reasons"]): string {
  const parts = Object.entries(reasons ?? {}).map(([reason, count]) => `${count} ${reason}`);
  return parts.length === 0 ? "no node had a live worker" : `of the nodes ${parts.join(", ")}`;
}

function timeOf(tsMs: number): string {
  return new Date(tsMs).toISOString();
}

/** The records in a file that are about one task; none where there is no such file. */
async function linesAbout<T>(
  taskId: string,
  { path, decode }: {
    readonly path: string;
    readonly decode: (value: unknown, where: string) => T;
  },
): Promise<readonly T[]> {
  const mark = `"task_id":${JSON.stringify(taskId)}`;
  const found: T[] = [];
  try {
    for await (const { firstLine, lines, isTorn } of readLines(path)) {
      for (const [index, text] of lines.entries()) {
        // The scheduler may be in the middle of its last line.
        const isWhole = !isTorn || index < lines.length - 1;
        if (isWhole && text.includes(mark)) {
          found.push(decode(JSON.parse(text), `${path}:${firstLine + index}`));
        }
      }
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return found;
}

if (import.meta.main) await runMain(EXPLAIN, main);
