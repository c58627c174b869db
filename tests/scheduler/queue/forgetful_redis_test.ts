/**
 * A Redis that loses or rolls back its data under running roles: nothing stays "running" that nobody runs,
 * what is known to be done stays done, and everybody says what happened.
 */

import { assert, assertEquals, assertNotEquals } from "@std/assert";
import type { Task } from "../../../trace/task.ts";
import { dispatchFifo } from "../../../scheduler/dispatcher.ts";
import { Wake } from "../../../scheduler/wake.ts";
import { TIMING } from "../../../scheduler/queue/timing.ts";
import {
  openTestQueue,
  registerNode,
  type RunningScheduler,
  SHORT_TIMING,
  startScheduler,
  testTask,
  waitForResults,
} from "../../support/queue_actors.ts";
import { type PlayedWorker, startPlayedWorker } from "../../support/played_worker.ts";
import { type RedisServer, startRedisServer } from "../../support/redis_server.ts";
import type { RedisQueue } from "../../../scheduler/queue/redis_queue.ts";
import { waitFor } from "../../support/wait_for.ts";

interface Stage {
  readonly redis: RedisServer;
  readonly queue: RedisQueue;
  readonly scheduler: RunningScheduler;
  readonly worker: PlayedWorker;
}

async function withStage(play: (stage: Stage) => Promise<void>): Promise<void> {
  await using redis = await startRedisServer();
  await using queue = await openTestQueue(redis);
  await using scheduler = await startScheduler(redis, {
    timing: SHORT_TIMING,
    queuePolicy: { maxAttempts: 3 },
  });
  await using worker = await startPlayedWorker(redis, "n1");
  await play({ redis, queue, scheduler, worker });
}

const DISPATCH = { dispatch_id: "d1" };
function tasks(...ids: readonly string[]): Task[] {
  return ids.map((id) => testTask(id, DISPATCH));
}

/** Wait until `count` tasks of the dispatch are done and nothing runs. */
async function untilDone({ queue }: Stage, count: number): Promise<void> {
  await waitFor({
    what: `${count} tasks to be done and none to run`,
    read: async () => ({
      ...await queue.progress(),
      of: (await queue.dispatchProgress("d1")).ended,
    }),
    until: ({ nodes, pending, of: { done } }) =>
      done === count && pending === 0 &&
      nodes.every(({ running, queued }) => running + queued === 0),
  });
}

async function untilSaid(
  { lines }: { readonly lines: readonly string[] },
  text: string,
): Promise<void> {
  await waitFor({
    what: `"${text}"`,
    read: () => [...lines],
    until: (said) => said.some((line) => line.includes(text)),
  });
}

Deno.test("a Redis that restarts empty leaves no ghosts to a dispatch that is resumed", () =>
  withStage(async (stage) => {
    const { redis, queue, scheduler, worker } = stage;
    await queue.enqueue(tasks("a", "b", "c"));
    await worker.runs("a", "b", "c");
    worker.end("a", "b");
    await waitForResults(scheduler, 2);
    await redis.restart();
    await untilSaid(scheduler, "Redis has lost data");
    await untilSaid(scheduler, "configuration and known ends are written again");
    await untilSaid(worker, "Redis has lost data: n1 states again what it runs");
    const again = await queue.enqueue(tasks("a", "b", "c", "d"));
    assertEquals(again.map(({ isNew }) => isNew).slice(0, 2), [false, false], "known to be done");
    await worker.runs("d");
    worker.end("c", "d");
    await untilDone(stage, 4);
    assertEquals(worker.launched.filter((id) => id !== "c"), ["a", "b", "d"], "once each");
    assert(worker.lines.every((line) => !line.includes("given up")));
  }));

Deno.test("what a snapshot brings back ends as is known, and the rest runs", () =>
  withStage(async (stage) => {
    const { redis, queue, scheduler, worker } = stage;
    await queue.enqueue(tasks("a", "b", "c", "d", "e", "f"));
    await worker.runs("a", "b", "c", "d");
    // The snapshot has four that run and two that wait.
    await redis.cli("SAVE");
    worker.end("a", "b", "c");
    await worker.runs("e", "f");
    worker.end("d", "e");
    await waitForResults(scheduler, 5);
    await redis.restart();
    await waitFor({
      what: "what runs to be all that the queue believes to run",
      read: async () => [
        await redis.cli("HKEYS", "tk:running:n1"),
        await redis.cli("LLEN", "q:pending"),
        await redis.cli("LLEN", "q:n1"),
      ],
      until: ([running, ...waiting]) => running === "f" && waiting.every((one) => one === "0"),
    });
    worker.end("f");
    await untilDone(stage, 6);
    assertEquals([...worker.launched].sort(), ["a", "b", "c", "d", "e", "f"], "none ran twice");
    // No place of a task that was taken in before is given away again.
    const [next] = await queue.enqueue(tasks("g"));
    assert((next?.seq ?? 0) > 6);
  }));

