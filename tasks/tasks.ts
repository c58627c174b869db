/** List the tasks that have not ended. */

import { PLAIN_CLIENT } from "../scheduler/queue/plain_client.ts";
import type { ListedTask } from "../scheduler/queue/listing.ts";
import type { Parsed } from "./command/parse.ts";
import { type Io, runMain } from "./command/main.ts";
import { duration } from "./operator/status_report.ts";
import { reachQueue } from "./redis/reach.ts";
import { parseTimeLimit } from "./submit/plan.ts";
import { TASKS } from "./flags/tasks.ts";

/** `deno task tasks`. */
export async function main({ options }: Parsed<typeof TASKS.flags>, io: Io): Promise<number> {
  const olderThanS = parseTimeLimit(options["older-than"]);
  await using queue = await reachQueue(options, { io, client: PLAIN_CLIENT });
  const nowMs = await queue.time();
  const filter = {
    state: options.state,
    node: options.node,
    profile: options.name,
    enqueuedBefore: olderThanS === null ? null : nowMs - olderThanS * 1000,
  };
  let count = 0;
  for await (const task of queue.listing().tasks(filter)) {
    if (count === 0 && !options.json) io.print(HEADER);
    io.print(options.json ? JSON.stringify(task) : lineOf(task, nowMs));
    if (++count === options.limit) {
      io.say(`the first ${count} are listed: --limit 0 lists all`);
      break;
    }
  }
  if (count === 0) io.say("no such task is pending, assigned or running");
  return 0;
}

const HEADER = row(["state", "node", "vCPUs", "waited", "profile", "task"]);

function lineOf(task: ListedTask, nowMs: number): string {
  const { state, node, cpu_units, ts_enqueue, profile, task_id, attempt } = task;
  const age = ts_enqueue === null ? "?" : duration(nowMs - ts_enqueue);
  const name = attempt === null || attempt === 1 ? task_id : `${task_id}#${attempt}`;
  return row([state, node ?? "-", String(cpu_units ?? "?"), age, profile ?? "-", name]);
}

function row(cells: readonly string[]): string {
  const widths = [8, 16, 5, 12, 16, 0];
  return cells.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join("  ").trimEnd();
}

if (import.meta.main) await runMain(TASKS, main);
