/**
 * A small cluster of real processes: redis-server with an append-only file, schedulers, workers with
 * their adapters. Each task holds a lock while it runs, so that one that runs twice at once fails.
 */

import { assert, assertEquals, assertLess } from "@std/assert";
import { join } from "@std/path";
import { openRedisQueue } from "../../scheduler/queue/open.ts";
import type { RedisQueue } from "../../scheduler/queue/redis_queue.ts";
import { parseRedisUrl } from "../../scheduler/queue/url.ts";
import { readRecords } from "../../trace/json_lines.ts";
import {
  CLOCK_OFFSET,
  type ClockOffset,
  INVOCATION_EVENT,
  type InvocationEvent,
  PLACEMENT_EVENT,
  TASK_RESULT,
  type TaskResult,
} from "../../trace/records.ts";
import { RunDir } from "../../trace/run_dir.ts";
import type { Task } from "../../trace/task.ts";
import { type CommandProcess, startCommand } from "./command_process.ts";
import { processesNaming } from "./processes.ts";
import { testTask } from "./queue_actors.ts";
import { type RedisServer, startRedisServer } from "./redis_server.ts";
import { Relay } from "./relay.ts";
import { StallMeter } from "./stall_meter.ts";
import { waitFor } from "./wait_for.ts";

const RUN_ID = "crash";

/** Exit code of a task that found another copy of itself running. */
const RAN_TWICE = 99;

/** Several clusters start at once, on a machine that may do other things besides: minutes, ms. */
const START_LIMIT_MS = 180_000;

/** Real processes around one Redis. */
export class CrashCluster implements AsyncDisposable {
  /** The server. */
  readonly redis: RedisServer;
  /** The test's own view of the queue. */
  readonly queue: RedisQueue;
  /** Where everything is. */
  readonly folder: string;
  readonly #roles: { readonly name: string; readonly process: CommandProcess }[] = [];
  readonly #relays = new Map<string, Relay>();

  private constructor(redis: RedisServer, queue: RedisQueue, folder: string) {
    this.redis = redis;
    this.queue = queue;
    this.folder = folder;
  }

  /** Start a server with an append-only file; roles are started one by one. */
  static async start(): Promise<CrashCluster> {
    const redis = await startRedisServer({ appendOnly: true });
    const address = parseRedisUrl(redis.url);
    const queue = await openRedisQueue({ address, report: () => {} });
    const folder = await Deno.makeTempDir({ prefix: "tracekit-crash-" });
    for (const name of ["locks", "starts"]) await Deno.mkdir(join(folder, name));
    return new CrashCluster(redis, queue, folder);
  }

  /** A task that notes its start and sleeps under its own lock. */
  task(taskId: string, seconds: number, more: Partial<Task> = {}): Task {
    const lock = join(this.folder, "locks", taskId);
    const command = `echo >> ${join(this.folder, "starts", taskId)}; exec sleep ${seconds}`;
    const argv = ["flock", "-n", "-E", String(RAN_TWICE), lock, "sh", "-c", command];
    return testTask(taskId, { argv, ...more });
  }

  /** Tasks `t00`, `t01`, … of one unit. */
  tasks(count: number, seconds: number, prefix = "t"): Task[] {
    const places = Array.from({ length: count }, (_, at) => String(at).padStart(2, "0"));
    return places.map((place) => this.task(`${prefix}${place}`, seconds));
  }

  /** What is between the role of that name and Redis, from its next start on. */
  relayOf(name: string): Relay {
    const relay = this.#relays.get(name) ?? Relay.to(this.redis.port);
    this.#relays.set(name, relay);
    return relay;
  }

  /** Start a scheduler and wait until it leads or stands by. */
  async scheduler(name = "scheduler"): Promise<CommandProcess> {
    const role = this.startScheduler(name);
    await role.says(/active as|standing by/);
    return role;
  }

  /** Start a scheduler. */
  startScheduler(name: string): CommandProcess {
    return this.#start("scheduler", name);
  }

