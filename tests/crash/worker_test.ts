import { assert, assertEquals } from "@std/assert";
import { atOnce } from "../support/at_once.ts";
import { CrashCluster } from "../support/crash_cluster.ts";
import { waitFor } from "../support/wait_for.ts";

async function killed(): Promise<void> {
  await using cluster = await CrashCluster.start();
  await cluster.scheduler();
  const worker = await cluster.worker("cloud1");
  const tasks = cluster.tasks(6, 1);
  await cluster.queue.enqueue(tasks);
  await cluster.untilRunning("cloud1", 2);
  worker.kill("SIGKILL");
  await worker.ended;
  await cluster.worker("cloud2");
  await cluster.untilNoticed("cloud1");
  await cluster.untilEnded(tasks.length);
  await cluster.check(tasks, ["cloud2"]);
}

async function killedAndRestarted(): Promise<void> {
  await using cluster = await CrashCluster.start();
  await cluster.scheduler();
  const worker = await cluster.worker("cloud1");
  const tasks = cluster.tasks(4, 1);
  await cluster.queue.enqueue(tasks);
  await cluster.untilRunning("cloud1", 2);
  worker.kill("SIGKILL");
  await worker.ended;
  cluster.startWorker("cloud1");
  await cluster.untilEnded(tasks.length);
  await cluster.check(tasks, ["cloud1"]);
}

async function stoppedAndContinued(): Promise<void> {
  await using cluster = await CrashCluster.start();
  await cluster.scheduler();
  const worker = await cluster.worker("cloud1");
  const tasks = cluster.tasks(4, 12).concat(cluster.tasks(4, 0.1, "u"));
  await cluster.queue.enqueue(tasks.slice(0, 2));
  await cluster.untilRunning("cloud1", 2);
  await cluster.worker("cloud2");
  worker.kill("SIGSTOP");
  await cluster.untilNoticed("cloud1");
  await cluster.untilRunning("cloud2", 2);
  worker.kill("SIGCONT");
  await worker.says(/cloud1 was given up by the scheduler/);
  await cluster.queue.enqueue(tasks.slice(4));
  await cluster.untilEnded(6);
  const results = await cluster.check([...tasks.slice(0, 2), ...tasks.slice(4)], [
    "cloud1",
    "cloud2",
  ]);
  // A machine that is paused for 9 s costs cloud2 its lease too: then it is a later attempt.
  for (const { task_id, attempt } of results) {
    if (task_id.startsWith("t")) assert(attempt !== 1, `what the stopped worker ran is ${task_id}`);
  }
}

async function cutOff(): Promise<void> {
  await using cluster = await CrashCluster.start();
  const relay = cluster.relayOf("cloud1");
  await cluster.scheduler();
  const worker = await cluster.worker("cloud1");
  const tasks = cluster.tasks(2, 12);
  await cluster.queue.enqueue(tasks);
  await cluster.untilRunning("cloud1", 2);
  await cluster.worker("cloud2");
  relay.stall();
  await worker.says(/cloud1 could not renew its lease for 6 s: stopping its tasks/);
  await waitFor({
    what: "its tasks to have ended",
    read: () => cluster.events("cloud1"),
    until: (events) => events.filter(({ event }) => event === "exit").length === 2,
  });
  // Over before another begins: the node is given up only now.
  assert(await cluster.redis.cli("ZSCORE", "tk:nodes", "cloud1") !== "");
  await cluster.untilRunning("cloud2", 2);
  relay.open();
  await worker.says(/cloud1 was given up by the scheduler/);
  await cluster.untilEnded(tasks.length);
  await cluster.check(tasks, ["cloud1", "cloud2"]);
}

async function adapterKilled(): Promise<void> {
  await using cluster = await CrashCluster.start();
  await cluster.scheduler();
  const worker = await cluster.worker("cloud1");
  const tasks = cluster.tasks(4, 1);
  await cluster.queue.enqueue(tasks);
  await cluster.untilRunning("cloud1", 2);
  Deno.kill(await cluster.adapterOf(worker), "SIGKILL");
  await worker.says(/the adapter is gone .*: starting another/);
  await cluster.untilEnded(tasks.length);
  const results = await cluster.check(tasks, ["cloud1"]);
  assertEquals(results.filter(({ attempt }) => attempt === 2).length, 2, "two ran again");
}

async function adapterStoppedAndContinued(): Promise<void> {
  await using cluster = await CrashCluster.start();
  await cluster.scheduler();
  const worker = await cluster.worker("cloud1");
  const tasks = cluster.tasks(3, 2);
  await cluster.queue.enqueue(tasks);
  await cluster.untilRunning("cloud1", 2);
  const adapter = await cluster.adapterOf(worker);
  Deno.kill(adapter, "SIGSTOP");
  await new Promise((resolve) => setTimeout(resolve, 7000));
  Deno.kill(adapter, "SIGCONT");
  await cluster.untilEnded(tasks.length);
  await cluster.check(tasks, ["cloud1"]);
}

async function toldToStop(): Promise<void> {
  await using cluster = await CrashCluster.start();
  await cluster.scheduler();
  const [first, second] = [await cluster.worker("cloud1"), await cluster.worker("cloud2")];
  const tasks = cluster.tasks(4, 2).concat(cluster.tasks(2, 0.1, "u"));
  await cluster.queue.enqueue(tasks);
  await cluster.untilRunning("cloud2", 2);
  first.kill("SIGTERM");
  await first.says(/takes nothing new; 2 tasks run on/);
  second.kill("SIGTERM");
  await second.says(/takes nothing new; 2 tasks run on/);
  second.kill("SIGTERM");
  assertEquals([(await first.ended).code, (await second.ended).code], [0, 0]);
  for (const { ts_ms, boot_ms } of await cluster.clockOffsets("cloud1")) {
    assert(boot_ms !== null && boot_ms < ts_ms, "each measurement has both clocks");
  }
  // What cloud1 ran is done; what cloud2 ran waits at its old place for another node.
  assertEquals((await cluster.queue.progress()).ended.done, 2);
  const pending = (await cluster.redis.cli("LRANGE", "q:pending", "0", "-1")).split("\n");
  assertEquals(pending.map((raw) => JSON.parse(raw).task_id), ["t02", "t03", "u00", "u01"]);
  await cluster.worker("cloud3");
  await cluster.untilEnded(tasks.length);
  await cluster.check(tasks, ["cloud3"]);
}

Deno.test("whatever happens to a worker, no task is lost or run twice", async (t) => {
  await atOnce(t, {
    "killed: another node runs its tasks": killed,
    "killed and restarted under its name": killedAndRestarted,
    "stopped until it is given up, then continued": stoppedAndContinued,
    "cut off from Redis": cutOff,
  });
});

Deno.test("whatever happens to an adapter, no task is lost or run twice", async (t) => {
  await atOnce(t, {
    "killed: its tasks run again, and are not failures": adapterKilled,
    "stopped and continued": adapterStoppedAndContinued,
    "worker told to stop, once and twice": toldToStop,
  });
});
