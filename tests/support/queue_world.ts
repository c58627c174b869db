/**
 * A queue whose history a test plays: dispatchers, schedulers, workers, persons with redis-cli, in any
 * order.
 */

import { assert, assertEquals } from "@std/assert";
import { HostMirror } from "../../scheduler/placement/host_mirror.ts";
import { PendingWindow } from "../../scheduler/pending_window.ts";
import { type PlacementPolicy, planBatch } from "../../scheduler/placement/placement.ts";
import type { Claimed, Finish, Placement } from "../../scheduler/queue/queue.ts";
import type { RedisConnection } from "../../scheduler/queue/connection.ts";
import type { RedisOperator } from "../../scheduler/queue/operator.ts";
import type { RedisQueue } from "../../scheduler/queue/redis_queue.ts";
import type { RedisSchedulerQueue } from "../../scheduler/queue/scheduler_queue.ts";
import type { RedisWorkerQueue } from "../../scheduler/queue/worker_queue.ts";
import { beat, FOUR_UNITS, LONG_LEASES, testTask } from "./queue_actors.ts";
import { type QueueState, readQueueState } from "./queue_state.ts";

/** Three nodes: two with slots, one without. */
export const NODES = ["n0", "n1", "n2"] as const;
const SLOTS = { n0: 0, n1: 2, n2: 3 } as const;

/** One of them. */
export type NodeName = typeof NODES[number];
type Outcome = Finish["outcome"];

/** One thing that happens. */
export type Step =
  | { readonly do: "enqueue"; readonly units: readonly number[] }
  | { readonly do: "enqueueOn"; readonly node: NodeName; readonly units: number }
  | { readonly do: "push"; readonly list: "pending" | NodeName }
  | { readonly do: "schedule"; readonly weigher: PlacementPolicy["weigher"] }
  | { readonly do: "plan" | "applyOldPlan" | "overtakePlan" }
  | { readonly do: "claim"; readonly node: NodeName; readonly limit: number }
  | { readonly do: "finish"; readonly node: NodeName; readonly pick: number; readonly as: Outcome }
  | { readonly do: "finishAgain" | "finishLate"; readonly pick: number }
  | {
    readonly do: "heartbeat" | "lose" | "leave" | "drain" | "undrain" | "requeue" | "resume";
    readonly node: NodeName;
  }
  | { readonly do: "replaceScheduler" | "retryDead" | "dropDead" }
  | { readonly do: "cancel"; readonly pick: number }
  | { readonly do: "deletePending" | "deleteTokens" }
  | { readonly do: "deleteQueue" | "moveToPending"; readonly node: NodeName }
  | { readonly do: "setCap"; readonly node: NodeName; readonly cap: number };

/** A worker that the history plays: its view of the queue and what it believes to run. */
interface Actor {
  readonly queue: RedisWorkerQueue;
  isRegistered: boolean;
  running: Claimed[];
}

