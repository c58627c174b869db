/** Under load the scheduler plans the next window while Redis still works on the one before. */

import { assert, assertEquals } from "@std/assert";
import { PlacementReplay } from "../../scheduler/placement/replay.ts";
import { openRedisConnection } from "../../scheduler/queue/open.ts";
import { TIMING } from "../../scheduler/queue/timing.ts";
import { parseRedisUrl } from "../../scheduler/queue/url.ts";
import { openTestQueue, registerNode, startScheduler, testTask } from "../support/queue_actors.ts";
import { checkLaws, readQueueState } from "../support/queue_state.ts";
import { startRedisServer } from "../support/redis_server.ts";
import { waitFor } from "../support/wait_for.ts";

/** Several windows of 512 tasks. */
const TASKS = 3000;

/** More than any of the nodes has: its task holds the others up until it is cancelled. */
const TOO_MANY_UNITS = 8192;

for (const weigher of ["", "instances", "vcpu"] as const) {
  Deno.test(`thousands of tasks are placed in their order, by "${weigher}", also when a node gets smaller`, async () => {
    await using redis = await startRedisServer();
    await using queue = await openTestQueue(redis);
    await using connection = await openRedisConnection({
      address: parseRedisUrl(redis.url),
      report: () => {},
    });
    const names = ["n0", "n1", "n2", "n3"];
    for (const name of names) await registerNode(queue, name, { capacityUnits: 2000 });
    await using scheduler = await startScheduler(redis, { policy: { weigher } });
    await queue.enqueue([testTask("first", { cpu_units: TOO_MANY_UNITS })]);
    await queue.enqueue(Array.from({ length: TASKS }, (_, at) => testTask(`t${at}`)));
    await waitFor({
      what: "the scheduler to wait with all nodes known",
      read: async () => {
        const isWaiting = (await scheduler.events()).some(({ event }) => event === "waiting");
        return isWaiting && await redis.cli("SCARD", "tk:dirty") === "0";
      },
      until: (isReady) => isReady,
    });
    // The scheduler does not know of this before Redis refuses a placement there.
    await redis.cli("SET", "cap:n0", "700");
    await queue.operator(TIMING).cancel("first", "a test");
    await waitFor({
      what: "all tasks to be placed",
      read: () => queue.pendingLength(),
      until: (length) => length === 0,
    });
    await scheduler.stop();
    checkLaws(await readQueueState(connection), Array.from({ length: TASKS }, (_, at) => `t${at}`));
    const events = await scheduler.events();
    const placed = events.filter(({ event }) => event === "placed");
    assertEquals(placed.map(({ task_id }) => task_id), Array.from(placed, (_, at) => `t${at}`));
    const onFirst = placed.filter(({ node }) => node === "n0").length;
    assert(onFirst <= 700, `${onFirst} tasks on a node that was given room for 700`);
    const replay = new PlacementReplay();
    assertEquals(events.map((event) => replay.take(event)).filter((one) => one !== null), []);
  });
}
