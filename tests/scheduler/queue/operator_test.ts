import { assert, assertEquals, assertMatch } from "@std/assert";
import { accessRules } from "../../../scheduler/queue/access.ts";
import type { Registration } from "../../../scheduler/queue/queue.ts";
import type { RedisOperator } from "../../../scheduler/queue/operator.ts";
import { openRedisQueue } from "../../../scheduler/queue/open.ts";
import type { RedisQueue } from "../../../scheduler/queue/redis_queue.ts";
import type { RedisSchedulerQueue } from "../../../scheduler/queue/scheduler_queue.ts";
import { parseRedisUrl } from "../../../scheduler/queue/url.ts";
import type { RedisWorkerQueue } from "../../../scheduler/queue/worker_queue.ts";
import { TIMING } from "../../../scheduler/queue/timing.ts";
import { completeTask, type Task } from "../../../trace/task.ts";
import {
  FOUR_UNITS,
  LONG_LEASES,
  registerNode,
  runClaimed,
  testTask,
} from "../../support/queue_actors.ts";
import { type RedisServer, startRedisServer } from "../../support/redis_server.ts";

/** A queue with every role's view of it; the test plays the roles. */
interface Stage extends AsyncDisposable {
  readonly redis: RedisServer;
  readonly queue: RedisQueue;
  readonly operator: RedisOperator;
  readonly scheduler: RedisSchedulerQueue;
  /** A worker of 4 units that has registered. */
  worker(node: string, more?: Partial<Registration>): Promise<RedisWorkerQueue>;
  /** Place the front of the queue: one task on each of `nodes`. */
  assign(...nodes: readonly string[]): Promise<void>;
}

async function setStage(): Promise<Stage> {
  const redis = await startRedisServer();
  const queue = await openRedisQueue({ address: parseRedisUrl(redis.url), report: () => {} });
  const scheduler = queue.scheduler("s", LONG_LEASES);
  await scheduler.lead();
  return {
    redis,
    queue,
    scheduler,
    operator: queue.operator(LONG_LEASES),
    async worker(node, more = {}): Promise<RedisWorkerQueue> {
      const worker = queue.worker(node, LONG_LEASES);
      assertEquals(await worker.register({ ...FOUR_UNITS, ...more }), 0);
      return worker;
    },
    async assign(...nodes): Promise<void> {
      const placements = (await scheduler.window(nodes.length)).map((raw, place) => {
        const { task_id: taskId, cpu_units: units }: Task = JSON.parse(raw);
        return { raw, taskId, units, node: nodes[place] ?? "", index: 0 };
      });
      assertEquals((await scheduler.assign(placements)).applied, nodes.length);
    },
    async [Symbol.asyncDispose](): Promise<void> {
      await queue[Symbol.asyncDispose]();
      await redis[Symbol.asyncDispose]();
    },
  };
}

function task(id: string, units = 1): Task {
  return completeTask({ task_id: id, argv: ["true"], cpu_units: units }, "test", id);
}

function tasks(count: number, units = 1): Task[] {
  return Array.from({ length: count }, (_, index) => task(`t${index}`, units));
}

async function pendingIds({ redis }: Stage): Promise<string[]> {
  const text = await redis.cli("LRANGE", "q:pending", "0", "-1");
  return text === "" ? [] : text.split("\n").map((line) => JSON.parse(line).task_id);
}

