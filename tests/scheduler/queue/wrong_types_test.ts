/** Keys that a person made into another type: whatever meets them, no task is lost and the key is repaired. */

import { assertEquals } from "@std/assert";
import {
  openTestQueue,
  SHORT_TIMING,
  startScheduler,
  testTask,
  waitForResults,
} from "../../support/queue_actors.ts";
import { startPlayedWorker } from "../../support/played_worker.ts";
import { type RedisServer, startRedisServer } from "../../support/redis_server.ts";
import { waitFor } from "../../support/wait_for.ts";

/** Keys that a finish, a claim or a placement touches, and what they should be again afterwards. */
const KEYS: readonly (readonly [key: string, type: string])[] = [
  ["slots:available", "list"],
  ["q:n1", "none"],
  ["q:pending", "none"],
  ["cap:n1", "string"],
  ["run_count:n1", "string"],
  ["tk:accepted:n1", "hash"],
  ["tk:assigned:n1", "none"],
  ["tk:cancel:n1", "none"],
  ["tk:config", "hash"],
  ["tk:dirty", "none"],
  ["tk:dispatch:d1", "hash"],
  ["tk:ended:a", "string"],
  ["tk:index:", "none"],
  ["tk:life", "hash"],
  ["tk:nodes", "zset"],
  ["tk:owed", "none"],
  ["tk:progress:d1", "hash"],
  ["tk:results", "none"],
  ["tk:running:n1", "none"],
  ["tk:task:a", "none"],
  ["tk:totals", "hash"],
];

/** Make `key` something that it never is. */
async function spoil(
  redis: RedisServer,
  [key, type]: readonly [key: string, type: string],
): Promise<void> {
  const isText = type === "string";
  const command = isText ? ["LPUSH", key, "x"] : ["SET", key, "x"];
  await redis.cli(
    "EVAL",
    `redis.call('DEL', KEYS[1]) redis.call(unpack(ARGV))`,
    "1",
    key,
    ...command,
  );
}

Deno.test("a key of the wrong type costs no task that runs", async (t) => {
  for (const one of KEYS) {
    await t.step(one[0], async () => {
      await using redis = await startRedisServer();
      await using queue = await openTestQueue(redis);
      await using scheduler = await startScheduler(redis, { timing: SHORT_TIMING });
      await using worker = await startPlayedWorker(redis, "n1", { offer: { slots: 2 } });
      const task = (id: string) => testTask(id, { dispatch_id: "d1" });
      await queue.enqueue([task("a")]);
      await worker.runs("a");
      await spoil(redis, one);
      worker.end("a");
      await queue.enqueue([task("b")]);
      await worker.runs("b");
      worker.end("b");
      const results = await waitForResults(scheduler, 2);
      assertEquals(results.map(({ task_id, state }) => [task_id, state]), [
        ["a", "done"],
        ["b", "done"],
      ]);
      const slots = await waitFor({
        what: `${one[0]} and the slot tokens to be repaired`,
        read: async () => [
          await redis.cli("TYPE", one[0]),
          await redis.cli("LRANGE", "slots:available", "0", "-1"),
          await redis.cli("GET", "cap:n1"),
          await redis.cli("HLEN", "tk:running:n1"),
        ],
        until: ([type, tokens, free, running]) =>
          (type === one[1] || type === "none") && tokens === "n1\nn1" && free === "4" &&
          running === "0",
        limitMs: 10_000,
      });
      assertEquals(slots.length, 4);
    });
  }
});

Deno.test("counters and books that a person spoiled are made again from the truth", async () => {
  await using redis = await startRedisServer();
  await using queue = await openTestQueue(redis);
  await using scheduler = await startScheduler(redis, { timing: SHORT_TIMING });
  await using worker = await startPlayedWorker(redis, "n1", { offer: { slots: 2 } });
  const [before] = await queue.enqueue([testTask("a", { cpu_units: 2 })]);
  await worker.runs("a");
  for (const field of ["used", "tasks", "hold", "capacity", "lease_end", "checked"]) {
    await redis.cli("HSET", "tk:node:n1", field, "x");
  }
  await redis.cli("HSET", "tk:totals", "done", "x");
  await redis.cli("HSET", "tk:config", "tokens", "x", "max_attempts", "x");
  await redis.cli("HSET", "tk:task:a", "units", "x");
  await redis.cli("SET", "tk:seq", "x");
  const [after] = await queue.enqueue([testTask("b")]);
  assertEquals((after?.seq ?? 0) > (before?.seq ?? 0), true, "the order stays");
  await worker.runs("b");
  worker.end("a", "b");
  assertEquals((await waitForResults(scheduler, 2)).map(({ state }) => state), ["done", "done"]);
  await waitFor({
    what: "the books to be empty",
    read: () => redis.cli("HMGET", "tk:node:n1", "used", "tasks", "capacity"),
    until: (books) => books === "0\n0\n4",
    limitMs: 10_000,
  });
});
