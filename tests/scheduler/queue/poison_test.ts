/** What people and broken programs put into the queue: each ends as a dead letter with the reason. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import {
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

function like(more: object): string {
  return JSON.stringify({ input: "i.mp4", output: "outputs/o.mp4", ...more });
}

/** [element of a list, reason] */
const POISON: readonly [string, RegExp][] = [
  ["", /not JSON/],
  ["not json", /not JSON/],
  ['{"input": "i.mp4", "outp', /not JSON/],
  ["null", /an object is required/],
  ["42", /an object is required/],
  ["[]", /an object is required/],
  ["{}", /"input" and "output" are required/],
  ['{"input":"i.mp4"}', /"input" and "output" are required/],
  [like({ input: "" }), /"input" and "output" are required/],
  [like({ input: 5 }), /field "input": a string/],
  [like({ cpu_units: -3 }), /field "cpu_units": an integer from 1/],
  [like({ cpu_units: 0 }), /field "cpu_units"/],
  [like({ cpu_units: 1.5 }), /field "cpu_units"/],
  [like({ cpu_units: 1e9 }), /field "cpu_units"/],
  [like({ cpu_units: "2" }), /field "cpu_units"/],
  [like({ cpu_units: { n: 1 } }), /field "cpu_units"/],
  [like({ task_id: "../../x" }), /field "task_id"/],
  [like({ task_id: ".." }), /field "task_id"/],
  [like({ task_id: "x".repeat(65) }), /field "task_id"/],
  [like({ task_id: 7 }), /field "task_id"/],
  [like({ scale: "1280:720,drawtext=x" }), /field "scale"/],
  [like({ vcodec: "h266" }), /field "vcodec"/],
  [like({ preset: "-version" }), /field "preset"/],
  [like({ kind: "shell" }), /field "kind"/],
  ['{"kind":"command","argv":[]}', /a program is required/],
  [like({ seq: "first" }), /field "seq"/],
  [like({ input: "x".repeat(70_000) }), /at most 65536 characters/],
  [`{"__proto__":{"task_id":"p"},"constructor":1}`, /are required/],
];

Deno.test("poison in the pending queue is buried with its reason and costs nothing", async () => {
  await using redis = await startRedisServer();
  await using queue = await openTestQueue(redis);
  await using worker = await registerNode(queue, "cloud1", { slots: 2 });
  await using scheduler = await startScheduler(redis, { timing: SHORT_TIMING });
  await queue.enqueue([testTask("before")]);
  for (const [raw] of POISON) await redis.cli("RPUSH", "q:pending", raw);
  await queue.enqueue([testTask("after")]);
  const ran: string[] = [];
  await waitFor({
    what: "the tasks around it to run",
    read: async () => ran.push(...await runClaimed(worker)),
    until: () => ran.length === 2,
  });
  const results = await waitForResults(scheduler, POISON.length + 2);
  assertEquals(results.filter(({ state }) => state === "dead").length, POISON.length);
  const letters = (await redis.cli("LRANGE", "q:dead", "0", "-1")).split("\n");
  const reasons = letters.map((letter) => String(JSON.parse(letter).reason));
  assertEquals(reasons.length, POISON.length);
  for (const [raw, reason] of POISON) {
    assert(
      reasons.some((one) => reason.test(one)),
      `${raw.slice(0, 60)}: ${reason}\n${reasons.join("\n")}`,
    );
  }
  assertEquals(await redis.cli("GET", "cap:cloud1"), "4");
  assertEquals(await redis.cli("LLEN", "slots:available"), "2");
  assertEquals(await redis.cli("KEYS", "tk:task:*"), "");
});

Deno.test("poison in a node's own queue is buried by its worker", async () => {
  await using redis = await startRedisServer();
  await using queue = await openTestQueue(redis);
  await using worker = await registerNode(queue, "cloud1");
  for (const [raw] of POISON) await redis.cli("RPUSH", "q:cloud1", raw);
  await redis.cli("RPUSH", "q:cloud1", like({ task_id: "good" }));
  assertEquals(await runClaimed(worker), ["good"]);
  assertEquals(await redis.cli("LLEN", "q:dead"), String(POISON.length));
  assertEquals(await redis.cli("GET", "cap:cloud1"), "4");
});

