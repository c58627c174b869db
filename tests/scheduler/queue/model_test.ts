/**
 * Random histories of a queue on a real Redis: whatever is done, in whatever order, repeated or late, the
 * laws hold after each step, and in the end every task has ended once and all capacity is back.
 */

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { openRedisConnection } from "../../../scheduler/queue/open.ts";
import { parseRedisUrl } from "../../../scheduler/queue/url.ts";
import { openTestQueue } from "../../support/queue_actors.ts";
import { checkLaws } from "../../support/queue_state.ts";
import { NODES, type Step, World } from "../../support/queue_world.ts";
import { startRedisServer } from "../../support/redis_server.ts";

const node = fc.constantFrom(...NODES);
const pick = fc.nat(50);
const units = fc.integer({ min: 1, max: 4 });

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("enqueue" as const),
      units: fc.array(units, { minLength: 1, maxLength: 4 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("enqueueOn" as const), node, units }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("push" as const),
      list: fc.constantFrom("pending" as const, ...NODES),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant("schedule" as const),
      weigher: fc.constantFrom("" as const, "instances" as const, "vcpu" as const),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom("plan" as const, "applyOldPlan" as const, "overtakePlan" as const),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("claim" as const),
      node,
      limit: fc.integer({ min: 1, max: 4 }),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant("finish" as const),
      node,
      pick,
      as: fc.constantFrom(
        "done" as const,
        "failed" as const,
        "refused" as const,
        "returned" as const,
        "crashed" as const,
      ),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom("finishAgain" as const, "finishLate" as const),
      pick,
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom(
        "heartbeat" as const,
        "lose" as const,
        "leave" as const,
        "drain" as const,
        "undrain" as const,
        "requeue" as const,
        "resume" as const,
      ),
      node,
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("cancel" as const), pick }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constantFrom(
        "replaceScheduler" as const,
        "retryDead" as const,
        "dropDead" as const,
      ),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constantFrom("deletePending" as const, "deleteTokens" as const),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constantFrom("deleteQueue" as const, "moveToPending" as const),
      node,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("setCap" as const),
      node,
      cap: fc.integer({ min: -1, max: 9 }),
    }),
  },
);

Deno.test("any history of the queue keeps its laws and loses no task", async () => {
  await using redis = await startRedisServer();
  await using queue = await openTestQueue(redis);
  await using connection = await openRedisConnection({
    address: parseRedisUrl(redis.url),
    report: () => {},
  });
  const history = fc.array(step, { minLength: 10, maxLength: 60, size: "max" });
  await fc.assert(
    fc.asyncProperty(history, fc.integer({ min: 1, max: 3 }), async (steps, maxAttempts) => {
      const world = new World(queue, connection);
      await world.begin(maxAttempts);
      for (const one of steps) {
        await world.take(one);
        checkLaws(await world.state(), world.accepted);
      }
      const end = await world.finishAll();
      checkLaws(end, world.accepted);
      const ended = new Set(end.results.map(({ task_id }) => task_id));
      assertEquals([...world.accepted].filter((id) => !ended.has(id)), [], "every task has ended");
      for (const [name, { used, tasks }] of Object.entries(end.nodes)) {
        assertEquals([used, tasks], [0, 0], `${name} is idle in the end`);
      }
      assertEquals(end.records, {}, "no record outlives its task");
    }),
    { numRuns: 200 },
  );
});
