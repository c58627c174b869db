/** Every recipe of the seeds' READMEs, typed into redis-cli as they are there. */

import { assert, assertEquals } from "@std/assert";
import {
  beat,
  openTestQueue,
  registerNode,
  runClaimed,
  SHORT_TIMING,
  startScheduler,
  testTask,
  waitForResults,
} from "../../support/queue_actors.ts";
import { openRedisQueue } from "../../../scheduler/queue/open.ts";
import { parseRedisUrl } from "../../../scheduler/queue/url.ts";
import { startRedisServer } from "../../support/redis_server.ts";
import { waitFor } from "../../support/wait_for.ts";

/** A raw task as an older dispatcher pushes it. */
function handMade(name: string, more: object = {}): string {
  return JSON.stringify({ input: `${name}.mp4`, output: `outputs/${name}.mp4`, ...more });
}

Deno.test("LLEN, LRANGE and GET tell the truth at that moment", async () => {
  await using redis = await startRedisServer();
  await using queue = await openTestQueue(redis);
  await using worker = await registerNode(queue, "cloud1", { slots: 3 });
  await using _scheduler = await startScheduler(redis);
  const shown = async () => ({
    pending: await redis.cli("LLEN", "q:pending"),
    slots: await redis.cli("LRANGE", "slots:available", "0", "-1"),
    cap: await redis.cli("GET", "cap:cloud1"),
    queued: await redis.cli("LLEN", "q:cloud1"),
    count: await redis.cli("GET", "run_count:cloud1"),
  });
  assertEquals(await shown(), {
    pending: "0",
    slots: "cloud1\ncloud1\ncloud1",
    cap: "4",
    queued: "0",
    count: "0",
  });
  await queue.enqueue([
    testTask("a", { cpu_units: 2 }),
    testTask("b", { cpu_units: 1 }),
    testTask("c", { cpu_units: 4 }),
  ]);
  const placed = { pending: "1", slots: "cloud1", cap: "1", queued: "2", count: "2" };
  await waitFor({ what: "both", read: shown, until: ({ queued }) => queued === "2" });
  assertEquals(await shown(), placed);
  const { claimed } = await worker.claim(1);
  assertEquals(claimed.length, 1);
  assertEquals(await shown(), { ...placed, queued: "1" });
  const totals = ["cap_total:cloud1", "phys:cloud1", "ratio:cloud1"];
  assertEquals(await Promise.all(totals.map((key) => redis.cli("GET", key))), ["4", "4", "1"]);
});

Deno.test("SET cap:<host> lowers what is placed there, until the next registration", async () => {
  await using redis = await startRedisServer();
  await using queue = await openTestQueue(redis);
  await using worker = await registerNode(queue, "cloud1");
  await using scheduler = await startScheduler(redis, { timing: SHORT_TIMING });
  await redis.cli("SET", "cap:cloud1", "1");
  await queue.enqueue([testTask("a", { cpu_units: 2 })]);
  await waitFor({
    what: "the head to wait for 2 of 1 units",
    read: () => scheduler.events(),
    until: (events) => events.some(({ event, reasons }) => event === "waiting" && reasons?.busy),
  });
  assertEquals(await runClaimed(worker), []);
  await worker.leave();
  worker.beginAnew();
  await using again = await registerNode(queue, "cloud1");
  await waitFor({
    what: "the task to be placed",
    read: () => runClaimed(again),
    until: (ran) => ran.includes("a"),
  });
  assertEquals(await redis.cli("GET", "cap:cloud1"), "4");
});

Deno.test("SET cap:<host> never raises the capacity above the truth, and the worker says so once", async () => {
  await using redis = await startRedisServer();
  const lines: string[] = [];
  const report = (line: string) => lines.push(line);
  await using queue = await openRedisQueue({ address: parseRedisUrl(redis.url), report });
  await using worker = await registerNode(queue, "cloud1");
  assert(await beat(worker));
  assertEquals(lines, []);
  await redis.cli("SET", "cap:cloud1", "100");
  // Whoever reads the node first repairs it: the message comes with the heartbeat all the same.
  await queue.operator(SHORT_TIMING).status();
  for (let times = 0; times < 2; times++) assert(await beat(worker));
  assertEquals(await redis.cli("GET", "cap:cloud1"), "4");
  assertEquals(lines, [
    "cap:cloud1 was set to 100 by hand; 4 vCPUs are free (a value above the true one has no effect)",
  ]);
});