Deno.test("a task of 10 MB is buried, and only its beginning is kept", async () => {
  await using redis = await startRedisServer();
  await using queue = await openTestQueue(redis);
  await using scheduler = await startScheduler(redis, { timing: SHORT_TIMING });
  const script = `redis.call('RPUSH', 'q:pending', string.rep('x', 10485760))`;
  await redis.cli("EVAL", script, "0");
  const [result] = await waitForResults(scheduler, 1);
  assertMatch(result?.reason ?? "", /at most 65536 characters is required, got 10485760/);
  assert((await redis.cli("LINDEX", "q:dead", "0")).length < 10_000);
  assertEquals(await queue.pendingLength(), 0);
});

Deno.test("a second copy of a task that waits or runs is buried, and the task continues", async () => {
  await using redis = await startRedisServer();
  await using queue = await openTestQueue(redis);
  await using worker = await registerNode(queue, "cloud1", { capacityUnits: 1 });
  await using scheduler = await startScheduler(redis, { timing: SHORT_TIMING });
  await queue.enqueue([testTask("a"), testTask("b")]);
  const { claimed } = await waitFor({
    what: "the first task",
    read: () => worker.claim(1),
    until: (reply) => reply.claimed.length === 1,
  });
  await redis.cli(
    "RPUSH",
    "q:pending",
    JSON.stringify(testTask("a")),
    JSON.stringify(testTask("b")),
  );
  await waitFor({
    what: "both copies to be buried",
    read: () => redis.cli("LLEN", "q:dead"),
    until: (length) => length === "2",
  });
  for (const { task, incarnation } of claimed) {
    const end = { outcome: "done", status: 0, reason: null } as const;
    await worker.finish({ taskId: task.task_id, incarnation, attempt: task.attempt, ...end });
  }
  await waitFor({
    what: "the second task",
    read: () => runClaimed(worker),
    until: (ran) => ran.includes("b"),
  });
  const results = await waitForResults(scheduler, 2);
  assertEquals(results.map(({ task_id, state }) => [task_id, state]), [["a", "done"], [
    "b",
    "done",
  ]]);
});

Deno.test("an over-large head waits, blocks as strict FIFO demands, and is spoken of", async () => {
  await using redis = await startRedisServer();
  await using queue = await openTestQueue(redis);
  await using worker = await registerNode(queue, "cloud1");
  await using scheduler = await startScheduler(redis, { timing: SHORT_TIMING });
  await queue.enqueue([testTask("huge", { cpu_units: 64 }), testTask("small")]);
  await waitFor({
    what: "the scheduler to say why",
    read: () => scheduler.lines,
    until: (lines) =>
      lines.includes("head huge waits: it asks for 64 units, the largest of 1 nodes has 4"),
  });
  assertEquals(await runClaimed(worker), []);
  const waiting = (await scheduler.events()).find(({ event }) => event === "waiting");
  assertEquals([waiting?.task_id, waiting?.reasons], ["huge", { too_small: 1 }]);
});

Deno.test("what people push without place or time is completed in the order of the list", async () => {
  await using redis = await startRedisServer();
  await using queue = await openTestQueue(redis);
  await queue.enqueue([testTask("t1")]);
  await redis.cli(
    "RPUSH",
    "q:pending",
    like({ task_id: "h1" }),
    like({ task_id: "h2", _seq: 900 }),
  );
  await queue.enqueue([testTask("t2")]);
  await redis.cli("LPUSH", "q:pending", like({ task_id: "h0" }));
  await redis.cli("RPUSH", "q:pending", like({ task_id: "h3", ts_enqueue: 1000.5 }));
  await using scheduler = await startScheduler(redis, { timing: SHORT_TIMING });
  await using worker = await registerNode(queue, "cloud1", { capacityUnits: 8 });
  const ran: string[] = [];
  await waitFor({
    what: "all six to run",
    read: async () => ran.push(...await runClaimed(worker)),
    until: () => ran.length === 6,
  });
  assertEquals(ran, ["h0", "t1", "h1", "h2", "t2", "h3"]);
  const seqs = new Map(
    (await waitForResults(scheduler, 6)).map(({ task_id, seq }) => [task_id, seq]),
  );
  const order = ran.map((id) => seqs.get(id) ?? NaN);
  assertEquals(order, order.toSorted((a, b) => a - b));
  assertEquals([seqs.get("t1"), seqs.get("t2"), seqs.get("h3")], [1, 2, 3]);
});
