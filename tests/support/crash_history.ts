/**
 * One history of a cluster in which two things fail at about the same time, drawn by a seed: real
 * processes that are killed or stopped, connections that are cut, stall, or lose the replies.
 */

import { assertMatch } from "@std/assert";
import fc from "fast-check";
import type { Task } from "../../trace/task.ts";
import type { CommandProcess } from "./command_process.ts";
import { CrashCluster } from "./crash_cluster.ts";

/** Who fails. */
const VICTIMS = ["worker", "adapter", "scheduler", "dispatcher", "redis"] as const;

/** How: its process is killed or stopped, or its connection to Redis fails in one of three ways. */
const WAYS = ["kill", "stop", "cut", "stall", "lose replies"] as const;

/** One failure. */
export interface Fault {
  readonly victim: typeof VICTIMS[number];
  readonly way: typeof WAYS[number];
  /** After the first moment of the history's failures, ms. */
  readonly atMs: number;
  /** Until it is over: what was killed is started again, what was stopped continues. */
  readonly forMs: number;
}

/** Failures, and after how many ended tasks they begin. */
export interface History {
  readonly afterEnded: number;
  readonly faults: readonly Fault[];
}

const FAULT: fc.Arbitrary<Fault> = fc.record({
  victim: fc.constantFrom(...VICTIMS),
  way: fc.constantFrom(...WAYS),
  atMs: fc.nat(1000),
  // Shorter than a lease, about as long, and longer.
  forMs: fc.constantFrom(200, 2000, 5000, 8000, 11_000),
}).filter(isPossible);

const HISTORY: fc.Arbitrary<History> = fc.record({
  afterEnded: fc.integer({ min: 1, max: 12 }),
  faults: fc.uniqueArray(FAULT, { minLength: 2, maxLength: 2, selector: ({ victim }) => victim }),
});

/** An adapter has no connection, and that of Redis is everybody's own. */
function isPossible({ victim, way }: Fault): boolean {
  return victim !== "adapter" && victim !== "redis" || way === "kill" || way === "stop";
}

/** The history of `seed`. */
export function historyOf(seed: number): History {
  const [history] = fc.sample(HISTORY, { seed, numRuns: 1 });
  if (history === undefined) throw new Error(`no history has the seed ${seed}`);
  return history;
}

/** A history in words. */
export function describeHistory({ afterEnded, faults }: History): string {
  const said = faults.map(({ victim, way, atMs, forMs }) =>
    `${victim}: ${way} at ${atMs} ms for ${forMs} ms`
  );
  return `after ${afterEnded} tasks ${said.join(", ")}`;
}

/** Duration of each task, s: mostly short, and two that outlast a lease on whatever node they are. */
const DURATIONS_S = Array.from({ length: 24 }, (_, at) => at === 3 || at === 4 ? 12 : 0.4);

/** Lost leases, restarts and one run of all tasks after the last failure take a fraction of it. */
const LIMIT_MS = 120_000;

/**
 * Play `history`; see {@linkcode CrashCluster.check} for what must hold in the end.
 *
 * @throws {Error} when it does not.
 */
export async function playHistory(history: History): Promise<void> {
  await using cluster = await CrashCluster.start();
  try {
    await play(history, cluster);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const told = `${describeHistory(history)}: ${error.message}\n${cluster.talk()}`;
    throw new Error(told, { cause: error });
  }
}

