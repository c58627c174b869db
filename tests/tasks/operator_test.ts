import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { completeTask, type Task } from "../../trace/task.ts";
import { openRedisQueue } from "../../scheduler/queue/open.ts";
import type { RedisQueue } from "../../scheduler/queue/redis_queue.ts";
import { parseRedisUrl } from "../../scheduler/queue/url.ts";
import { TIMING } from "../../scheduler/queue/timing.ts";
import { type Ended, runCommand, startCommand } from "../support/command_process.ts";
import { beat, FOUR_UNITS } from "../support/queue_actors.ts";
import { type RedisServer, startRedisServer } from "../support/redis_server.ts";
import { tempFolder } from "../support/temp_folder.ts";
import { waitFor } from "../support/wait_for.ts";

/** Redis, the real scheduler, and one node whose worker the test plays. */
async function withScheduler(work: (stage: Stage) => Promise<void>): Promise<void> {
  await using folder = await tempFolder();
  const logs = folder.path;
  await using redis = await startRedisServer();
  await using queue = await openRedisQueue({
    address: parseRedisUrl(redis.url),
    report: () => {},
  });
  const place = ["--run-id=r1", "--logs", logs];
  await using scheduler = startCommand(["run", "scheduler", "--redis", redis.url, ...place]);
  await scheduler.says(/active as/);
  await using worker = queue.worker("cloud1", TIMING);
  await worker.register(FOUR_UNITS);
  const beats = setInterval(() => beat(worker), TIMING.heartbeatMs);
  using _ = { [Symbol.dispose]: () => clearInterval(beats) };
  await work({
    redis,
    queue,
    logs,
    run: (...args) => runCommand(["run", ...args], { env: { REDIS_URL: redis.url } }),
    becomes: async (taskId, state) => {
      const operator = queue.operator(TIMING);
      await waitFor({
        what: `${taskId} to be ${state}`,
        read: () => operator.locate(taskId),
        until: (found) => found.state === state,
      });
    },
  });
}

interface Stage {
  readonly redis: RedisServer;
  readonly queue: RedisQueue;
  readonly logs: string;
  run(...args: readonly string[]): Promise<Ended>;
  becomes(taskId: string, state: string): Promise<void>;
}

function task(id: string, units: number): Task {
  return completeTask({ task_id: id, argv: ["true"], cpu_units: units }, "test", id);
}

Deno.test("status shows queue, head with its reason, and nodes, as text and as JSON", async () => {
  await withScheduler(async ({ queue, run, becomes }) => {
    await queue.enqueue([task("t0", 3), task("t1", 2)]);
    await becomes("t0", "assigned");
    const { code, stdout } = await run("status");
    assertEquals(code, 0);
    const lines = stdout.trimEnd().split("\n");
    assertMatch(lines[0] ?? "", /^q:pending {2}1 waiting · scheduler \S+ · 0 dead letters$/);
    const head = /^head +t1 \(no profile, 2 units, waiting for .* s\): too few free units: cloud1$/;
    assertMatch(lines[1] ?? "", head);
    assertMatch(lines.at(-1) ?? "", /^cloud1 +live +1\/4 free +- +1 +0 +.* s ago$/);
    const json = JSON.parse((await run("status", "--json")).stdout);
    assertEquals([json.pending, json.head.task_id, json.nodes[0].free], [1, "t1", 1]);
  });
});

Deno.test("status --watch looks again until Ctrl-C", async () => {
  await using redis = await startRedisServer();
  const flags = ["--watch", "--json", "--interval-s=0.1", "--redis", redis.url];
  await using watching = startCommand(["run", "status", ...flags]);
  const looks = async () =>
    Number(/cmdstat_scan:calls=(\d+)/.exec(await redis.cli("INFO", "commandstats"))?.[1] ?? 0);
  await waitFor({ what: "three looks", read: looks, until: (count) => count >= 3 });
  watching.kill("SIGINT");
  const { code, stdout } = await watching.ended;
  assertEquals(code, 0);
  assert(stdout.trimEnd().split("\n").every((line) => JSON.parse(line).pending === 0));
});

