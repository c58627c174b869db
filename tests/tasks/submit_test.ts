import { assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { join } from "@std/path";
import { parseCommand } from "../../tasks/command/parse.ts";
import { UsageError } from "../../tasks/command/usage_error.ts";
import { SUBMIT } from "../../tasks/flags/submit.ts";
import { TASKS } from "../../tasks/flags/tasks.ts";
import { WAIT } from "../../tasks/flags/wait.ts";
import { main as submit } from "../../tasks/submit.ts";
import {
  itemsOf,
  parseArray,
  parseTimeLimit,
  parseVariables,
  planSubmit,
} from "../../tasks/submit/plan.ts";
import { main as listTasks } from "../../tasks/tasks.ts";
import { main as wait } from "../../tasks/wait.ts";
import { runCommand, startCommand } from "../support/command_process.ts";
import { recordingIo } from "../support/recording_io.ts";
import { startRedisServer } from "../support/redis_server.ts";
import { tempFolder } from "../support/temp_folder.ts";
import { waitFor } from "../support/wait_for.ts";

const NOWHERE = { env: {}, runIdEnv: {} };

const PLAN = {
  argv: ["convert", "{}", "out-%{i}.png"],
  env: { SEED: "%{i}" },
  dispatchId: "d",
  name: null,
  cpus: 2,
  timeoutS: 90,
};

Deno.test("planSubmit() fills items and numbers into command and environment", () => {
  const tasks = planSubmit(itemsOf(["a b.jpg", "c.jpg"]), PLAN);
  assertEquals(tasks.map(({ task_id, argv, env }) => [task_id, argv, env]), [
    ["d-0", ["convert", "a b.jpg", "out-1.png"], { SEED: "1" }],
    ["d-1", ["convert", "c.jpg", "out-2.png"], { SEED: "2" }],
  ]);
  assertEquals(
    tasks.map(({ profile, cpu_units, timeout_s }) => [profile, cpu_units, timeout_s])[0],
    [
      "convert",
      2,
      90,
    ],
  );
});

Deno.test("planSubmit() gives ids that sort in the order of submission", () => {
  const ids = planSubmit(parseArray("1-12"), PLAN).map(({ task_id }) => task_id);
  assertEquals(ids, ids.toSorted());
  assertThrows(() => planSubmit(itemsOf(["x"]), { ...PLAN, argv: [""] }), UsageError, "program");
});

Deno.test("parseArray() reads ranges, steps and lists", () => {
  const numbers = (spec: string) => parseArray(spec).map(({ index }) => index);
  assertEquals(numbers("3-5"), [3, 4, 5]);
  assertEquals(numbers("0-10:5"), [0, 5, 10]);
  assertEquals(numbers("7,1-2"), [7, 1, 2]);
  for (const spec of ["", "5-3", "a", "1-9999999999", "1-5:0"]) {
    assertThrows(() => parseArray(spec), UsageError, "--array");
  }
});

Deno.test("parseVariables() and parseTimeLimit() read what a person types", () => {
  assertEquals(parseVariables("A=1,2,B=x=y"), { A: "1,2", B: "x=y" });
  assertThrows(() => parseVariables("A"), UsageError, "NAME=VALUE");
  assertEquals(["90", "1.5m", "2h", null].map(parseTimeLimit), [90, 90, 7200, null]);
  assertThrows(() => parseTimeLimit("soon"), UsageError, "--time");
});

Deno.test("submit --dry-run expands lists, files and globs without a Redis", async () => {
  await using folder = await tempFolder();
  for (const name of ["b.txt", "a.txt", "c.md"]) {
    await Deno.writeTextFile(join(folder.path, name), "x\ny\n");
  }
  async function inputs(each: string): Promise<string[]> {
    const io = recordingIo();
    const args = ["--dry-run", "--each", each, "--", "cat", "{}"];
    assertEquals(await submit(parseCommand(SUBMIT, args, NOWHERE), io), 0);
    return io.printed.map((line) => JSON.parse(line).argv[1].replace(`${folder.path}/`, ""));
  }
  assertEquals(await inputs("p,q"), ["p", "q"]);
  assertEquals(await inputs(join(folder.path, "a.txt")), ["x", "y"]);
  assertEquals(await inputs(join(folder.path, "*.txt")), ["a.txt", "b.txt"]);
});

Deno.test("submit, wait, tasks and logs carry a command through a real queue", async () => {
  await using folder = await tempFolder();
  await using redis = await startRedisServer();
  const place = ["--run-id", "r1", "--logs", join(folder.path, "logs"), "--redis", redis.url];
  await using _scheduler = startCommand(["run", "scheduler", ...place]);
  const outputs = join(folder.path, "outputs");
  const offer = ["--node-id", "n1", "--capacity-units", "2", "--allow-any", "--outputs", outputs];
  await using worker = startCommand(["run", "worker", ...place, ...offer], { cwd: folder.path });
  await worker.says(/^Warning: --allow-any/);
  await waitFor({
    what: "the worker to register",
    read: () => redis.cli("HGET", "tk:node:n1", "server"),
    until: (server) => server !== "",
  });
  async function run(
    args: readonly string[],
  ): Promise<{ code: number; printed: string; said: string }> {
    const io = recordingIo();
    const code = await submit(parseCommand(SUBMIT, ["--redis", redis.url, ...args], NOWHERE), io);
    return { code, printed: io.printed.join("\n"), said: io.said.join("\n") };
  }

  const failing = await run([
    "--array",
    "1-3",
    "--wait",
    "--",
    "sh",
    "-c",
    "echo item {}; exit {}",
  ]);
  assertEquals(failing.code, 3, failing.said);
  assertStringIncludes(failing.said, "0 of 3 tasks done, 3 failed");
  assertEquals((await run(["--count", "2", "--wait", "--", "true"])).code, 0);

  const [first = ""] = failing.printed.split("\n");
  const logs = await runCommand(["run", "logs", first, ...place.slice(0, 4)]);
  assertEquals([logs.code, logs.stdout], [0, "item 1\n"], logs.stderr);
  const missing = await runCommand(["run", "logs", "nobody", ...place.slice(0, 4)]);
  assertEquals(missing.code, 1);
  assertMatch(missing.stderr, /there is no log of nobody/);

  const large = runCommand(["run", "submit", "--redis", redis.url, "--cpus", "9", "--", "true"]);
  assertMatch(
    (await large).stderr,
    /each task asks for 9 vCPUs and the largest live node, n1, has 2/,
  );

  const sleeping = await run(["--dispatch-id", "naps", "--name", "nap", "--", "sleep", "600"]);
  assertEquals(sleeping.printed, "naps-0");
  async function listed(...filter: string[]): Promise<string[]> {
    const io = recordingIo();
    await listTasks(parseCommand(TASKS, ["--redis", redis.url, "--json", ...filter], NOWHERE), io);
    return io.printed.map((line) => JSON.parse(line).task_id);
  }
  await waitFor({
    what: "the task to run",
    read: () => listed("--state", "running"),
    until: (ids) => ids.includes("naps-0"),
  });
  assertEquals(await listed("--name", "nap", "--node", "n1"), ["naps-0"]);
  assertEquals(await listed("--name", "other"), []);
  assertEquals(await listed("--older-than", "1d"), []);
  async function waited(...args: string[]): Promise<number> {
    const io = recordingIo();
    return await wait(parseCommand(WAIT, ["--redis", redis.url, ...args], NOWHERE), io);
  }
  assertEquals(await waited("--dispatch", "naps", "--timeout", "0.1"), 124);
  assertEquals(await waited("nobody"), 1);
  const ending = waited("naps-0");
  const { code } = await runCommand(["run", "cancel", "naps-0", "--redis", redis.url]);
  assertEquals(code, 0);
  // Ended by SIGTERM.
  assertEquals(await ending, 143);
  assertEquals(await waited("--all"), 0);
  // Long after its end: the record of the run knows it.
  await redis.cli("DEL", "tk:ended:naps-0");
  assertEquals(await waited("naps-0", ...place.slice(0, 4)), 143);
});