Deno.test("cap: of a node that is not alive is ignored", async () => {
  await using redis = await startRedisServer();
  await using queue = await openTestQueue(redis);
  await redis.cli("SET", "cap:ghost", "64");
  await redis.cli("RPUSH", "slots:available", "ghost", "ghost");
  await using worker = await registerNode(queue, "cloud1", { slots: 1 });
  await using scheduler = await startScheduler(redis);
  await queue.enqueue([testTask("a"), testTask("b")]);
  await waitFor({
    what: "both tasks",
    read: async () => [...await runClaimed(worker), (await queue.progress()).ended.done],
    until: (ran) => ran.at(-1) === 2,
  });
  assertEquals((await waitForResults(scheduler, 2)).map(({ node }) => node), ["cloud1", "cloud1"]);
  assertEquals(await redis.cli("LLEN", "q:ghost"), "0");
});

Deno.test("DEL q:pending slots:available: tasks are cancelled, slots come back", async () => {
  await using redis = await startRedisServer();
  await using queue = await openTestQueue(redis);
  await using worker = await registerNode(queue, "cloud1", { slots: 2, capacityUnits: 1 });
  await using scheduler = await startScheduler(redis, { timing: SHORT_TIMING });
  const tasks = ["a", "b", "c"].map((id) => testTask(id, { dispatch_id: "d" }));
  await queue.enqueue(tasks);
  await waitFor({
    what: "the first task to be placed",
    read: () => redis.cli("LLEN", "q:cloud1"),
    until: (length) => length === "1",
  });
  await redis.cli("DEL", "q:pending", "slots:available");
  const cancelled = await waitForResults(scheduler, 2);
  assertEquals(cancelled.map(({ task_id, state, seq }) => [task_id, state, seq]), [
    ["b", "cancelled", 2],
    ["c", "cancelled", 3],
  ]);
  assert(await beat(worker));
  assertEquals(await redis.cli("LRANGE", "slots:available", "0", "-1"), "cloud1");
  assertEquals(await runClaimed(worker), ["a"]);
  assertEquals(await redis.cli("LRANGE", "slots:available", "0", "-1"), "cloud1\ncloud1");
  assertEquals((await queue.dispatchProgress("d")).ended, {
    done: 1,
    failed: 0,
    dead: 0,
    cancelled: 2,
  });
});

Deno.test("DEL q:pending before a new dispatch cancels the old tasks only", async () => {
  await using redis = await startRedisServer();
  await using queue = await openTestQueue(redis);
  await queue.enqueue([testTask("old1"), testTask("old2")]);
  await redis.cli("DEL", "q:pending");
  await queue.enqueue([testTask("new1")]);
  await using scheduler = await startScheduler(redis, { timing: SHORT_TIMING });
  const cancelled = await waitForResults(scheduler, 2);
  assertEquals(cancelled.map(({ task_id }) => task_id), ["old1", "old2"]);
  assertEquals(await queue.pendingLength(), 1);
});

Deno.test("DEL q:<node> cancels assigned tasks and releases their reservations", async () => {
  await using redis = await startRedisServer();
  await using queue = await openTestQueue(redis);
  await using worker = await registerNode(queue, "cloud1", { slots: 2 });
  await using scheduler = await startScheduler(redis, { timing: SHORT_TIMING });
  await queue.enqueue([testTask("a", { cpu_units: 3 }), testTask("b")]);
  await waitFor({
    what: "both to be placed",
    read: () => redis.cli("LLEN", "q:cloud1"),
    until: (length) => length === "2",
  });
  assertEquals(await redis.cli("GET", "cap:cloud1"), "0");
  await redis.cli("DEL", "q:cloud1");
  assert(await beat(worker));
  assertEquals(await redis.cli("GET", "cap:cloud1"), "4");
  assertEquals(await redis.cli("LLEN", "slots:available"), "2");
  const results = await waitForResults(scheduler, 2);
  assertEquals(results.map(({ state, node }) => [state, node]), [
    ["cancelled", "cloud1"],
    ["cancelled", "cloud1"],
  ]);
  assertEquals(await runClaimed(worker), []);
});