Deno.test("explain says where a task is, what holds it up and what was decided", async () => {
  await withScheduler(async ({ queue, run, logs, becomes }) => {
    await queue.enqueue([task("t0", 3), task("t1", 2), task("t2", 1)]);
    await becomes("t0", "assigned");
    const run1 = ["--run-id=r1", "--logs", logs];
    const placed = await run("explain", "t0", ...run1);
    assertEquals(placed.code, 0);
    assertMatch(placed.stdout, /^t0: assigned to cloud1, the next one\n/);
    assertMatch(placed.stdout, /T\S+Z placed on cloud1\n$/);
    const head = await run("explain", "t1", ...run1);
    assertStringIncludes(head.stdout, "t1: waits in the pending queue, the next one");
    assertStringIncludes(head.stdout, "it is the head: too few free units: cloud1");
    assertMatch(head.stdout, /considered: of the nodes 1 busy\n/);
    const behind = await run("explain", "t2");
    assertStringIncludes(behind.stdout, "t2: waits in the pending queue, 1 before it");
    assertStringIncludes(behind.stdout, "the head is t1: too few free units: cloud1");
    const unknown = await run("explain", "nosuch");
    assertEquals(unknown.code, 1);
    assertStringIncludes(unknown.stdout, "nosuch: the queue does not know it");
    // The worker of the scheduler's own machine writes the same results into the same file.
    const result = { task_id: "t9", attempt: 1, node: "cloud1", state: "done", ts_finish: 1000 };
    await Deno.writeTextFile(
      join(logs, "r1/results.jsonl"),
      `${JSON.stringify(result)}\n`.repeat(2),
    );
    const ended = await run("explain", "t9", ...run1);
    assertEquals(ended.stdout, "  1970-01-01T00:00:01.000Z done on cloud1, attempt 1\n");
    const json = JSON.parse((await run("explain", "t1", "--json", ...run1)).stdout);
    assertEquals([json.task.ahead, json.decisions[0].event], [0, "waiting"]);
  });
});

Deno.test("drain, requeue and cancel change what they say", async () => {
  await withScheduler(async ({ queue, redis, run, becomes }) => {
    await queue.enqueue([task("t0", 1), task("t1", 1)]);
    await becomes("t1", "assigned");
    const drained = await run("drain", "cloud1");
    assertEquals(drained, {
      code: 0,
      stdout: "",
      stderr: "cloud1: draining, 2 tasks taken back, 0 still running\n",
    });
    assertEquals(await redis.cli("LLEN", "q:pending"), "2");
    const cancelled = await run("cancel", "t1", "nosuch");
    assertEquals(cancelled.code, 1);
    assertEquals(cancelled.stderr, "t1: cancelled\nnosuch: the queue does not know it\n");
    assertEquals((await run("drain", "--undo", "cloud1")).stderr, "cloud1: takes part again\n");
    await becomes("t0", "assigned");
    const requeued = await run("requeue", "cloud1");
    assertEquals(requeued.stderr, "cloud1: 1 task pending again\n");
    assertEquals((await run("drain", "nosuch")).code, 1);
  });
});

Deno.test("dead lists, retries and drops", async () => {
  await withScheduler(async ({ redis, run }) => {
    await redis.cli("RPUSH", "q:pending", "{broken", `{"task_id":"bad","cpu_units":-1}`);
    await waitFor({
      what: "two dead letters",
      read: () => redis.cli("LLEN", "q:dead"),
      until: (length) => length === "2",
    });
    const { stdout } = await run("dead", "list");
    assertEquals(stdout.match(/\n/g)?.length, 2);
    assertMatch(stdout, /Z {2}bad {2}Cannot decode task .* "cpu_units": an integer from 1/);
    assertEquals((await run("dead", "retry", "bad")).stderr, "bad: is not a task, and stays\n");
    const dropped = await run("dead", "drop", "--all");
    assertEquals([dropped.code, dropped.stderr], [0, "2 dead letters dropped\n"]);
    assertEquals(await redis.cli("LLEN", "q:dead"), "0");
  });
});

Deno.test("status waits for a Redis that is busy, and gives up where nothing listens", async () => {
  await using redis = await startRedisServer();
  await redis.kill("SIGSTOP");
  await using waiting = startCommand(["run", "status", "--redis", redis.url]);
  await waiting.says(/does not answer: waiting 13 s more/);
  await redis.kill("SIGCONT");
  assertEquals((await waiting.ended).code, 0);
  await redis.kill("SIGTERM");
  const { code, stderr } = await runCommand(["run", "status", "--redis", redis.url]);
  assertEquals(code, 1);
  assertMatch(stderr, /no Redis answers at 127\.0\.0\.1:\d+\/0 \(.*refused/);
});

const WRONG: readonly (readonly [args: readonly string[], message: string])[] = [
  [["explain"], "one TASK_ID is required"],
  [["explain", "a", "--run-id=../x"], "Cannot use RUN_ID"],
  [["drain"], "NODE is required"],
  [["cancel"], "TASK_ID is required"],
  [["requeue"], "NODE is required"],
  [["dead"], "list, retry or drop is required"],
  [["dead", "drop"], "drop needs either TASK_ID… or --all"],
  [["dead", "retry", "a", "--all"], "retry needs either TASK_ID… or --all"],
];
for (const [args, message] of WRONG) {
  Deno.test(`${args.join(" ")} is a usage error`, async () => {
    const { code, stderr } = await runCommand(["run", ...args, "--redis=redis://127.0.0.1:1/0"]);
    assertEquals(code, 2, stderr);
    assertStringIncludes(stderr, message);
  });
}
