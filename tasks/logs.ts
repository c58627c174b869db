/** Print what a task wrote to stdout and stderr. */

import { join } from "@std/path";
import { isIdentifier, RunDir } from "../trace/run_dir.ts";
import type { Parsed } from "./command/parse.ts";
import { UsageError } from "./command/usage_error.ts";
import { CommandError, type Io, runMain } from "./command/main.ts";
import { sleep } from "./command/sleep.ts";
import { LOGS, logsFolder } from "./flags/logs.ts";

/** Interval at which a followed file is polled, ms. */
const INTERVAL_MS = 250;

/** `deno task logs`. */
export async function main(
  { options, operands }: Parsed<typeof LOGS.flags>,
  io: Io,
): Promise<number> {
  const [taskId = "", ...more] = operands;
  if (!isIdentifier(taskId) || more.length > 0) throw new UsageError("one TASK_ID is required");
  const found = (await logsOf(taskId, logsFolder(options)))
    .filter(({ attempt }) => options.attempt === null || attempt === options.attempt)
    .sort((a, b) => a.attempt - b.attempt);
  const last = found.at(-1);
  if (last === undefined) {
    throw new CommandError(
      `there is no log of ${taskId} below ${logsFolder(options)}: it is on the node that ran the ` +
        `task, or the task has not begun`,
    );
  }
  using file = await Deno.open(last.path);
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(64 * 1024);
  for (;;) {
    const count = await file.read(buffer);
    if (count !== null) {
      // print() ends a line: the text is written as it is.
      await writeAll(decoder.decode(buffer.subarray(0, count), { stream: true }));
      continue;
    }
    if (!options.follow || io.signal.aborted) return 0;
    await sleep(INTERVAL_MS, io.signal);
  }
}

async function writeAll(text: string): Promise<void> {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length;) at += await Deno.stdout.write(bytes.subarray(at));
}

interface TaskLog {
  readonly path: string;
  readonly attempt: number;
}

/** Logs of a task in a run's folder and in those of its nodes. */
async function logsOf(taskId: string, run: string): Promise<TaskLog[]> {
  const found: TaskLog[] = [];
  for (const folder of [run, ...await foldersIn(run)]) {
    const { taskLogs } = RunDir.at(folder);
    for (const name of await namesIn(taskLogs)) {
      if (!name.startsWith(`${taskId}.`)) continue;
      const [, attempt] = /^\.(\d+)\.log$/.exec(name.slice(taskId.length)) ?? [];
      if (attempt !== undefined) {
        found.push({ path: join(taskLogs, name), attempt: Number(attempt) });
      }
    }
  }
  return found;
}

async function foldersIn(folder: string): Promise<string[]> {
  const names: string[] = [];
  for (const name of await namesIn(folder)) {
    if ((await Deno.stat(join(folder, name))).isDirectory) names.push(join(folder, name));
  }
  return names;
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return (await Array.fromAsync(Deno.readDir(folder), ({ name }) => name)).sort();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return [];
    }
    throw error;
  }
}

if (import.meta.main) await runMain(LOGS, main);
