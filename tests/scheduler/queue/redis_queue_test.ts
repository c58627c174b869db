import { assertEquals, assertRejects } from "@std/assert";
import { parseRedisUrl } from "../../../scheduler/queue/url.ts";
import { QueueError } from "../../../scheduler/queue/connection.ts";
import { openRedisQueue } from "../../../scheduler/queue/open.ts";
import type { RedisQueue } from "../../../scheduler/queue/redis_queue.ts";
import type { Task } from "../../../trace/task.ts";
import { completeTask } from "../../../trace/task.ts";
import { beat, FOUR_UNITS, LONG_LEASES } from "../../support/queue_actors.ts";
import { type RedisServer, startRedisServer } from "../../support/redis_server.ts";

function openQueue(redis: RedisServer): Promise<RedisQueue> {
  return openRedisQueue({ address: parseRedisUrl(redis.url), report: () => {} });
}

function task(id: string, more: Partial<Task> = {}): Task {
  return completeTask({ task_id: id, kind: "command", argv: ["true"], ...more }, "test", id);
}

Deno.test("RedisQueue carries a task from the dispatcher to its end", async () => {
  await using redis = await startRedisServer();
  await using queue = await openQueue(redis);
  await using worker = queue.worker("cloud1", LONG_LEASES);
  await using scheduler = queue.scheduler("s", LONG_LEASES);
  const [first, again] = await queue.enqueue([task("t1"), task("t1")]);
  assertEquals([first?.isNew, again?.isNew], [true, false]);
  assertEquals(first?.seq, again?.seq);
  assertEquals(await worker.register({ ...FOUR_UNITS, slots: 2 }), 0);
  assertEquals(await redis.cli("LRANGE", "slots:available", "0", "-1"), "cloud1\ncloud1");
  assertEquals((await scheduler.lead()).isActive, true);
  const hosts = await scheduler.allHosts();
  assertEquals(hosts.map(({ node, capacity, slots }) => [node, capacity, slots]), [[
    "cloud1",
    4,
    2,
  ]]);
  const [raw = ""] = await scheduler.window(10);
  const reply = await scheduler.assign([
    { raw, taskId: "t1", node: "cloud1", units: 3, index: 0 },
  ]);
  assertEquals([reply.applied, reply.refusal], [1, null]);
  assertEquals(await redis.cli("GET", "cap:cloud1"), "1");
  assertEquals(await redis.cli("LRANGE", "slots:available", "0", "-1"), "cloud1");
  const { claimed } = await worker.claim(10);
  assertEquals(claimed.map((one) => [one.task.task_id, one.task.attempt]), [["t1", 1]]);
  const { incarnation = "" } = claimed[0] ?? {};
  const end = { attempt: 1, outcome: "done", status: 0, reason: null } as const;
  const finish = { taskId: "t1", incarnation, ...end };
  const finished = await worker.finish(finish);
  assertEquals(finished.state, "done");
  assertEquals(await worker.finish(finish), finished);
  assertEquals((await queue.progress()).ended.done, 1);
  const [result = ""] = await scheduler.results(10);
  assertEquals(JSON.parse(result).state, "done");
  assertEquals(await scheduler.trimResults([result]), true);
  assertEquals(await scheduler.results(10), []);
  assertEquals(await redis.cli("GET", "cap:cloud1"), "4");
  assertEquals(await beat(worker), true);
  await worker.leave();
  assertEquals(await beat(worker), false);
});

Deno.test("openRedisQueue() refuses a wrong password with one line that does not show it", async () => {
  await using redis = await startRedisServer();
  for (
    const url of [`redis://:wrong-one@127.0.0.1:${redis.port}`, `redis://127.0.0.1:${redis.port}`]
  ) {
    const error = await assertRejects(
      () => openRedisQueue({ address: parseRedisUrl(url), report: () => {} }),
      QueueError,
      "refuses us",
    );
    assertEquals([error.code, error.message.includes("wrong-one")], ["refused", false]);
  }
});
