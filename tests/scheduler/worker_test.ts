/** The worker's loop with an adapter that does not do as it is told. */

import { assert, assertEquals } from "@std/assert";
import { TIMING } from "../../scheduler/queue/timing.ts";
import { type OwnedLauncher, runWorker } from "../../scheduler/worker.ts";
import type { AdapterReady } from "../../trace/adapter_protocol.ts";
import type { LaunchOutcome } from "../../trace/launcher.ts";
import type { TaskResult } from "../../trace/records.ts";
import { FOUR_UNITS, openTestQueue, SHORT_TIMING, testTask } from "../support/queue_actors.ts";
import { startPlayedWorker } from "../support/played_worker.ts";
import { StallMeter } from "../support/stall_meter.ts";
import { startRedisServer } from "../support/redis_server.ts";
import { Relay } from "../support/relay.ts";
import { waitFor } from "../support/wait_for.ts";

const READY: AdapterReady = {
  type: "ready",
  protocol: 1,
  pid: 1,
  launcher: "clone",
  accounting: "none",
  cpu_control: "none",
  notes: [],
  swept: 0,
};

/** An adapter that hangs: it ends nothing until it is killed. */
class StuckLauncher implements OwnedLauncher {
  readonly ready = READY;
  readonly #outcome = Promise.withResolvers<LaunchOutcome>();
  readonly #closed = Promise.withResolvers<string>();
  launches = 0;
  isKilled = false;

  get closed(): Promise<string> {
    return this.#closed.promise;
  }

  launch(): ReturnType<OwnedLauncher["launch"]> {
    this.launches += 1;
    return {
      launchId: "1",
      started: Promise.resolve(null),
      outcome: this.#outcome.promise,
      stop: () => {},
    };
  }

  kill(): void {
    this.isKilled = true;
    this.#outcome.resolve({ kind: "crashed", reason: "killed" });
    this.#closed.resolve("killed");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#closed.promise;
  }
}

Deno.test("runWorker() kills an adapter that does not end its tasks when the lease is lost", async () => {
  await using redis = await startRedisServer();
  await using relay = Relay.to(redis.port);
  await using direct = await openTestQueue(redis);
  await using far = await openTestQueue({ url: relay.through(redis.url) });
  const timing = { ...TIMING, heartbeatMs: 200, cutOffMs: 1500 };
  await using queue = far.worker("n1", timing);
  const launchers: StuckLauncher[] = [];
  const results: TaskResult[] = [];
  const stop = new AbortController();
  await direct.enqueueOn("n1", [testTask("a")]);
  const running = runWorker(queue, {
    node: "n1",
    registration: FOUR_UNITS,
    timing,
    openLauncher: () => {
      launchers.push(new StuckLauncher());
      return Promise.resolve(launchers.at(-1) as StuckLauncher);
    },
    onResult: (result) => results.push(result),
    onDataLost: () => {},
    report: () => {},
    signal: stop.signal,
    force: new AbortController().signal,
  });
  const [first] = await waitFor({
    what: "the task to be started",
    read: () => launchers,
    until: ([one]) => one?.launches === 1,
  });
  relay.stall();
  await waitFor({
    what: "the adapter to be killed",
    read: () => first?.isKilled,
    until: (isKilled) => isKilled === true,
  });
  relay.open();
  await waitFor({
    what: "the task to be started again",
    read: () => launchers.at(-1),
    until: (last) => last !== first && last?.launches === 1,
  });
  // Cut off, so that it is no fault of the task's; a machine that is paused cuts off once more.
  for (const { state, reason } of results) assertEquals([state, reason], ["superseded", "killed"]);
  assert(results.length > 0);
  stop.abort();
  launchers.at(-1)?.kill();
  await running;
});

Deno.test("runWorker() that is to stop while Redis is away ends within its grace", async () => {
  const timing = { ...SHORT_TIMING, cutOffMs: 1000 };
  await using redis = await startRedisServer();
  await using busy = await startPlayedWorker(redis, "n1", { timing });
  await using idle = await startPlayedWorker(redis, "n2", { timing });
  await using queue = await openTestQueue(redis);
  await queue.enqueueOn("n1", [testTask("a")]);
  await busy.runs("a");
  await redis.kill("SIGKILL");
  using stalls = new StallMeter();
  const from = performance.now();
  await Promise.all([busy.stop(), idle.stop()]);
  assert(performance.now() - from < 5000 + stalls.allowanceMs);
  const last = [busy.lines.at(-1), idle.lines.at(-1)];
  // The clients' own pauses end with a connection.
  await redis.start();
  await waitFor({
    what: "every client to be connected again",
    read: async () => (await redis.cli("CLIENT", "LIST")).split("\n").length,
    until: (count) => count >= 6,
  });
  assertEquals(last, [
    "n1 ends without Redis, which does not answer; 1 end could not be reported",
    "n2 ends without Redis, which does not answer",
  ]);
});
