import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { atOnce } from "../support/at_once.ts";
import { CrashCluster } from "../support/crash_cluster.ts";

async function killedAndRestarted(): Promise<void> {
  await using cluster = await CrashCluster.start();
  await cluster.scheduler();
  await cluster.scheduler();
  await cluster.worker("cloud1");
  await cluster.worker("cloud2");
  const tasks = cluster.tasks(24, 0.5);
  await cluster.queue.enqueue(tasks);
  for (const ended of [4, 10, 16]) {
    await cluster.untilEnded(ended);
    await cluster.redis.restart();
  }
  await cluster.untilEnded(tasks.length);
  await cluster.check(tasks, ["cloud1", "cloud2"]);
}

/** Put the append-only file back to what it was when `before` was called. */
async function rollBack(cluster: CrashCluster, meanwhile: () => Promise<void>): Promise<void> {
  const folder = join(cluster.redis.directory, "appendonlydir");
  const files = await Array.fromAsync(Deno.readDir(folder), ({ name }) => join(folder, name));
  const contents = await Promise.all(files.map((file) => Deno.readFile(file)));
  await meanwhile();
  await cluster.redis.kill("SIGKILL");
  for (const [at, file] of files.entries()) {
    await Deno.writeFile(file, contents[at] ?? new Uint8Array());
  }
  await cluster.redis.start();
}

async function rolledBack(): Promise<void> {
  await using cluster = await CrashCluster.start();
  const scheduler = await cluster.scheduler();
  const worker = await cluster.worker("cloud1");
  const tasks = cluster.tasks(8, 1);
  await cluster.queue.enqueue(tasks);
  await cluster.untilRunning("cloud1", 2);
  // What is lost: two ends, two assignments, two claims.
  await rollBack(cluster, () => cluster.untilEnded(2));
  await worker.says(/cloud1 told the restarted Redis of \d running tasks/);
  await cluster.untilEnded(tasks.length);
  const results = await cluster.check(tasks, ["cloud1"]);
  assertEquals(results.map(({ attempt }) => attempt), tasks.map(() => 1));
  const exits = (await cluster.events("cloud1")).filter(({ event }) => event === "exit");
  assertEquals(exits.length, tasks.length, "what had ended was not run again");
  await scheduler.says(/is back after/);
}

async function stoppedAndContinued(): Promise<void> {
  await using cluster = await CrashCluster.start();
  await cluster.scheduler();
  await cluster.worker("cloud1");
  const tasks = cluster.tasks(10, 1);
  await cluster.queue.enqueue(tasks);
  await cluster.untilEnded(2);
  await cluster.redis.kill("SIGSTOP");
  await new Promise((resolve) => setTimeout(resolve, 3000));
  await cluster.redis.kill("SIGCONT");
  await cluster.untilEnded(4);
  // Longer than a lease: its tasks are stopped, but nobody is given up for what Redis did.
  await cluster.redis.kill("SIGSTOP");
  await new Promise((resolve) => setTimeout(resolve, 12_000));
  await cluster.redis.kill("SIGCONT");
  await cluster.untilEnded(tasks.length);
  const results = await cluster.check(tasks, ["cloud1"]);
  const again = results.filter(({ attempt }) => attempt !== 1);
  assert(again.length <= 2, `${again.length} tasks ran again`);
}

Deno.test("whatever happens to Redis, no task is lost or run twice", async (t) => {
  await atOnce(t, {
    "killed and restarted, three times": killedAndRestarted,
    "restarted without its last seconds": rolledBack,
    "stopped and continued": stoppedAndContinued,
  });
});
