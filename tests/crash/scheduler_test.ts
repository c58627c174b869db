import { assertLess } from "@std/assert";
import { atOnce } from "../support/at_once.ts";
import { CrashCluster } from "../support/crash_cluster.ts";
import { StallMeter } from "../support/stall_meter.ts";

async function killed(): Promise<void> {
  await using cluster = await CrashCluster.start();
  const first = await cluster.scheduler();
  const second = await cluster.scheduler();
  await second.says(/standing by/);
  await cluster.worker("cloud1");
  const tasks = cluster.tasks(20, 0.3);
  await cluster.queue.enqueue(tasks);
  await cluster.untilEnded(4);
  using stalls = new StallMeter();
  first.kill("SIGKILL");
  const from = performance.now();
  await second.says(/active as/);
  const tookMs = performance.now() - from;
  assertLess(tookMs, 5000 + stalls.allowanceMs);
  await cluster.untilEnded(tasks.length);
  await cluster.check(tasks, ["cloud1"]);
}

async function stoppedAndContinued(): Promise<void> {
  await using cluster = await CrashCluster.start();
  const first = await cluster.scheduler();
  const second = await cluster.scheduler();
  await cluster.worker("cloud1");
  const tasks = cluster.tasks(30, 0.3);
  await cluster.queue.enqueue(tasks);
  await cluster.untilEnded(4);
  first.kill("SIGSTOP");
  await second.says(/active as/);
  await cluster.untilEnded(12);
  first.kill("SIGCONT");
  await first.says(/standing by/);
  await cluster.untilEnded(tasks.length);
  await cluster.check(tasks, ["cloud1"]);
}

async function killedManyTimes(): Promise<void> {
  await using cluster = await CrashCluster.start();
  await cluster.worker("cloud1");
  await cluster.worker("cloud2");
  const tasks = cluster.tasks(40, 0.2);
  await cluster.queue.enqueue(tasks);
  for (let ended = 4; ended <= 20; ended += 4) {
    const scheduler = await cluster.scheduler();
    await cluster.untilEnded(ended);
    scheduler.kill("SIGKILL");
    await scheduler.ended;
  }
  await cluster.scheduler();
  await cluster.untilEnded(tasks.length);
  await cluster.check(tasks, ["cloud1", "cloud2"]);
}

Deno.test("whatever happens to a scheduler, another continues where it was", async (t) => {
  await atOnce(t, {
    "killed: the one that stands by takes over within 5 s": killed,
    "stopped until it is replaced, then continued": stoppedAndContinued,
    "killed repeatedly": killedManyTimes,
  });
});
