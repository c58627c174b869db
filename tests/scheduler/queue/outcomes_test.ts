/** What becomes of a task whose attempts end in one way or another. */

import { assert, assertEquals } from "@std/assert";
import {
  beat,
  FOUR_UNITS,
  LONG_LEASES,
  openTestQueue,
  registerNode,
  runClaimed,
  SHORT_TIMING,
  startScheduler,
  testTask,
  waitForResults,
} from "../../support/queue_actors.ts";
import { startRedisServer } from "../../support/redis_server.ts";
import { waitFor } from "../../support/wait_for.ts";
import { TIMING } from "../../../scheduler/queue/timing.ts";

Deno.test("failed is final where one attempt is allowed", async () => {
  await using redis = await startRedisServer();
  await using queue = await openTestQueue(redis);
  await using worker = await registerNode(queue, "cloud1");
  await using scheduler = await startScheduler(redis, { timing: SHORT_TIMING });
  await queue.enqueue([testTask("a"), testTask("b")]);
  await waitFor({
    what: "the tasks",
    read: () => runClaimed(worker, { outcome: "failed" }),
    until: (ran) => ran.length === 2,
  });
  const results = await waitForResults(scheduler, 2);
  assertEquals(results.map(({ state, attempt }) => [state, attempt]), [["failed", 1], [
    "failed",
    1,
  ]]);
  assertEquals(await redis.cli("LLEN", "q:dead"), "0");
});

Deno.test("a task that fails --max-attempts times is dead, at its old place in between", async () => {
  await using redis = await startRedisServer();
  await using queue = await openTestQueue(redis);
  await using worker = await registerNode(queue, "cloud1", { capacityUnits: 1 });
  await using scheduler = await startScheduler(redis, {
    timing: SHORT_TIMING,
    queuePolicy: { maxAttempts: 3 },
  });
  await queue.enqueue([testTask("bad"), testTask("good")]);
  const ran: string[] = [];
  await waitFor({
    what: "the bad task to be dead",
    read: async () => {
      ran.push(...await runClaimed(worker, { outcome: ran.length < 3 ? "failed" : "done" }));
      return ran.length;
    },
    until: (count) => count === 4,
  });
  assertEquals(ran, ["bad", "bad", "bad", "good"]);
  const results = await waitForResults(scheduler, 2);
  assertEquals(results.map(({ task_id, state, attempt }) => [task_id, state, attempt]), [
    ["bad", "dead", 3],
    ["good", "done", 1],
  ]);
  assertEquals(JSON.parse(await redis.cli("LINDEX", "q:dead", "0")).task_id, "bad");
});

Deno.test("what was returned or refused is not a failure of the task's own", async () => {
  await using redis = await startRedisServer();
  await using queue = await openTestQueue(redis);
  await using worker = await registerNode(queue, "cloud1", { capacityUnits: 1 });
  await using scheduler = await startScheduler(redis, { timing: SHORT_TIMING });
  await queue.enqueue([testTask("a"), testTask("b")]);
  const outcomes = ["returned", "returned", "returned", "done", "refused"] as const;
  for (const outcome of outcomes) {
    await waitFor({
      what: `a task to be ${outcome}`,
      read: () => runClaimed(worker, { outcome }),
      until: (ran) => ran.length === 1,
    });
  }
  const results = await waitForResults(scheduler, 2);
  assertEquals(results.map(({ task_id, state, attempt }) => [task_id, state, attempt]), [
    ["a", "done", 4],
    ["b", "dead", 1],
  ]);
});

Deno.test("a task under which the adapter dies repeatedly is dead", async () => {
  await using redis = await startRedisServer();
  await using queue = await openTestQueue(redis);
  await using worker = await registerNode(queue, "cloud1", { capacityUnits: 1 });
  await using scheduler = await startScheduler(redis, { timing: SHORT_TIMING });
  await queue.enqueue([testTask("killer"), testTask("good")]);
  for (const outcome of ["crashed", "returned", "crashed", "crashed", "done"] as const) {
    await waitFor({
      what: `a task to be ${outcome}`,
      read: () => runClaimed(worker, { outcome }),
      until: (ran) => ran.length === 1,
    });
  }
  const results = await waitForResults(scheduler, 2);
  assertEquals(results.map(({ task_id, state, attempt }) => [task_id, state, attempt]), [
    ["good", "done", 1],
    ["killer", "dead", 4],
  ]);
  const letter = JSON.parse(await redis.cli("LINDEX", "q:dead", "0"));
  assertEquals([letter.task_id, letter.reason], ["killer", "as crashed under it, 3 times"]);
});