  /** Start to dispatch `tasks` as the pending queue has room, or continue where that was ended. */
  async dispatcher(tasks: readonly Task[]): Promise<CommandProcess> {
    const path = join(this.folder, "tasks.jsonl");
    const lines = tasks.map(({ task_id, kind, argv }) => JSON.stringify({ task_id, kind, argv }));
    await Deno.writeTextFile(path, lines.join("\n"));
    const pace = ["--pending-max", "6", "--batch-size", "3", "--dribble-interval", "0.3"];
    const what = ["--tasks", path, "--pending", ...pace, "--dispatch-id", "d1"];
    return this.#start("dispatch", "dispatcher", ...what);
  }

  /** Start a worker of two units and wait until it has registered. */
  async worker(node: string, ...flags: readonly string[]): Promise<CommandProcess> {
    const role = this.startWorker(node, ...flags);
    await waitFor({
      what: `${node} to register`,
      read: () => this.redis.cli("HGET", `tk:node:${node}`, "server"),
      until: (server) => server !== "",
      limitMs: START_LIMIT_MS,
    });
    return role;
  }

  /** Start a worker of two units. */
  startWorker(node: string, ...flags: readonly string[]): CommandProcess {
    const place = ["--node-id", node, "--per-node", "--outputs", join(this.folder, "outputs")];
    const offer = ["--capacity-units", "2", "--allow-commands", "flock"];
    return this.#start("worker", node, ...place, ...offer, ...flags);
  }

