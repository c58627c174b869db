/** Submit a command as tasks to the queue. */

import { PLAIN_CLIENT } from "../scheduler/queue/plain_client.ts";
import { basename, join } from "@std/path";
import { dispatchFifo } from "../scheduler/dispatcher.ts";
import type { RedisQueue } from "../scheduler/queue/redis_queue.ts";
import { TIMING } from "../scheduler/queue/timing.ts";
import { counted } from "../trace/counted.ts";
import type { Task } from "../trace/task.ts";
import type { Parsed } from "./command/parse.ts";
import { asUsage, UsageError } from "./command/usage_error.ts";
import { CommandError, type Io, runMain } from "./command/main.ts";
import { sleep } from "./command/sleep.ts";
import { freshDispatchId } from "./dispatch/work.ts";
import { parseDispatchId } from "../scheduler/dispatch/plan.ts";
import { withoutScheduler } from "./dispatch/mode.ts";
import { waitForDispatch } from "./operator/waiting.ts";
import { reachQueue } from "./redis/reach.ts";
import {
  type Item,
  itemsOf,
  parseArray,
  parseTimeLimit,
  parseVariables,
  planSubmit,
} from "./submit/plan.ts";
import { eachOf, SUBMIT, type SubmitFlags } from "./flags/submit.ts";

/** `deno task submit`. */
export async function main(
  { options, operands }: Parsed<typeof SUBMIT.flags>,
  io: Io,
): Promise<number> {
  if (operands.length === 0) throw new UsageError("a command is required behind --");
  const dispatchId = asUsage(() => parseDispatchId(options["dispatch-id"] ?? freshDispatchId()));
  const tasks = planSubmit(await readItems(options), {
    argv: operands,
    env: parseVariables(options.env),
    dispatchId,
    name: options.name,
    cpus: options.cpus,
    timeoutS: parseTimeLimit(options.time),
  });
  if (options["dry-run"]) {
    for (const task of tasks) io.print(JSON.stringify(task));
    return 0;
  }
  await using queue = await reachQueue(options, { io, client: PLAIN_CLIENT });
  await refuseWhatFitsNowhere(queue, { tasks, options, io });
  await enqueue(queue, { tasks, io });
  if (options.json) {
    const ids = tasks.map(({ task_id }) => task_id);
    io.print(JSON.stringify({ dispatch_id: dispatchId, task_ids: ids }));
  } else for (const { task_id } of tasks) io.print(task_id);
  if (!options.wait) {
    io.say(`${counted(tasks.length, "task")} submitted; wait with: wait --dispatch ${dispatchId}`);
    return 0;
  }
  return await waitForDispatch(queue, { dispatchId, tasks, io, timeoutS: null });
}

async function readItems(options: SubmitFlags): Promise<Item[]> {
  const { count, array, each } = options;
  if ([count, array, each].filter((one) => one !== null).length > 1) {
    throw new UsageError("only one of --count, --array and --each is possible");
  }
  if (array !== null) return parseArray(array);
  if (each !== null) return itemsOf(await readEach(each));
  return Array.from({ length: count ?? 1 }, (_, at) => ({ text: String(at + 1), index: at + 1 }));
}

/** The texts that `--each` names, at least one. */
async function readEach(text: string): Promise<string[]> {
  const each = eachOf(text);
  try {
    const found = each.kind === "list"
      ? each.text.split(",")
      : each.kind === "file"
      ? (await Deno.readTextFile(each.text)).split("\n").filter((line) => line !== "")
      : await filesLike(each.text, each.folder);
    if (found.length > 0) return found;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound || error instanceof Deno.errors.IsADirectory)) {
      throw error;
    }
    throw new UsageError(`--each: "${text}" is not a file, a glob or a list with commas`, {
      cause: error,
    });
  }
  throw new CommandError(`--each: nothing is in or matches "${text}"`);
}

async function filesLike(glob: string, folder: string): Promise<string[]> {
  const pattern = new RegExp(
    `^${
      basename(glob).replaceAll(/[.+^${}()|\\]/g, "\\$&").replaceAll("*", ".*").replaceAll("?", ".")
    }$`,
  );
  const names: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (!isDirectory && pattern.test(name)) names.push(name);
  }
  return names.sort().map((name) => join(folder, name));
}

/** A task that asks for more than any live node has would hold up all that is behind it. */
async function refuseWhatFitsNowhere(
  queue: RedisQueue,
  { tasks, options, io }: {
    readonly tasks: readonly Task[];
    readonly options: SubmitFlags;
    readonly io: Io;
  },
): Promise<void> {
  const { nodes } = await queue.operator(TIMING).status();
  if (nodes.length === 0) {
    io.say("no node has a live worker: the tasks wait for one");
    return;
  }
  const largest = nodes.reduce((best, one) => one.capacity > best.capacity ? one : best);
  const [task] = tasks;
  if (task === undefined || task.cpu_units <= largest.capacity) return;
  const problem =
    `each task asks for ${counted(task.cpu_units, "vCPU")} and the largest live node, ` +
    `${largest.node}, has ${largest.capacity}`;
  if (!options.anyway) throw new CommandError(`${problem}; --anyway submits it all the same`);
  io.say(problem);
}

async function enqueue(
  queue: RedisQueue,
  { tasks, io }: { readonly tasks: readonly Task[]; readonly io: Io },
): Promise<void> {
  if (!await queue.hasScheduler()) io.say(withoutScheduler({ kind: "fifo", limits: AT_ONCE }));
  const nowMs = () => Date.now();
  const { enqueued, known } = await dispatchFifo(tasks, {
    sink: queue,
    clock: { nowMs, sleepUntil: (untilMs, signal) => sleep(untilMs - nowMs(), signal) },
    signal: io.signal,
    report: () => {},
    ...AT_ONCE,
  });
  if (enqueued + known < tasks.length) {
    throw new CommandError(`stopped: ${enqueued} of ${counted(tasks.length, "task")} submitted`);
  }
  if (known > 0) io.say(`${counted(known, "task")} were there already`);
}

const AT_ONCE = { queueMax: Infinity, batchSize: Infinity, intervalMs: 0 };

if (import.meta.main) await runMain(SUBMIT, main);