async function play(history: History, cluster: CrashCluster): Promise<void> {
  const stage = await Stage.open(cluster, history);
  await cluster.untilEnded(history.afterEnded, LIMIT_MS);
  await Promise.all(history.faults.map(async (fault) => {
    await pause(fault.atMs);
    const fix = await stage.strike(fault);
    await pause(fault.forMs);
    await fix();
  }));
  await stage.untilDispatched();
  await cluster.untilEnded(stage.tasks.length, LIMIT_MS);
  await cluster.check(stage.tasks, ["cloud1", "cloud2"]);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

type Roles = Record<"worker" | "scheduler" | "dispatcher", CommandProcess>;

/** The cluster of a history: two schedulers, two workers, one dispatcher. */
class Stage {
  readonly tasks: readonly Task[];
  readonly #cluster: CrashCluster;
  readonly #roles: Roles;
  #adapterPid: number;

  private constructor(
    cluster: CrashCluster,
    { tasks, roles, adapterPid }: {
      readonly tasks: readonly Task[];
      readonly roles: Roles;
      readonly adapterPid: number;
    },
  ) {
    this.tasks = tasks;
    this.#cluster = cluster;
    this.#roles = roles;
    this.#adapterPid = adapterPid;
  }

  static async open(cluster: CrashCluster, { faults }: History): Promise<Stage> {
    for (const name of ["cloud1", "scheduler", "dispatcher"]) cluster.relayOf(name);
    const tasks = DURATIONS_S.map((seconds, at) =>
      cluster.task(`t${String(at).padStart(2, "0")}`, seconds)
    );
    const scheduler = await cluster.scheduler();
    const isReplaced = faults.some(({ victim }) => victim === "scheduler");
    const [worker] = await Promise.all([
      cluster.worker("cloud1"),
      cluster.worker("cloud2"),
      ...isReplaced ? [cluster.scheduler("standby")] : [],
    ]);
    const dispatcher = await cluster.dispatcher(tasks);
    const roles = { worker, scheduler, dispatcher };
    return new Stage(cluster, { tasks, roles, adapterPid: await cluster.adapterOf(worker) });
  }

  /** Wait for the dispatcher; one that found no Redis when it was started says so, and is tried again. */
  async untilDispatched(): Promise<void> {
    const { code, stderr } = await this.#roles.dispatcher.ended;
    if (code === 0) return;
    assertMatch(stderr, /no Redis answers/);
    this.#roles.dispatcher = await this.#cluster.dispatcher(this.tasks);
    await this.untilDispatched();
  }

  /** Let `fault` happen; returns what ends it. */
  async strike({ victim, way }: Fault): Promise<() => Promise<void> | void> {
    if (victim === "redis") return await this.#strikeRedis(way);
    if (way === "kill" || way === "stop") return this.#strikeProcess(victim, way);
    const relay = this.#cluster.relayOf(victim === "worker" ? "cloud1" : victim);
    if (way === "cut") relay.cut();
    else if (way === "stall") relay.stall();
    else relay.loseReplies();
    return () => relay.open();
  }

  async #strikeRedis(way: Fault["way"]): Promise<() => Promise<void>> {
    const { redis } = this.#cluster;
    await redis.kill(way === "kill" ? "SIGKILL" : "SIGSTOP");
    return () => way === "kill" ? redis.start() : redis.kill("SIGCONT");
  }

  #strikeProcess(
    victim: Exclude<Fault["victim"], "redis">,
    way: "kill" | "stop",
  ): () => Promise<void> | void {
    const pid = victim === "adapter" ? this.#adapterPid : this.#roles[victim].pid;
    signal(pid, way === "kill" ? "SIGKILL" : "SIGSTOP");
    if (way === "stop") return () => signal(pid, "SIGCONT");
    // The worker sees to its adapter itself.
    return () => victim === "adapter" ? undefined : this.#startAgain(victim);
  }

  async #startAgain(victim: keyof Roles): Promise<void> {
    await this.#roles[victim].ended;
    const cluster = this.#cluster;
    if (victim === "worker") this.#roles.worker = cluster.startWorker("cloud1");
    else if (victim === "scheduler") this.#roles.scheduler = cluster.startScheduler("scheduler");
    else this.#roles.dispatcher = await cluster.dispatcher(this.tasks);
  }
}

/** Signal a process that may have ended by itself meanwhile. */
function signal(pid: number, name: Deno.Signal): void {
  try {
    Deno.kill(pid, name);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