Deno.test("resume() of what has ended and is forgotten begins nothing", async () => {
  await using redis = await startRedisServer();
  await using queue = await openTestQueue(redis);
  await using worker = await registerNode(queue, "cloud1");
  await queue.enqueueOn("cloud1", [testTask("a")]);
  const { claimed: [ended] } = await worker.claim(1);
  assert(ended !== undefined);
  const { task: { task_id: taskId, attempt }, incarnation } = ended;
  const end = { outcome: "done", status: 0, reason: null } as const;
  await worker.finish({ taskId, incarnation, attempt, ...end });
  await redis.cli("DEL", "tk:ended:a");
  assertEquals(await worker.resume(ended, "interrupted"), false);
  assertEquals(await redis.cli("GET", "run_count:cloud1"), "0");
  // A server that was rolled back to a time before it took the task in has lost its end with it.
  await redis.cli("SET", "tk:seq", "0");
  assertEquals(await worker.resume(ended, "interrupted"), true);
  assertEquals(await redis.cli("GET", "run_count:cloud1"), "1");
});

Deno.test("resume() of a later attempt than the one on record continues with the later one", async () => {
  await using redis = await startRedisServer();
  await using queue = await openTestQueue(redis);
  await using worker = await registerNode(queue, "cloud1");
  await queue.enqueueOn("cloud1", [testTask("a")]);
  const { claimed: [first] } = await worker.claim(1);
  assert(first !== undefined);
  assertEquals(
    await worker.resume({ ...first, task: { ...first.task, attempt: 2 } }, "interrupted"),
    true,
  );
  assertEquals(await redis.cli("HGET", "tk:running:cloud1", "a"), "2");
  assertEquals(await worker.resume(first, "interrupted"), false);
});

Deno.test("a running task that is cancelled ends as its worker stops it, or as it ends before", async () => {
  await using redis = await startRedisServer();
  await using queue = await openTestQueue(redis);
  await using worker = await registerNode(queue, "cloud1");
  await using scheduler = await startScheduler(redis, { timing: SHORT_TIMING });
  await queue.enqueue([testTask("stopped"), testTask("quick")]);
  const { claimed } = await waitFor({
    what: "the tasks",
    read: () => worker.claim(10),
    until: (reply) => reply.claimed.length > 0,
  });
  const all = [...claimed, ...(await worker.claim(10)).claimed];
  const operator = queue.operator(TIMING);
  assertEquals(await operator.cancel("stopped", "a person"), "stopping");
  assertEquals(await operator.cancel("quick", "a person"), "stopping");
  assertEquals((await worker.claim(10)).cancelled.toSorted(), ["quick", "stopped"]);
  for (const { task, incarnation } of all) {
    const { task_id: taskId, attempt } = task;
    const outcome = taskId === "quick" ? "done" : "failed";
    await worker.finish({ taskId, incarnation, attempt, outcome, status: null, reason: null });
  }
  const results = await waitForResults(scheduler, 2);
  assertEquals(results.map(({ task_id, state, reason }) => [task_id, state, reason]), [
    ["quick", "done", null],
    ["stopped", "cancelled", "a person"],
  ]);
  assertEquals((await worker.claim(10)).cancelled, []);
});

Deno.test("register() purges its own stale slot tokens, and nobody else's", async () => {
  await using redis = await startRedisServer();
  await using queue = await openTestQueue(redis);
  await redis.cli("RPUSH", "slots:available", "cloud1", "other", "cloud1", "cloud1");
  await redis.cli("SET", "cap:cloud1", "77");
  await using _worker = await registerNode(queue, "cloud1", { slots: 2 });
  assertEquals(await redis.cli("LRANGE", "slots:available", "0", "-1"), "other\ncloud1\ncloud1");
  assertEquals(await redis.cli("GET", "cap:cloud1"), "4");
});

Deno.test("register() of a second worker of that name waits for the first one's lease", async () => {
  await using redis = await startRedisServer();
  await using queue = await openTestQueue(redis);
  await using first = await registerNode(queue, "cloud1");
  await using second = queue.worker("cloud1", LONG_LEASES);
  const offer = { ...FOUR_UNITS, capacityUnits: 8 };
  const begunMs = await queue.time();
  const waitMs = await second.register(offer);
  const overMs = Number(await redis.cli("ZSCORE", "tk:nodes", "cloud1")) + LONG_LEASES.lostMarginMs;
  // Counted by Redis' own clock at some time between the two, up to the next whole millisecond.
  assertEquals(waitMs - 1 < overMs - begunMs, true, `${waitMs} ms`);
  assertEquals(waitMs >= overMs - await queue.time(), true, `${waitMs} ms`);
  assertEquals((await second.claim(1)).isHolder, false);
  assertEquals(await beat(second), false);
  assertEquals(await redis.cli("GET", "cap:cloud1"), "4");
  await first.leave();
  assertEquals(await second.register(offer), 0);
  assertEquals(await redis.cli("GET", "cap:cloud1"), "8");
});
