import { assert, assertEquals, assertThrows } from "@std/assert";
import { PlacementReplay } from "../../../scheduler/placement/replay.ts";
import { PLACEMENT_EVENT, type PlacementEvent } from "../../../trace/records.ts";
import { DecodeError } from "../../../trace/schema.ts";
import { parseWeigher } from "../../../trace/weighers.ts";
import {
  beat,
  openTestQueue,
  registerNode,
  runClaimed,
  SHORT_TIMING,
  startScheduler,
  type TestSchedulerOptions,
  testTask,
  waitForResults,
} from "../../support/queue_actors.ts";
import { startRedisServer } from "../../support/redis_server.ts";

/** A run with waiting heads, a node that changes by hand, one that drains and one that comes late. */
async function recordRun(options: TestSchedulerOptions): Promise<PlacementEvent[]> {
  await using redis = await startRedisServer();
  await using queue = await openTestQueue(redis);
  await using first = await registerNode(queue, "a", { slots: 2 });
  await using second = await registerNode(queue, "b", { capacityUnits: 3 });
  await using scheduler = await startScheduler(redis, { timing: SHORT_TIMING, ...options });
  const units = Array.from({ length: 40 }, (_, at) => at * 7 % 4 + 1);
  await queue.enqueue(units.map((cpu_units, at) => testTask(`t${at}`, { cpu_units })));
  const workers = [first, second];
  for (let round = 0; (await queue.progress()).ended.done < units.length; round++) {
    if (round === 5) await redis.cli("SET", "cap:a", "1");
    if (round === 10) workers.push(await registerNode(queue, "c"));
    if (round === 20) await second.drain();
    for (const worker of workers) {
      await runClaimed(worker);
      assert(await beat(worker));
    }
  }
  await workers[2]?.[Symbol.asyncDispose]();
  await waitForResults(scheduler, units.length);
  await scheduler.stop();
  return await scheduler.events();
}

const POLICIES: readonly TestSchedulerOptions[] = [
  {},
  { policy: { weigher: "instances" } },
  { policy: { weigher: "vcpu", order: "max" } },
  { policy: { weigher: parseWeigher("instances:1,vcpu:-0.5") } },
  { policy: { scanPending: 4 } },
  { scanSlots: 1 },
];

for (const options of POLICIES) {
  Deno.test(`PlacementReplay decides a recorded run again: ${JSON.stringify(options)}`, async () => {
    const events = await recordRun(options);
    const replay = new PlacementReplay();
    assertEquals(events.map((event) => replay.take(event)).filter((one) => one !== null), []);
    assert(events.some(({ event }) => event === "waiting"));
    // A task that the drained node gave back is placed a second time.
    const placed = events.filter(({ event }) => event === "placed").map((event) => event.task_id);
    assertEquals(new Set(placed).size, 40);
  });
}

Deno.test("PlacementReplay takes the terms of the weight from the policy event", () => {
  const host = (node: string, tasks: number) =>
    decode({
      ...{ event: "host", ts_ms: 1, node, capacity_units: 8, free_units: 8 - tasks, tasks },
      is_draining: false,
    });
  const decide = (multiplier: number) => {
    const replay = new PlacementReplay();
    const weighers = [{ weigher: "instances", multiplier }];
    replay.take(decode({ event: "policy", ts_ms: 1, leader: "c#1", weighers, scan_pending: 1 }));
    replay.take(host("a", 1));
    replay.take(host("b", 3));
    return replay.take(
      decode({ event: "placed", ts_ms: 1, node: "b", task_id: "t", cpu_units: 1 }),
    );
  };
  assertEquals(decide(1), null);
  assertEquals(decide(-1), { taskId: "t", recorded: "b", decided: "a" });
});

Deno.test("a policy event with an unknown weigher is refused", () => {
  const weighers = [{ weigher: "memory", multiplier: 1 }];
  assertThrows(
    () => decode({ event: "policy", ts_ms: 1, weighers }),
    DecodeError,
    "weigher",
  );
});

function decode(event: Readonly<Record<string, unknown>>): PlacementEvent {
  return PLACEMENT_EVENT.decode(event, "placement_events.jsonl");
}

Deno.test("PlacementReplay names the first decision that differs", async () => {
  const events = await recordRun({});
  const at = events.findLastIndex(({ event }) => event === "placed");
  const placed = events[at];
  assert(placed?.task_id);
  events[at] = { ...placed, node: "elsewhere" };
  const replay = new PlacementReplay();
  const differences = events.map((event) => replay.take(event));
  assertEquals(differences.findIndex((one) => one !== null), at);
  assertEquals(differences[at], {
    taskId: placed.task_id,
    recorded: "elsewhere",
    decided: placed.node ?? "",
  });
});
