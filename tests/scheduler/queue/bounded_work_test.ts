/**
 * No call may hold Redis for long, whatever the size of what it is about. Time would tell more of the
 * machine than of the script, so what is counted is the work: commands inside one call, and elements that
 * it had Redis search through.
 */

import { assert, assertEquals } from "@std/assert";
import { HostMirror } from "../../../scheduler/placement/host_mirror.ts";
import { planBatch } from "../../../scheduler/placement/placement.ts";
import { openRedisConnection } from "../../../scheduler/queue/open.ts";
import type { RedisConnection } from "../../../scheduler/queue/connection.ts";
import type { RedisQueue } from "../../../scheduler/queue/redis_queue.ts";
import type { RedisSchedulerQueue } from "../../../scheduler/queue/scheduler_queue.ts";
import { parseRedisUrl } from "../../../scheduler/queue/url.ts";
import { listOf, numberOf, textOf, textsOf } from "../../../scheduler/queue/reply.ts";
import { SCRIPTS } from "../../../scheduler/queue/scripts.ts";
import {
  beat,
  LONG_LEASES,
  openTestQueue,
  registerNode,
  testTask,
} from "../../support/queue_actors.ts";
import { checkLaws, readQueueState } from "../../support/queue_state.ts";
import { startRedisServer } from "../../support/redis_server.ts";

/** Commands of one call: about 0.5 us each beside what they do. */
const COMMANDS_MAX = 1000;

/** Elements compared in one call, 25 to 40 ns each, and once more for the search that ends it. */
const COMPARED_MAX = 35_000;

/** Commands whose cost grows with the list that they search. */
const SEARCHES = ["lrem", "lpos", "linsert"];

/** A queue, and what counts in it. */
interface Stage {
  readonly queue: RedisQueue;
  readonly scheduler: RedisSchedulerQueue;
  readonly connection: RedisConnection;
}

async function withStage(play: (stage: Stage) => Promise<void>): Promise<void> {
  await using redis = await startRedisServer();
  await using queue = await openTestQueue(redis);
  await using connection = await openRedisConnection({
    address: parseRedisUrl(redis.url),
    report: () => {},
  });
  await using scheduler = queue.scheduler("s", LONG_LEASES);
  for (const { source } of Object.values(SCRIPTS)) {
    await connection.command("SCRIPT", "LOAD", source);
  }
  await scheduler.lead();
  await play({ queue, scheduler, connection });
  const { tokensOwed, ...state } = await readQueueState(connection);
  checkLaws({ ...state, tokensOwed });
}

/** Commands that ran since the last reset, by name. */
async function commandCounts(connection: RedisConnection): Promise<Map<string, number>> {
  const info = textOf(await connection.command("INFO", "commandstats"));
  const counts = [...info.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm)];
  return new Map(counts.map(([, name = "", calls]) => [name, Number(calls)]));
}

/** The longest list that a search can meet. */
async function longestList(connection: RedisConnection): Promise<number> {
  const keys = ["q:pending", "slots:available", "q:n0"];
  return Math.max(
    ...await Promise.all(
      keys.map(async (key) => numberOf(await connection.command("LLEN", key))),
    ),
  );
}

/** Let `call` run one script, and check what it made Redis do. */
async function bounded<T>(connection: RedisConnection, call: () => Promise<T>): Promise<T> {
  const length = await longestList(connection);
  await connection.command("CONFIG", "RESETSTAT");
  const reply = await call();
  const counts = await commandCounts(connection);
  assertEquals(counts.get("evalsha"), 1, "one call at a time is looked at");
  const commands = [...counts.values()].reduce((sum, count) => sum + count, 0);
  assert(commands <= COMMANDS_MAX, `${commands} commands in one call`);
  const searches = SEARCHES.reduce((sum, name) => sum + (counts.get(name) ?? 0), 0);
  assert(searches * length <= COMPARED_MAX, `${searches} searches in ${length} elements`);
  return reply;
}

function tasksOf(count: number, name: string): ReturnType<typeof testTask>[] {
  return Array.from({ length: count }, (_, at) => testTask(`${name}-${at}`));
}