Deno.test("--clear-queue cancels what is in the node's queue", async () => {
  await using redis = await startRedisServer();
  await using queue = await openTestQueue(redis);
  await queue.enqueueOn("cloud1", [testTask("a"), testTask("b")]);
  await using worker = await registerNode(queue, "cloud1", { clearQueue: true });
  await using scheduler = await startScheduler(redis, { timing: SHORT_TIMING });
  assertEquals(await runClaimed(worker), []);
  const results = await waitForResults(scheduler, 2);
  assertEquals(results.map(({ task_id, state }) => [task_id, state]), [
    ["a", "cancelled"],
    ["b", "cancelled"],
  ]);
});

Deno.test("--clear-queue cancels what was assigned to the worker's life before", async () => {
  await using redis = await startRedisServer();
  await using queue = await openTestQueue(redis);
  await using before = await registerNode(queue, "cloud1");
  await using first = await startScheduler(redis);
  await queue.enqueue(["a", "b", "c"].map((id) => testTask(id)));
  await waitFor({
    what: "all to be placed",
    read: () => redis.cli("LLEN", "q:cloud1"),
    until: (length) => length === "3",
  });
  await before.claim(1);
  await first.stop();
  // It died, and nobody has noticed.
  await redis.cli("HSET", "tk:node:cloud1", "lease_end", "0");
  await using worker = await registerNode(queue, "cloud1", { clearQueue: true });
  await using scheduler = await startScheduler(redis);
  const results = await waitForResults(scheduler, 2);
  assertEquals(results.map(({ task_id, state }) => [task_id, state]), [
    ["b", "cancelled"],
    ["c", "cancelled"],
  ]);
  await waitFor({
    what: "what it ran to run again",
    read: () => runClaimed(worker),
    until: (ran) => ran.includes("a"),
  });
  assertEquals(await redis.cli("GET", "cap:cloud1"), "4");
});

Deno.test("RPOPLPUSH q:cloud1 q:pending: the task is pending again, in its order", async () => {
  await using redis = await startRedisServer();
  await using queue = await openTestQueue(redis);
  await using gone = await registerNode(queue, "cloud1");
  await using scheduler = await startScheduler(redis, { timing: SHORT_TIMING });
  const ids = ["a", "b", "c", "d", "e", "f"];
  await queue.enqueue(ids.map((id) => testTask(id)));
  await waitFor({
    what: "four to be placed",
    read: () => redis.cli("LLEN", "q:cloud1"),
    until: (length) => length === "4",
  });
  // While the node takes nothing new, as when its worker has another name now.
  await gone.drain();
  await waitFor({
    what: "the drained tasks",
    read: () => redis.cli("LLEN", "q:pending"),
    until: (length) => length === "6",
  });
  await using worker = await registerNode(queue, "cloud2");
  await waitFor({
    what: "four on the new node",
    read: () => redis.cli("LLEN", "q:cloud2"),
    until: (length) => length === "4",
  });
  while (await redis.cli("LLEN", "q:cloud2") !== "0") {
    await redis.cli("RPOPLPUSH", "q:cloud2", "q:pending");
  }
  assert(await beat(worker));
  const ran: string[] = [];
  await waitFor({
    what: "all six to run",
    read: async () => ran.push(...await runClaimed(worker)),
    until: () => ran.length >= 6,
  });
  assertEquals(ran, ids);
  assertEquals(
    (await waitForResults(scheduler, 6)).map(({ state }) => state),
    ids.map(() => "done"),
  );
  assertEquals(await redis.cli("GET", "cap:cloud2"), "4");
});

Deno.test("RPUSH q:<node> by hand: reserved when it is claimed, defaults filled in", async () => {
  await using redis = await startRedisServer();
  await using queue = await openTestQueue(redis);
  await using worker = await registerNode(queue, "cloud1", { slots: 2 });
  await redis.cli(
    "RPUSH",
    "q:cloud1",
    handMade("x", { cpu_units: 3 }),
    handMade("y"),
    handMade("z"),
  );
  const { claimed } = await worker.claim(10);
  assertEquals(
    claimed.map(({ task }) => [task.input, task.cpu_units, task.preset, task.crf]),
    [["x.mp4", 3, "veryfast", 28], ["y.mp4", 1, "veryfast", 28]],
  );
  assertEquals(await redis.cli("GET", "cap:cloud1"), "0");
  assertEquals(await redis.cli("LLEN", "q:cloud1"), "1");
  assertEquals(await redis.cli("LLEN", "slots:available"), "0");
  for (const { task, incarnation } of claimed) {
    const end = { outcome: "done", status: 0, reason: null } as const;
    await worker.finish({ taskId: task.task_id, incarnation, attempt: 1, ...end });
  }
  assertEquals((await worker.claim(10)).claimed.map(({ task }) => task.input), ["z.mp4"]);
});

