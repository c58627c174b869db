import { join } from "@std/path";
import { openTestQueue, startScheduler } from "../support/queue_actors.ts";
import { startRedisServer } from "../support/redis_server.ts";
import { checkIdle, checkRecords, Soak } from "../support/soak.ts";
import { waitFor } from "../support/wait_for.ts";

Deno.test("a small soak: every task is done once and in order, and nothing is left over", async () => {
  const size = { tasks: 5000, nodes: 50 };
  await using redis = await startRedisServer({ appendOnly: true });
  await using queue = await openTestQueue(redis);
  await using scheduler = await startScheduler(redis, { policy: { weigher: "vcpu" } });
  const nodes = new Soak(queue, size);
  await nodes.begin();
  await nodes.run(() => Promise.resolve());
  await waitFor({
    what: "the results to be written down",
    read: () => redis.cli("LLEN", "tk:results"),
    until: (length) => length === "0",
  });
  await scheduler.stop();
  await checkIdle(redis, size);
  await checkRecords({
    results: join(redis.directory, "results.jsonl"),
    events: join(redis.directory, "placement_events.jsonl"),
  }, size);
});
