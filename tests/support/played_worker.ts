/** The worker's own loop in this process, with an adapter whose tasks end when the test says so. */

import { FOUR_UNITS, openTestQueue, SHORT_TIMING } from "./queue_actors.ts";
import type { RedisQueue } from "../../scheduler/queue/redis_queue.ts";
import type { Registration } from "../../scheduler/queue/queue.ts";
import type { Timing } from "../../scheduler/queue/timing.ts";
import { type OwnedLauncher, runWorker } from "../../scheduler/worker.ts";
import type { AdapterReady } from "../../trace/adapter_protocol.ts";
import type { LaunchOutcome } from "../../trace/launcher.ts";
import { INVOCATION_EVENT, type TaskResult } from "../../trace/records.ts";
import type { Task } from "../../trace/task.ts";
import type { RedisServer } from "./redis_server.ts";
import { waitFor } from "./wait_for.ts";

const READY: AdapterReady = {
  type: "ready",
  protocol: 1,
  pid: 1,
  launcher: "clone",
  accounting: "none",
  cpu_control: "none",
  notes: [],
  swept: 0,
};

/** An adapter that runs nothing. */
class PlayedLauncher implements OwnedLauncher {
  readonly ready = READY;
  /** What runs, by task. */
  readonly running = new Map<string, (outcome: LaunchOutcome) => void>();
  /** Tasks in the order of their launches. */
  readonly launched: string[] = [];
  readonly #closed = Promise.withResolvers<string>();

  get closed(): Promise<string> {
    return this.#closed.promise;
  }

  launch(task: Task): ReturnType<OwnedLauncher["launch"]> {
    const { promise, resolve } = Promise.withResolvers<LaunchOutcome>();
    this.launched.push(task.task_id);
    this.running.set(task.task_id, resolve);
    return {
      launchId: String(this.launched.length),
      started: Promise.resolve(null),
      outcome: promise,
      stop: ({ reason }) => this.#end(task.task_id, { kind: "lost", reason }),
    };
  }

  done(taskId: string): void {
    const event = INVOCATION_EVENT.decode(
      {
        ...{ event: "exit", trace_id: "t", span_id: "0".repeat(16), module_id: "command" },
        ...{ instance_id: "i", node: "n1", status: 0 },
      },
      "a test",
    );
    this.#end(taskId, { kind: "exited", isDone: true, event });
  }

  #end(taskId: string, outcome: LaunchOutcome): void {
    this.running.get(taskId)?.(outcome);
    this.running.delete(taskId);
  }

  kill(): void {
    this.#closed.resolve("killed");
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.kill();
    return Promise.resolve();
  }
}

/** A worker that runs in this process. */
export interface PlayedWorker extends AsyncDisposable {
  /** What it said. */
  readonly lines: readonly string[];
  /** Tasks in the order of their launches. */
  readonly launched: readonly string[];
  /** Results that it wrote down. */
  readonly results: readonly TaskResult[];
  /** Tasks that run. */
  running(): readonly string[];
  /** Wait until `taskIds` run. */
  runs(...taskIds: readonly string[]): Promise<void>;
  /** End these tasks well. */
  end(...taskIds: readonly string[]): void;
  /** Resolves when the loop has ended, as after one SIGTERM. */
  stop(): Promise<void>;
}

/** How {@linkcode startPlayedWorker} differs from the defaults. */
export interface PlayedWorkerOptions {
  /** What it offers. */
  readonly offer?: Partial<Registration>;
  /** Default: heartbeats every 200 ms and leases that do not end by themselves. */
  readonly timing?: Timing;
  /** Where it connects to. Default: the server. */
  readonly url?: string;
}

/** Start a worker of `node`, of 4 units by default. */
export async function startPlayedWorker(
  redis: Pick<RedisServer, "url">,
  node: string,
  { offer = {}, timing = SHORT_TIMING, url = redis.url }: PlayedWorkerOptions = {},
): Promise<PlayedWorker> {
  const queue: RedisQueue = await openTestQueue({ url });
  const view = queue.worker(node, timing);
  const launcher = new PlayedLauncher();
  const lines: string[] = [];
  const results: TaskResult[] = [];
  const stop = new AbortController();
  const force = new AbortController();
  const loop = runWorker(view, {
    node,
    registration: { ...FOUR_UNITS, ...offer },
    timing,
    openLauncher: () => Promise.resolve(launcher),
    onResult: (result) => results.push(result),
    onDataLost: () => lines.push("data lost"),
    report: (line) => lines.push(line),
    signal: stop.signal,
    force: force.signal,
  });
  let isOver = false;
  async function end(): Promise<void> {
    if (isOver) return;
    isOver = true;
    stop.abort();
    force.abort();
    await loop;
    await view[Symbol.asyncDispose]();
    await queue[Symbol.asyncDispose]();
  }
  return {
    lines,
    launched: launcher.launched,
    results,
    running: () => [...launcher.running.keys()].sort(),
    runs: async (...taskIds) => {
      await waitFor({
        what: `${taskIds.join(", ")} to run on ${node}`,
        read: () => [...launcher.running.keys()],
        until: (running) => taskIds.every((id) => running.includes(id)),
      });
    },
    end: (...taskIds) => taskIds.forEach((taskId) => launcher.done(taskId)),
    stop: async () => {
      stop.abort();
      await loop;
    },
    [Symbol.asyncDispose]: end,
  };
}
