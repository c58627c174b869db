/**
 * An independent stopwatch beside a run: it sees tasks enter the queue through Redis' own MONITOR, and
 * processes begin and end through their sentinels, with its own clock. It uses none of the project's
 * code.
 */

import { join } from "@std/path";
import type { Stopwatch } from "../support/run_checks.ts";
import { boundCommand } from "../support/bound_command.ts";

/** Watches one run until it is disposed of. */
export class Observer implements AsyncDisposable {
  readonly #enqueued = new Map<string, number>();
  readonly #started = new Map<string, number>();
  readonly #ended = new Map<string, number>();
  readonly #taskOfPid = new Map<string, string>();
  readonly #monitor: Deno.ChildProcess;
  readonly #watcher: Deno.FsWatcher;
  readonly #work: Promise<unknown>;

  private constructor(monitor: Deno.ChildProcess, watcher: Deno.FsWatcher) {
    this.#monitor = monitor;
    this.#watcher = watcher;
    this.#work = Promise.all([this.#watchQueue(), this.#watchSentinels()]);
  }

  /** Watch the first run that appears under `logs`, from as soon as its Redis listens. */
  static async start(logs: string): Promise<Observer> {
    const configuration = await firstConfiguration(logs);
    const monitor = boundCommand("redis-cli", {
      args: ["-p", settingOf(configuration, "port"), "monitor"],
      env: { REDISCLI_AUTH: settingOf(configuration, "requirepass") },
      stdout: "piped",
      stderr: "null",
    }).spawn();
    return new Observer(monitor, Deno.watchFs(logs, { recursive: true }));
  }

  /** What was seen so far. */
  get stopwatch(): Stopwatch {
    return { enqueued: this.#enqueued, started: this.#started, ended: this.#ended };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#watcher.close();
    // redis-cli ends by itself with its server; a signal then finds nobody.
    try {
      this.#monitor.kill("SIGTERM");
    } catch (error) {
      if (!(error instanceof TypeError || error instanceof Deno.errors.NotFound)) throw error;
    }
    await this.#monitor.status;
    await this.#work;
  }

  async #watchQueue(): Promise<void> {
    let rest = "";
    for await (const text of this.#monitor.stdout.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        // 1795318806.606884 [0 lua] "RPUSH" "q:pending" "{\"task_id\":\"…
        const [, seconds, taskId] =
          /^([\d.]+) \[\d+ lua\] "RPUSH" "q:pending" .*?\\"task_id\\":\\"([^\\]+)\\"/.exec(line) ??
            [];
        if (taskId !== undefined) this.#enqueued.set(taskId, Number(seconds) * 1000);
      }
    }
  }

  async #watchSentinels(): Promise<void> {
    for await (const { kind, paths } of this.#watcher) {
      const now = Date.now();
      for (const path of paths) {
        if (!/\/pids\/\d+$/.test(path)) continue;
        const known = this.#taskOfPid.get(path);
        if (kind === "remove") {
          if (known !== undefined) this.#ended.set(known, now);
          this.#taskOfPid.delete(path);
        } else if (known === undefined) {
          const taskId = await taskIn(path);
          if (taskId === null) continue;
          this.#taskOfPid.set(path, taskId);
          this.#started.set(taskId, now);
        }
      }
    }
  }
}

async function taskIn(path: string): Promise<string | null> {
  try {
    return JSON.parse(await Deno.readTextFile(path)).task_id;
  } catch (error) {
    // Not written yet, or gone again: another event follows, or none is needed.
    if (error instanceof SyntaxError || error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

/** How long a run may take to bring up its Redis, ms. */
const START_LIMIT_MS = 60_000;

async function firstConfiguration(logs: string): Promise<string> {
  const deadline = performance.now() + START_LIMIT_MS;
  while (performance.now() < deadline) {
    for (const { name } of Deno.readDirSync(logs)) {
      const folder = join(logs, name, "redis");
      if (isThere(join(folder, "appendonlydir"))) {
        return await Deno.readTextFile(join(folder, "redis.conf"));
      }
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`no Redis under ${logs} within ${START_LIMIT_MS} ms`);
}

function isThere(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function settingOf(configuration: string, name: string): string {
  const line = configuration.split("\n").find((one) => one.startsWith(`${name} `));
  if (line === undefined) throw new Error(`redis.conf has no ${name}`);
  return line.slice(name.length + 1);
}