  #start(role: string, name: string, ...flags: readonly string[]): CommandProcess {
    const { url } = this.redis;
    const started = startCommand(["run", role, "--run-id", RUN_ID, ...flags], {
      cwd: this.folder,
      env: {
        REDIS_URL: this.#relays.get(name)?.through(url) ?? url,
        TRACEKIT_DIE_WITH_PARENT: "1",
      },
    });
    this.#roles.push({ name, process: started });
    return started;
  }

  /** What every role said, for a person who has to find out what went wrong. */
  talk(): string {
    return this.#roles.map(({ name, process }) => `--- ${name}\n${process.said()}`).join("\n");
  }

  /** Pid of the adapter of `worker`: its only child, once it is there. */
  async adapterOf({ pid }: CommandProcess): Promise<number> {
    const children = await waitFor({
      what: `the worker ${pid} to have an adapter`,
      read: () => Deno.readTextFile(`/proc/${pid}/task/${pid}/children`),
      until: (text) => text !== "",
    });
    return parseInt(children);
  }

  /** Wait until `count` tasks run on `node`. */
  async untilRunning(node: string, count: number): Promise<void> {
    await waitFor({
      what: `${count} tasks to run on ${node}`,
      read: () => this.queue.progress(),
      until: ({ nodes }) => nodes.some((one) => one.node === node && one.running === count),
    });
  }

  /** Wait until `node`, which vanished just now, is given up; fails when that takes more than 10 s. */
  async untilNoticed(node: string): Promise<void> {
    using stalls = new StallMeter();
    const from = performance.now();
    await waitFor({
      what: `${node} to be given up`,
      read: () => this.redis.cli("ZSCORE", "tk:nodes", node),
      until: (score) => score === "",
    });
    assertLess(performance.now() - from, 10_000 + stalls.allowanceMs);
  }

  /** Wait until `count` tasks have ended, in any way. */
  async untilEnded(count: number, limitMs = 180_000): Promise<void> {
    await waitFor({
      what: `${count} tasks to end`,
      read: () => this.queue.progress(),
      until: ({ ended }) => ended.done + ended.failed + ended.dead + ended.cancelled >= count,
      limitMs,
    });
  }

  /** Results as the controller wrote them. */
  async results(count: number): Promise<TaskResult[]> {
    return await waitFor({
      what: `${count} results on the disk`,
      read: () => recordsOf(this.#runDir().results, TASK_RESULT.decode),
      until: (found) => found.length >= count,
    });
  }

  /** Every line that the adapters of `node` wrote. */
  events(node: string): Promise<InvocationEvent[]> {
    return recordsOf(this.#runDir(node).events("command"), INVOCATION_EVENT.decode);
  }

  /** What the workers of `node` measured of their clock: at least one line each at start and end. */
  async clockOffsets(node: string): Promise<ClockOffset[]> {
    const found = await recordsOf(this.#runDir(node).clock, CLOCK_OFFSET.decode);
    assert(found.length >= 2, `${node} measured its clock ${found.length} times`);
    return found;
  }

  #runDir(node?: string): RunDir {
    return RunDir.of(join(this.folder, "logs"), RUN_ID, node);
  }

  /**
   * The promises that hold whatever died: each of `tasks` is done once and in the results once, the
   * attempt that counts is in its node's events, none ran twice at once, first placements follow the
   * order of submission, all capacity is back, and no process is left.
   */
  async check(tasks: readonly Task[], nodes: readonly string[]): Promise<TaskResult[]> {
    const results = await this.results(tasks.length);
    const ids = tasks.map(({ task_id }) => task_id).sort();
    assertEquals(results.map(({ task_id }) => task_id).sort(), ids, "each task once");
    assertEquals(results.filter(({ state }) => state !== "done"), [], "every task is done");
    for (const { task_id, attempt, node } of results) {
      const exits = (await this.events(node ?? "")).filter((event) =>
        event.event === "exit" && event.task_id === task_id && event.attempt === attempt
      );
      assertEquals(exits.map(({ status }) => status), [0], `the exit of ${task_id} is on record`);
    }
    for (const node of nodes) {
      const twice = (await this.events(node)).filter(({ status }) => status === RAN_TWICE);
      assertEquals(twice, [], `no task of ${node} ran twice at once`);
    }
    await this.#checkOrder(results);
    await this.#checkStarts(tasks);
    for (const node of nodes) {
      const [cap, total] = [`cap:${node}`, `cap_total:${node}`];
      assertEquals(await this.redis.cli("GET", cap), await this.redis.cli("GET", total), cap);
    }
    await waitFor({
      what: "all tasks' processes to be gone",
      read: () => processesNaming(join(this.folder, "locks")),
      until: (found) => found.length === 0,
    });
    return results;
  }

  async #checkOrder(results: readonly TaskResult[]): Promise<void> {
    const events = await recordsOf(this.#runDir().placementEvents, PLACEMENT_EVENT.decode);
    // A scheduler that was stopped between a placement and its line writes the line when it continues.
    events.sort((a, b) => a.ts_ms - b.ts_ms);
    const placed = Map.groupBy(
      events.filter(({ event }) => event === "placed"),
      ({ task_id }) => task_id,
    );
    // One that was killed or replaced between the two writes none: then the first line is not the first
    // placement.
    const attempts = new Map(results.map(({ task_id, attempt }) => [task_id, attempt ?? 0]));
    const order = [...placed].flatMap(([taskId, lines]) =>
      lines.length < (attempts.get(taskId ?? "") ?? 0) ? [] : [lines[0]?.seq ?? NaN]
    );
    assertEquals(order, order.toSorted((a, b) => a - b), "placed in the order of submission");
  }

  /** Nothing ran that no node has on record. */
  async #checkStarts(tasks: readonly Task[]): Promise<void> {
    const folders = await Array.fromAsync(Deno.readDir(this.#runDir().path));
    const nodes = folders.filter(({ name }) => name.startsWith("cloud"));
    const events = (await Promise.all(nodes.map(({ name }) => this.events(name)))).flat();
    for (const { task_id } of tasks) {
      const starts = (await Deno.readTextFile(join(this.folder, "starts", task_id))).length;
      const launches = events.filter((one) => one.event === "launch" && one.task_id === task_id);
      assert(
        starts <= launches.length,
        `${task_id} was started ${starts} times, on record are ${launches.length}`,
      );
    }
  }

  /** Kill every role, then the server, and remove the files. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const { process } of this.#roles) await process[Symbol.asyncDispose]();
    for (const relay of this.#relays.values()) await relay[Symbol.asyncDispose]();
    await this.queue[Symbol.asyncDispose]();
    await this.redis[Symbol.asyncDispose]();
    await Deno.remove(this.folder, { recursive: true });
  }
}

async function recordsOf<T>(
  path: string,
  decode: (value: unknown, where: string) => T,
): Promise<T[]> {
  try {
    return await Array.fromAsync(readRecords(path, { decode, onBadLine: () => {} }));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}