/** Assign all that is pending, as the scheduler would. */
async function placeAll({ scheduler }: Stage): Promise<void> {
  for (;;) {
    const mirror = new HostMirror();
    mirror.replace(await scheduler.allHosts());
    const tasks = (await scheduler.window(64)).map((raw) => {
      const { task_id: taskId, cpu_units: units } = JSON.parse(raw);
      return { raw, taskId, units };
    });
    const policy = { weigher: "instances", order: "min", scanPending: 1 } as const;
    const { placements } = planBatch(tasks, { hosts: mirror.hosts, tokenNodes: null }, policy);
    if (placements.length === 0) return;
    await scheduler.assign(placements.map(({ task, host, index }) => ({
      ...task,
      node: host.node,
      index,
    })));
  }
}

/** Call a script until it says that nothing is left; how many calls that took. */
async function repeat(
  { connection }: Stage,
  script: keyof typeof SCRIPTS,
  { args, hasMore }: {
    readonly args: readonly string[];
    readonly hasMore: (reply: Awaited<ReturnType<RedisConnection["run"]>>) => boolean;
  },
): Promise<number> {
  for (let calls = 1;; calls++) {
    const reply = await bounded(connection, () => connection.run(SCRIPTS[script], "", args));
    if (!hasMore(reply)) return calls;
  }
}

Deno.test("RedisQueue.enqueue() cuts a long request into calls", () =>
  withStage(async ({ queue, connection }) => {
    await connection.command("CONFIG", "RESETSTAT");
    const enqueued = await queue.enqueue(tasksOf(1000, "t"));
    const counts = await commandCounts(connection);
    assertEquals(enqueued.map(({ seq }) => seq), Array.from({ length: 1000 }, (_, at) => at + 1));
    assertEquals(counts.get("rpush"), 1000);
    assertEquals(counts.get("evalsha"), Math.ceil(1000 / 64));
  }));

Deno.test("drain.lua takes back a portion of what a node has not begun", () =>
  withStage(async (stage) => {
    await registerNode(stage.queue, "n0", { capacityUnits: 1000, timing: LONG_LEASES });
    await stage.queue.enqueue(tasksOf(1000, "t"));
    await placeAll(stage);
    const hasMore = (reply: unknown) => (reply as number[])[2] === 1;
    const calls = await repeat(stage, "drain", { args: ["n0", "1", "operator"], hasMore });
    assert(calls > 5, `${calls} calls for 1000 tasks`);
    assertEquals(await stage.queue.pendingLength(), 1000);
  }));

Deno.test("lose.lua gives back a portion of what a lost node held", () =>
  withStage(async (stage) => {
    const { queue, connection } = stage;
    const worker = await registerNode(queue, "n0", { capacityUnits: 1000, timing: LONG_LEASES });
    await queue.enqueue(tasksOf(1000, "t"));
    await placeAll(stage);
    for (let taken = 0; taken < 500;) taken += (await worker.claim(50)).claimed.length;
    await connection.command("ZADD", "tk:nodes", "XX", "0", "n0");
    const token = textOf(await connection.command("GET", "tk:leader"));
    const hasMore = (reply: unknown) => (reply as string[])[0] === "more";
    const calls = await repeat(stage, "lose", { args: [token, "1000"], hasMore });
    assert(calls > 5, `${calls} calls for 1000 tasks`);
    assertEquals(await queue.pendingLength(), 1000);
    assertEquals(await connection.command("EXISTS", "tk:node:n0"), 0);
  }));

Deno.test("requeue.lua takes back a portion of what was put past the scheduler", () =>
  withStage(async (stage) => {
    await registerNode(stage.queue, "n0", { timing: LONG_LEASES });
    await stage.queue.enqueue(tasksOf(500, "first"));
    await stage.queue.enqueueOn("n0", tasksOf(500, "direct"));
    await stage.queue.enqueue(tasksOf(500, "last"));
    const hasMore = (reply: unknown) => (reply as number[])[1] === 1;
    const calls = await repeat(stage, "requeue", { args: ["n0"], hasMore });
    assert(calls > 5, `${calls} calls for 500 tasks`);
    assertEquals(await stage.queue.pendingLength(), 1500);
  }));