Deno.test("RedisOperator.status() says that an empty queue is empty", async () => {
  await using stage = await setStage();
  const status = await stage.operator.status();
  assertEquals([status.pending, status.head, status.nodes, status.dead_letters], [0, null, [], 0]);
  assertMatch(status.scheduler ?? "", /^s#1-[0-9a-f]{8}$/);
  assertEquals(status.ended, { done: 0, failed: 0, dead: 0, cancelled: 0 });
});

Deno.test("RedisOperator.status() shows nodes with what they run, and why the head waits", async () => {
  await using stage = await setStage();
  const worker = await stage.worker("cloud1", { slots: 2 });
  await stage.worker("cloud2");
  await stage.queue.enqueue([task("t0", 3), task("t1", 2), task("t2", 4), task("t3", 1)]);
  await stage.assign("cloud1", "cloud2");
  await worker.claim(1);
  const { nodes, head, pending } = await stage.operator.status();
  const [first, second] = nodes;
  assertEquals(nodes.map(({ node, state }) => [node, state]), [["cloud1", "live"], [
    "cloud2",
    "live",
  ]]);
  assertEquals(first?.running, [{ task_id: "t0", attempt: 1 }]);
  assertEquals([first?.free, first?.capacity, first?.slots, first?.free_slots], [1, 4, 2, 1]);
  assertEquals([second?.free, second?.slots, second?.queued, second?.assigned], [2, null, 1, 1]);
  assert(
    (first?.heartbeat_age_ms ?? -1) >= 0 && (first?.heartbeat_age_ms ?? 1e9) < LONG_LEASES.leaseMs,
  );
  assertEquals([pending, head?.task_id, head?.cpu_units], [2, "t2", 4]);
  assertEquals(head?.reasons, { busy: ["cloud1", "cloud2"] });
  assertEquals(head?.why, "too few free units: cloud1, cloud2");
});

Deno.test("RedisOperator.status() says in words what else can hold a head up", async () => {
  await using stage = await setStage();
  const why = async () => (await stage.operator.status()).head?.why;
  await stage.queue.enqueue([task("t0", 16)]);
  assertEquals(await why(), "no node has a live worker");
  await stage.worker("cloud1");
  const large = "it asks for 16 units and the largest node has 4: it waits for a larger one";
  assertEquals(await why(), large);
  await stage.operator.cancel("t0", "test");
  await stage.queue.enqueue([task("t1", 4)]);
  assertEquals(await why(), "it is about to be placed");
  await stage.operator.drain("cloud1");
  assertEquals(await why(), "draining: cloud1");
  assertEquals((await stage.operator.status()).nodes[0]?.state, "draining");
  await stage.redis.cli("LPUSH", "q:pending", "{broken");
  assertEquals(await why(), "it is not a task: the scheduler is about to move it to q:dead");
  await stage.scheduler.resign();
  assertEquals(await why(), "no scheduler is active");
});

Deno.test("RedisOperator.status() shows what belongs to no live node", async () => {
  await using stage = await setStage();
  await stage.worker("cloud1", { slots: 1 });
  await stage.redis.cli("SET", "cap:old-name", "6");
  await stage.redis.cli("LPUSH", "slots:available", "older-name");
  await stage.queue.enqueueOn("cloud9", [testTask("a")]);
  await stage.redis.cli("SET", "q:what", "no list");
  const { foreign_caps, foreign_tokens, orphaned_queues } = await stage.operator.status();
  assertEquals([foreign_caps, foreign_tokens], [["cap:old-name"], ["older-name"]]);
  assertEquals(orphaned_queues, [{ node: "cloud9", queued: 1 }]);
});

Deno.test("RedisOperator.status() counts results that no scheduler has written down", async () => {
  await using stage = await setStage();
  const worker = await stage.worker("n1");
  await stage.queue.enqueueOn("n1", ["a", "b"].map((id) => testTask(id)));
  await runClaimed(worker);
  await stage.scheduler.resign();
  const { unwritten_results, scheduler } = await stage.operator.status();
  assertEquals([unwritten_results, scheduler], [2, null]);
});

Deno.test("RedisOperator.locate() follows a task from place to place", async () => {
  await using stage = await setStage();
  const place = async (id: string) => {
    const { state, node, ahead, attempts } = await stage.operator.locate(id);
    return [state, node, ahead, attempts];
  };
  const worker = await stage.worker("cloud1");
  await stage.queue.enqueue(tasks(3));
  assertEquals(await place("t2"), ["pending", null, 2, null]);
  await stage.assign("cloud1", "cloud1");
  assertEquals(await place("t1"), ["assigned", "cloud1", 1, null]);
  assertEquals(await place("t2"), ["pending", null, 0, null]);
  const { claimed: [first] } = await worker.claim(1);
  assertEquals(await place("t0"), ["running", "cloud1", null, 1]);
  await worker.finish({
    taskId: "t0",
    incarnation: first?.incarnation ?? "",
    attempt: 1,
    outcome: "refused",
    status: null,
    reason: "no such program",
  });
  assertEquals(await place("t0"), ["dead", null, null, 1]);
  assertEquals((await stage.operator.locate("t0")).reason, "no such program");
  await stage.queue.enqueueOn("cloud7", [task("direct")]);
  assertEquals(await place("direct"), ["pending", "cloud7", 0, null]);
  assertEquals(await place("nosuch"), [null, null, null, null]);
});

Deno.test("RedisOperator.locate() finds a task behind thousands", async () => {
  await using stage = await setStage();
  for (let first = 0; first < 2500; first += 100) {
    const ids = Array.from({ length: 100 }, (_, offset) => `t${first + offset}`);
    await stage.queue.enqueue(ids.map((id) => task(id)));
  }
  assertEquals((await stage.operator.locate("t2345")).ahead, 2345);
});

Deno.test("RedisOperator.drain() takes back what has not begun, and undrain() ends it", async () => {
  await using stage = await setStage();
  const worker = await stage.worker("cloud1");
  await stage.queue.enqueue(tasks(4));
  await stage.assign("cloud1", "cloud1", "cloud1");
  await worker.claim(1);
  assertEquals(await stage.operator.drain("cloud1"), { returned: 2, running: 1 });
  assertEquals(await pendingIds(stage), ["t1", "t2", "t3"]);
  assertEquals(await stage.redis.cli("GET", "cap:cloud1"), "3");
  assertEquals((await worker.claim(10)).claimed, []);
  assertEquals(await stage.operator.undrain("cloud1"), true);
  await stage.assign("cloud1");
  assertEquals((await worker.claim(10)).claimed.length, 1);
  assertEquals(await stage.operator.drain("nosuch"), null);
  assertEquals(await stage.operator.undrain("nosuch"), false);
});

Deno.test("RedisOperator.cancel() ends a task wherever it is", async () => {
  await using stage = await setStage();
  const worker = await stage.worker("cloud1");
  await stage.queue.enqueue(tasks(3));
  await stage.queue.enqueueOn("cloud1", [task("direct")]);
  await stage.assign("cloud1", "cloud1");
  const { claimed: [running] } = await worker.claim(1);
  const cancel = (id: string) => stage.operator.cancel(id, "not wanted");
  assertEquals(await Promise.all(["t0", "t1", "t2", "direct", "nosuch"].map(cancel)), [
    "stopping",
    "cancelled",
    "cancelled",
    "cancelled",
    "unknown",
  ]);
  assertEquals(await cancel("t1"), "ended");
  assertEquals((await worker.claim(10)).cancelled, ["t0"]);
  await worker.finish({
    taskId: "t0",
    incarnation: running?.incarnation ?? "",
    attempt: 1,
    outcome: "returned",
    status: null,
    reason: "stopped",
  });
  assertEquals(await stage.scheduler.cancelRemoved(), 0);
  assertEquals((await stage.operator.status()).ended.cancelled, 4);
  assertEquals(await stage.redis.cli("GET", "cap:cloud1"), "4");
  assertEquals(await stage.redis.cli("LLEN", "q:cloud1"), "0");
  assertEquals(await pendingIds(stage), []);
});

Deno.test("RedisOperator.requeue() takes back a node's queue at the old places", async () => {
  await using stage = await setStage();
  await stage.worker("cloud1", { slots: 4 });
  await stage.queue.enqueue(tasks(2));
  await stage.queue.enqueueOn("cloud1", [task("direct")]);
  await stage.queue.enqueue([task("last")]);
  await stage.assign("cloud1", "cloud1");
  await stage.redis.cli("RPUSH", "q:cloud1", `{"input":"by-hand","output":"o"}`);
  assertEquals(await stage.operator.requeue("cloud1"), 4);
  assertEquals(await pendingIds(stage), ["t0", "t1", "direct", "last", undefined] as string[]);
  assertEquals(await stage.redis.cli("GET", "cap:cloud1"), "4");
  assertEquals(await stage.redis.cli("LLEN", "slots:available"), "4");
  assertEquals(await stage.operator.requeue("nosuch"), 0);
});

Deno.test("RedisOperator.requeue() takes back more than one portion", async () => {
  await using stage = await setStage();
  const ids = Array.from({ length: 250 }, (_, index) => `t${index}`);
  await stage.queue.enqueueOn("gone", ids.map((id) => task(id)));
  assertEquals(await stage.operator.requeue("gone"), 250);
  assertEquals(await pendingIds(stage), ids);
});

Deno.test("RedisOperator keeps, retries and drops dead letters", async () => {
  await using stage = await setStage();
  const worker = await stage.worker("cloud1");
  await stage.queue.enqueue(tasks(2));
  await stage.assign("cloud1", "cloud1");
  for (const { task: { task_id: taskId }, incarnation } of (await worker.claim(2)).claimed) {
    const end = { outcome: "refused", status: null, reason: `${taskId} is no good` } as const;
    await worker.finish({ taskId, incarnation, attempt: 1, ...end });
  }
  await stage.redis.cli("RPUSH", "q:pending", "[1, 2]");
  await stage.scheduler.bury({ index: 0, raw: "[1, 2]" }, "", "an object is required");
  const letters = await stage.operator.deadLetters();
  assertEquals(letters.map(({ task_id, reason }) => [task_id, reason]), [
    ["t0", "t0 is no good"],
    ["t1", "t1 is no good"],
    ["unnamed-1", "an object is required"],
  ]);
  const retried = await stage.operator.retryDead(null);
  assertEquals(retried.map(({ newId }) => newId), ["t0.retry1", "t1.retry1", null]);
  assertEquals(await pendingIds(stage), ["t0.retry1", "t1.retry1"]);
  assertEquals((await stage.operator.deadLetters()).map(({ task_id }) => task_id), ["unnamed-1"]);
  assertEquals((await stage.operator.dropDead(new Set(["nosuch"]))).length, 0);
  assertEquals((await stage.operator.dropDead(null)).length, 1);
  assertEquals((await stage.operator.status()).dead_letters, 0);
});

Deno.test("RedisOperator needs no other rights than the operator's", async () => {
  await using stage = await setStage();
  const worker = await stage.worker("cloud1", { slots: 2 });
  await stage.queue.enqueue(tasks(4));
  await stage.assign("cloud1", "cloud1");
  await worker.claim(1);
  await stage.redis.cli("RPUSH", "q:pending", "[1]");
  await stage.scheduler.bury({ index: 2, raw: "[1]" }, "", "no task");
  await stage.redis.cli(
    "ACL",
    "SETUSER",
    "op",
    "on",
    ">secret",
    ...accessRules("operator", { prefix: "" }),
  );
  const url = `redis://op:secret@127.0.0.1:${stage.redis.port}/0`;
  await using queue = await openRedisQueue({ address: parseRedisUrl(url), report: () => {} });
  const operator = queue.operator(TIMING);
  assertEquals((await operator.status()).nodes.length, 1);
  assertEquals((await operator.locate("t2")).state, "pending");
  assertEquals(await operator.cancel("t3", "test"), "cancelled");
  assertEquals(await operator.requeue("cloud1"), 1);
  assertEquals(await operator.drain("cloud1"), { returned: 0, running: 1 });
  assertEquals(await operator.undrain("cloud1"), true);
  assertEquals((await operator.retryDead(null)).length, 1);
  assertEquals((await operator.dropDead(null)).length, 1);
});

Deno.test("a worker with another --slots-key does its work with its user's rights", async () => {
  await using stage = await setStage();
  const rules = accessRules("worker", { prefix: "", slotsKeys: ["tokens"] });
  await stage.redis.cli("ACL", "SETUSER", "wk", "on", ">secret", ...rules);
  const url = `redis://wk:secret@127.0.0.1:${stage.redis.port}/0`;
  await using queue = await openRedisQueue({ address: parseRedisUrl(url), report: () => {} });
  await using worker = await registerNode(queue, "cloud1", { slots: 2, slotsKey: "tokens" });
  assertEquals(await stage.redis.cli("LRANGE", "tokens", "0", "-1"), "cloud1\ncloud1");
  await stage.queue.enqueueOn("cloud1", tasks(1));
  assertEquals(await runClaimed(worker), ["t0"]);
  await worker.leave();
  assertEquals(await stage.redis.cli("EXISTS", "tokens"), "0");
});