Deno.test("a snapshot older than any result gives its ghosts back", () =>
  withStage(async (stage) => {
    const { redis, queue, scheduler } = stage;
    // Its worker claims and forgets: the queue believes that it runs them.
    await using forgetful = await registerNode(queue, "n2", { timing: SHORT_TIMING });
    await queue.enqueueOn("n2", tasks("a", "b"));
    const { call, claimed } = await forgetful.claim(10);
    assertEquals(claimed.length, 2);
    const server = await forgetful.serverId();
    const early = await forgetful.heartbeat({ server, heardCall: call - 1, held: [] });
    assertEquals(early.ghosts, [], "the answer to its claim may be on its way");
    const held = [{ taskId: "b", attempt: 1 }, { taskId: "x", attempt: 1 }];
    const { ghosts, unknown } = await forgetful.heartbeat({ server, heardCall: call, held });
    assertEquals(ghosts.map(({ taskId, attempt }) => [taskId, attempt]), [["a", 1]]);
    assertEquals(unknown, [{ taskId: "x", attempt: 1 }]);
    assertEquals(scheduler.lines.filter((line) => line.includes("lost data")), []);
    assertEquals(await redis.cli("HGET", "tk:life", "ts_lost"), "");
  }));

Deno.test("a dispatch during which Redis is emptied enqueues its tasks again and ends", () =>
  withStage(async (stage) => {
    const { redis, queue, worker } = stage;
    const lost: number[] = [];
    const all = tasks("a", "b", "c", "d", "e", "f", "g", "h");
    const dispatched = dispatchFifo(all, {
      sink: queue,
      clock: {
        nowMs: () => Date.now(),
        sleepUntil: (untilMs, signal) => new Wake().wait(untilMs - Date.now(), signal),
      },
      signal: new AbortController().signal,
      report: () => {},
      onDataLost: (count) => lost.push(count),
      ...{ queueMax: 1, batchSize: 1, intervalMs: 20 },
    });
    await worker.runs("a", "b", "c", "d");
    await redis.cli("FLUSHALL");
    await waitFor({
      what: "the loss to be noticed",
      read: () => lost,
      until: (all) => all.length > 0,
    });
    await waitFor({
      what: "every task to be done",
      read: async () => {
        worker.end(...worker.running());
        return (await queue.dispatchProgress("d1")).ended.done;
      },
      until: (done) => done === all.length,
    });
    await dispatched;
    assert((lost[0] ?? 0) >= 4);
  }));

Deno.test("FLUSHALL is noticed: tasks run on, configuration comes back, no token repeats", () =>
  withStage(async (stage) => {
    const { redis, queue, scheduler, worker } = stage;
    await queue.enqueue(tasks("a", "b"));
    await worker.runs("a", "b");
    const before = await redis.cli("GET", "tk:leader");
    await redis.cli("FLUSHALL");
    await untilSaid(scheduler, "configuration and known ends");
    await untilSaid(worker, "n1 told Redis, which lost data, of 2 running tasks");
    assertEquals(await redis.cli("HGET", "tk:config", "max_attempts"), "3");
    assertNotEquals(await redis.cli("GET", "tk:leader"), before);
    assertEquals(worker.running(), ["a", "b"]);
    worker.end("a", "b");
    const results = await waitForResults(scheduler, 2);
    assertEquals(results.map(({ task_id, state }) => [task_id, state]), [
      ["a", "done"],
      ["b", "done"],
    ]);
    assertEquals(worker.results.map(({ state }) => state), ["done", "done"]);
    const said = worker.lines.filter((line) => /given up|stopping/.test(line));
    assertEquals(said, []);
    assert(worker.lines.includes("data lost") && scheduler.lines.includes("data lost"));
  }));

Deno.test("a finish that was accepted is confirmed however late it is repeated", async () => {
  await using redis = await startRedisServer();
  await using queue = await openTestQueue(redis);
  await using scheduler = queue.scheduler("s", TIMING);
  await using worker = await registerNode(queue, "n1", { timing: TIMING });
  await scheduler.lead();
  await queue.enqueueOn("n1", tasks("a", "b"));
  const [first, second] = (await worker.claim(2)).claimed.map(({ task, incarnation }) => ({
    taskId: task.task_id,
    attempt: task.attempt,
    incarnation,
    outcome: "done" as const,
    status: 0,
    reason: null,
  }));
  assert(first !== undefined && second !== undefined);
  // The reply gets lost: another view of the same worker stands for the call that was never answered.
  await using unheard = queue.worker("n1", TIMING);
  const accepted = await unheard.finish(first);
  assertEquals(accepted.state, "done");
  // Then the memory of the end is over, and the node was given up meanwhile.
  await redis.cli("DEL", "tk:ended:a");
  await redis.cli("ZADD", "tk:nodes", "XX", "0", "n1");
  assertEquals((await scheduler.loseNodes()).length, 1);
  assertEquals(await worker.finish(first), accepted);
  // The next call tells that the answer has arrived.
  await worker.finish(second);
  assertEquals(await redis.cli("HKEYS", "tk:accepted:n1"), "");
});

Deno.test("a drained node stays drained over restarts of its worker, until somebody undoes it", async () => {
  await using redis = await startRedisServer();
  await using queue = await openTestQueue(redis);
  const operator = queue.operator(TIMING);
  async function isDraining(): Promise<boolean | undefined> {
    return (await operator.status()).nodes[0]?.state === "draining";
  }
  {
    await using first = await registerNode(queue, "n1");
    await operator.drain("n1");
    await first.leave();
  }
  assertEquals((await operator.status()).drained, ["n1"], "also while it is away");
  await using second = await registerNode(queue, "n1");
  assertEquals(await isDraining(), true);
  // A worker that ends drains its node too: that does not hold for the next one.
  assertEquals(await operator.undrain("n1"), true);
  assertEquals(await isDraining(), false);
  await second.drain();
  await second.leave();
  await using _third = await registerNode(queue, "n1");
  assertEquals(await isDraining(), false);
  assertEquals(await operator.undrain("nosuch"), false);
});