/** The queue and all who act on it. */
export class World {
  /** Tasks that must not be lost. */
  readonly accepted = new Set<string>();
  readonly #queue: RedisQueue;
  readonly #connection: RedisConnection;
  /** The one that leads, and the one that stands by. */
  #schedulers: readonly [RedisSchedulerQueue, RedisSchedulerQueue];
  readonly #actors: Readonly<Record<NodeName, Actor>>;
  readonly #attempts = new Map<string, number>();
  /** Finishes that the queue answered, and attempts that another life took over. */
  readonly #answered: {
    readonly node: NodeName;
    readonly finish: Finish;
    readonly state: string;
  }[] = [];
  readonly #late: { readonly node: NodeName; readonly claimed: Claimed }[] = [];
  #oldPlan: Placement[] = [];
  #names = 0;

  constructor(queue: RedisQueue, connection: RedisConnection) {
    this.#queue = queue;
    this.#connection = connection;
    this.#schedulers = [queue.scheduler("s1", LONG_LEASES), queue.scheduler("s2", LONG_LEASES)];
    const actors = NODES.map((name) => [
      name,
      { queue: queue.worker(name, LONG_LEASES), isRegistered: false, running: [] },
    ]);
    this.#actors = Object.fromEntries(actors);
  }

  get #scheduler(): RedisSchedulerQueue {
    return this.#schedulers[0];
  }

  get #window(): PendingWindow {
    return new PendingWindow(this.#scheduler, () => {});
  }

  get #operator(): RedisOperator {
    return this.#queue.operator(LONG_LEASES);
  }

  /** Forget everything and register the nodes. */
  async begin(maxAttempts: number): Promise<void> {
    await this.#connection.command("FLUSHALL");
    await this.#lead();
    await this.#scheduler.configure({
      pendingKey: "q:pending",
      slotsKey: "slots:available",
      maxAttempts,
      onLost: "pending",
    });
    for (const name of NODES) await this.#register(name);
  }

  /** The first of the schedulers leads, the second stands by. */
  async #lead(): Promise<void> {
    const [active, standby] = this.#schedulers;
    assert((await active.lead()).isActive);
    assert(!(await standby.lead()).isActive, "one leads");
  }

  /** The lease of the one that leads is over: the other takes over, and what the first sends is refused. */
  async #replaceScheduler(): Promise<void> {
    const late = await this.#plan("");
    await this.#connection.command("DEL", "tk:leader");
    const [old, next] = this.#schedulers;
    this.#schedulers = [next, old];
    assert((await next.lead()).isActive);
    const before = await this.state();
    const { applied, refusal } = await old.assign(late);
    if (late.length > 0) assertEquals([applied, refusal], [0, "leader"]);
    assertEquals(await old.trimResults(await next.results(1000)), false);
    assertEquals(await old.loseNodes(), []);
    assertEquals(await this.state(), before, "one that was replaced changes nothing");
    await this.#lead();
  }

  async #register(name: NodeName): Promise<void> {
    const actor = this.#actors[name];
    if (actor.isRegistered) return;
    actor.queue.beginAnew();
    for (const claimed of actor.running) this.#late.push({ node: name, claimed });
    actor.running = [];
    const wait = await actor.queue.register({ ...FOUR_UNITS, slots: SLOTS[name] });
    assertEquals(wait, 0, "a node that was lost or left is free");
    actor.isRegistered = true;
  }

  /** Let `one` happen. */
  async take(one: Step): Promise<void> {
    switch (one.do) {
      case "enqueue":
        return await this.#enqueue(one.units);
      case "enqueueOn": {
        const task = testTask(`direct-${this.#names++}`, { cpu_units: one.units });
        for (const { taskId } of await this.#queue.enqueueOn(one.node, [task])) {
          this.accepted.add(taskId);
        }
        return;
      }
      case "push": {
        const raw = JSON.stringify({ kind: "command", argv: ["true"] });
        await this.#connection.command("RPUSH", `q:${one.list}`, raw);
        return;
      }
      case "schedule":
        await this.#scheduler.assign(await this.#plan(one.weigher));
        return;
      case "plan":
        this.#oldPlan = await this.#plan("");
        return;
      case "applyOldPlan":
        await this.#scheduler.assign(this.#oldPlan);
        return;
      case "overtakePlan":
        return await this.#overtakePlan();
      case "claim":
        return await this.#claim(one.node, one.limit);
      case "finish":
        return await this.#finish(one);
      case "finishAgain":
        return await this.#finishAgain(one.pick);
      case "finishLate":
        return await this.#finishLate(one.pick);
      case "cancel":
        return await this.#cancel(one.pick);
      case "replaceScheduler":
        return await this.#replaceScheduler();
      case "dropDead":
        await this.#operator.dropDead(null);
        return;
      case "retryDead":
        for (const { newId } of await this.#operator.retryDead(null)) {
          if (newId !== null) this.accepted.add(newId);
        }
        return;
      case "deletePending":
        await this.#connection.command("DEL", "q:pending");
        await this.#scheduler.cancelRemoved();
        return;
      case "deleteTokens":
        await this.#connection.command("DEL", "slots:available");
        return await this.#heartbeats();
      default:
        return await this.#takeOn(one.node, one);
    }
  }

  async #takeOn(name: NodeName, one: Step): Promise<void> {
    const { queue } = this.#actors[name];
    switch (one.do) {
      case "heartbeat":
        return await this.#heartbeats();
      case "lose":
        await this.#connection.command("ZADD", "tk:nodes", "XX", "0", name);
        await this.#scheduler.loseNodes();
        this.#actors[name].isRegistered = false;
        await this.#register(name);
        return await this.#finishAllLate();
      case "leave":
        await queue.leave();
        this.#actors[name].isRegistered = false;
        return await this.#register(name);
      case "drain":
        await queue.drain();
        return;
      case "undrain":
        assert(await this.#operator.undrain(name));
        return;
      case "requeue":
        await this.#operator.requeue(name);
        assertEquals((await this.state()).nodes[name]?.queue, [], "its queue is empty");
        return;
      case "resume":
        for (const claimed of this.#actors[name].running) {
          assert(await queue.resume(claimed, "held"), `${claimed.task.task_id} runs and counts`);
        }
        return;
      case "deleteQueue":
        await this.#connection.command("DEL", `q:${name}`);
        await this.#heartbeats();
        await this.#scheduler.cancelRemoved();
        return;
      case "moveToPending":
        await this.#connection.command("RPOPLPUSH", `q:${name}`, "q:pending");
        await this.#heartbeats();
        await this.#scheduler.cancelRemoved();
        return await this.#adoptMoved();
      case "setCap":
        await this.#connection.command("SET", `cap:${name}`, String(one.cap));
        return await this.#heartbeats();
    }
  }

  /** As the scheduler does when it meets a task that the queue does not know to be pending. */
  async #adoptMoved(): Promise<void> {
    for (const [index, task] of (await this.#window.read(1000)).entries()) {
      const { indexed } = await this.state();
      if (!indexed.includes(task.taskId)) await this.#window.adopt(task, index);
    }
    // A person may move tasks out of their order; the laws are about what we do.
    const raws = await this.#scheduler.window(1000);
    if (raws.length === 0) return;
    const order = raws.toSorted((a, b) => JSON.parse(a).seq - JSON.parse(b).seq);
    await this.#connection.command("DEL", "q:pending");
    await this.#connection.command("RPUSH", "q:pending", ...order);
  }

  async #enqueue(each: readonly number[]): Promise<void> {
    const tasks = each.map((cpu_units) => testTask(`task-${this.#names++}`, { cpu_units }));
    const before = await this.#queue.enqueue(tasks);
    const again = await this.#queue.enqueue(tasks);
    assertEquals(again, before.map((one) => ({ ...one, isNew: false })), "taken in once");
    for (const { taskId } of before) this.accepted.add(taskId);
  }

  async #plan(weigher: PlacementPolicy["weigher"]): Promise<Placement[]> {
    const tasks = await this.#window.read(20);
    for (const { taskId } of tasks) this.accepted.add(taskId);
    const mirror = new HostMirror();
    mirror.replace(await this.#scheduler.allHosts());
    const policy = { weigher, order: "min", scanPending: 1 } as const;
    const { placements } = planBatch(tasks, { hosts: mirror.hosts, tokenNodes: null }, policy);
    return placements.map(({ task, host, index }) => ({
      raw: task.raw,
      taskId: task.taskId,
      node: host.node,
      units: task.units,
      index,
    }));
  }

  /** Between a plan and its application, other tasks take the room. */
  async #overtakePlan(): Promise<void> {
    const plan = await this.#plan("");
    for (const name of NODES) {
      await this.take({ do: "enqueueOn", node: name, units: 4 });
      await this.#claim(name, 10);
    }
    await this.#scheduler.assign(plan);
  }

  /** What a lost life still reports, when its tasks run elsewhere already. */
  async #finishAllLate(): Promise<void> {
    await this.#scheduler.assign(await this.#plan("instances"));
    for (const name of NODES) await this.#claim(name, 10);
    for (let which = 0; which < this.#late.length; which++) await this.#finishLate(which);
  }

  async #claim(name: NodeName, limit: number): Promise<void> {
    const actor = this.#actors[name];
    const { isHolder, claimed } = await actor.queue.claim(limit);
    assert(isHolder);
    for (const one of claimed) {
      const { task_id, attempt } = one.task;
      assert(
        attempt > (this.#attempts.get(task_id) ?? 0),
        `attempt ${attempt} of ${task_id} is new`,
      );
      this.#attempts.set(task_id, attempt);
      this.accepted.add(task_id);
      actor.running.push(one);
    }
  }

  async #finish({ node: name, pick, as }: Step & { do: "finish" }): Promise<void> {
    const actor = this.#actors[name];
    const [claimed] = actor.running.splice(pick % Math.max(1, actor.running.length), 1);
    if (claimed === undefined) return;
    const finish = finishOf(claimed, as);
    const { state } = await actor.queue.finish(finish);
    assert(state !== "superseded", "what runs under a lease counts");
    this.#answered.push({ node: name, finish, state });
  }

  async #finishAgain(which: number): Promise<void> {
    const one = this.#answered[which % Math.max(1, this.#answered.length)];
    if (one === undefined) return;
    const before = await this.state();
    const { state } = await this.#actors[one.node].queue.finish(one.finish);
    assert([one.state, "superseded"].includes(state), `${one.state} became ${state} by repetition`);
    assertEquals(await this.state(), before, "a repeated finish changes nothing");
  }

  async #finishLate(which: number): Promise<void> {
    const one = this.#late[which % Math.max(1, this.#late.length)];
    if (one === undefined) return;
    const before = await this.state();
    const { state } = await this.#actors[one.node].queue.finish(finishOf(one.claimed, "done"));
    assertEquals(state, "superseded", "a lost life's finish does not count");
    assertEquals(await this.#actors[one.node].queue.resume(one.claimed, "interrupted"), false);
    assertEquals(await this.state(), before, "a late finish changes nothing");
  }

  async #cancel(which: number): Promise<void> {
    const ids = [...this.accepted];
    const id = ids[which % Math.max(1, ids.length)];
    if (id !== undefined) await this.#operator.cancel(id, "a person");
  }

  async #heartbeats(): Promise<void> {
    for (const name of NODES) {
      const { queue } = this.#actors[name];
      assert(await beat(queue));
    }
  }

  /** Everything in the queue. */
  state(): Promise<QueueState> {
    return readQueueState(this.#connection);
  }

  /** Let everything run to its end. */
  async finishAll(): Promise<QueueState> {
    for (const name of NODES) await this.#takeOn(name, { do: "lose", node: name });
    for (let round = 0; round < 200; round++) {
      await this.#scheduler.assign(await this.#plan(""));
      await this.#heartbeats();
      for (const name of NODES) {
        await this.#claim(name, 10);
        while (this.#actors[name].running.length > 0) {
          await this.#finish({ do: "finish", node: name, pick: 0, as: "done" });
        }
      }
      const state = await this.state();
      const isIdle = Object.values(state.nodes).every(({ queue, tasks }) =>
        queue.length + tasks === 0
      );
      if (isIdle && state.pending.length === 0) return state;
    }
    throw new Error(`tasks are stuck: ${Deno.inspect(await this.state(), { depth: 5 })}`);
  }
}

function finishOf({ task, incarnation }: Claimed, outcome: Outcome): Finish {
  const { task_id: taskId, attempt } = task;
  return { taskId, incarnation, attempt, outcome, status: null, reason: `as ${outcome}` };
}