Deno.test("cancel_removed.lua records a portion of what a person deleted", () =>
  withStage(async (stage) => {
    await stage.queue.enqueue(tasksOf(500, "t"));
    await stage.connection.command("DEL", "q:pending");
    const args = [textOf(await stage.connection.command("GET", "tk:leader"))];
    const hasMore = (reply: unknown) => reply !== 0;
    const calls = await repeat(stage, "cancelRemoved", { args, hasMore });
    assert(calls > 5, `${calls} calls for 500 tasks`);
    assertEquals(await stage.connection.command("HGET", "tk:totals", "cancelled"), "500");
  }));

Deno.test("claim.lua and heartbeat.lua search a long list as far as their share of work allows", () =>
  withStage(async (stage) => {
    const { queue, connection } = stage;
    const worker = await registerNode(queue, "n0", { capacityUnits: 200, timing: LONG_LEASES });
    await queue.enqueueOn("n0", tasksOf(6000, "direct"));
    await queue.enqueue(tasksOf(200, "t"));
    await placeAll(stage);
    // Between other tasks, not at an end of the list, where they are found at once.
    await queue.enqueueOn("n0", tasksOf(10, "behind"));
    assert(await bounded(connection, () => beat(worker)));
    const incarnation = textOf(await connection.command("HGET", "tk:node:n0", "incarnation"));
    const args = ["n0", incarnation, "64", "1"];
    const reply = await bounded(connection, () => connection.run(SCRIPTS.claim, "", args));
    const [status, claimed, , , more] = listOf(reply);
    assertEquals([status, more], [1, 1]);
    assert(listOf(claimed).length < 64, "not all in one call");
    // The worker's own code continues until it has what it asked for.
    assertEquals((await worker.claim(64)).claimed.length, 64);
  }));

Deno.test("assign.lua owes the slot tokens that a short search does not find", () =>
  withStage(async (stage) => {
    const { queue, connection, scheduler } = stage;
    const names = Array.from({ length: 80 }, (_, at) => `n${at}`);
    const workers = await Promise.all(
      names.map((name) =>
        registerNode(queue, name, { capacityUnits: 50, slots: 50, timing: LONG_LEASES })
      ),
    );
    await queue.enqueue(tasksOf(64, "t"));
    const mirror = new HostMirror();
    mirror.replace(await scheduler.allHosts());
    const tasks = (await scheduler.window(64)).map((raw, at) => ({
      raw,
      taskId: JSON.parse(raw).task_id as string,
      node: mirror.hosts[at]?.node ?? "",
      units: 1,
      index: 0,
    }));
    assertEquals((await bounded(connection, () => scheduler.assign(tasks))).applied, 64);
    const owing = await readQueueState(connection);
    assert(Object.keys(owing.tokensOwed).length > 0, "4000 tokens are not searched at once");
    checkLaws(owing);
    for (const worker of workers) {
      assert(await bounded(connection, () => beat(worker)));
    }
    const settled = await readQueueState(connection);
    assertEquals(settled.tokensOwed, {});
    const tokens = textsOf(await connection.command("LRANGE", "slots:available", "0", "-1"));
    assertEquals(tokens.length, 80 * 50 - 64);
  }));

Deno.test("slot tokens that are owed when a person deletes them all come back as many as are free", () =>
  withStage(async ({ queue, connection, scheduler }) => {
    const offer = { capacityUnits: 3000, slots: 3000, timing: LONG_LEASES };
    const workers = [
      await registerNode(queue, "n0", offer),
      ...await Promise.all(
        ["n1", "n2", "n3", "n4"].map((name) => registerNode(queue, name, offer)),
      ),
    ];
    await queue.enqueue(tasksOf(60, "t"));
    const tasks = (await scheduler.window(60)).map((raw, at) => ({
      raw,
      taskId: JSON.parse(raw).task_id as string,
      node: `n${at % 5}`,
      units: 1,
      index: 0,
    }));
    assertEquals((await scheduler.assign(tasks)).applied, 60);
    assert(Object.keys((await readQueueState(connection)).tokensOwed).length > 0);
    await connection.command("DEL", "slots:available");
    for (const worker of workers) await beat(worker);
    assertEquals((await readQueueState(connection)).tokensOwed, {});
    assertEquals(await connection.command("LLEN", "slots:available"), 5 * 3000 - 60);
  }));