for (const onLost of ["keep", "pending"] as const) {
  Deno.test(`--on-lost ${onLost}: what was pushed to a node that is lost`, async () => {
    await using redis = await startRedisServer();
    await using queue = await openTestQueue(redis);
    await using _scheduler = await startScheduler(redis, {
      // For the length of a lease it gives up nobody.
      timing: { ...SHORT_TIMING, leaseMs: 100 },
      queuePolicy: { onLost },
    });
    await using lost = await registerNode(queue, "cloud1");
    await redis.cli("RPUSH", "q:cloud1", handMade("x"), handMade("y"));
    assertEquals((await lost.claim(1)).claimed.length, 1);
    // Its lease is over, long ago.
    await redis.cli("ZADD", "tk:nodes", "XX", "0", "cloud1");
    await waitFor({
      what: "the node to be lost",
      read: () => redis.cli("ZCARD", "tk:nodes"),
      until: (count) => count === "0",
    });
    const names = async (key: string) => {
      const raws = (await redis.cli("LRANGE", key, "0", "-1")).split("\n").filter((raw) =>
        raw !== ""
      );
      return raws.map((raw) => JSON.parse(raw).input);
    };
    const expected = ["x.mp4", "y.mp4"];
    assertEquals(await names("q:cloud1"), onLost === "keep" ? expected : []);
    assertEquals(await names("q:pending"), onLost === "pending" ? expected : []);
  });
}

Deno.test("KEYS 'q:run.*' and DEL meets no state of ours", async () => {
  await using redis = await startRedisServer();
  await using queue = await openTestQueue(redis);
  await using _worker = await registerNode(queue, "cloud1", { slots: 1 });
  await using _scheduler = await startScheduler(redis);
  await queue.enqueue([testTask("run.1", { dispatch_id: "run.1" })]);
  assertEquals(await redis.cli("KEYS", "q:run.*"), "");
});

Deno.test("--key-prefix keeps two experiments on one Redis apart", async () => {
  await using redis = await startRedisServer();
  await using one = await openTestQueue(redis, "one:");
  await using two = await openTestQueue(redis, "two:");
  await using _worker = await registerNode(one, "cloud1", { slots: 1 });
  await one.enqueue([testTask("a")]);
  assertEquals([await one.pendingLength(), await two.pendingLength()], [1, 0]);
  assertEquals((await two.progress()).nodes, []);
  const keys = (await redis.cli("KEYS", "*")).split("\n");
  assertEquals(keys.filter((key) => !key.startsWith("one:")), []);
});

Deno.test("keys that a person made something else of are fixed", async () => {
  await using redis = await startRedisServer();
  await using queue = await openTestQueue(redis);
  await using worker = await registerNode(queue, "cloud1", { slots: 1 });
  await using scheduler = await startScheduler(redis, { timing: SHORT_TIMING });
  const commands = ["SET q:pending x", "SET q:cloud1 x", "DEL cap:cloud1", "LPUSH cap:cloud1 x"];
  for (const command of [...commands, "SET slots:available x"]) {
    const [name = "", ...args] = command.split(" ");
    await redis.cli("DEL", args[0] ?? "");
    await redis.cli(name, ...args);
  }
  assert(await beat(worker));
  await queue.enqueue([testTask("a")]);
  await waitFor({
    what: "the task",
    read: () => runClaimed(worker),
    until: (ran) => ran.includes("a"),
  });
  await waitForResults(scheduler, 1);
  assertEquals(await redis.cli("GET", "cap:cloud1"), "4");
  assertEquals(await redis.cli("LRANGE", "slots:available", "0", "-1"), "cloud1");
});
