import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { CommandError } from "../../tasks/command/main.ts";
import { parseCommand } from "../../tasks/command/parse.ts";
import { readDurations, readWork } from "../../tasks/dispatch/work.ts";
import { DISPATCH } from "../../tasks/flags/dispatch.ts";
import { join } from "@std/path";
import type { Task } from "../../trace/task.ts";
import { atOnce } from "../support/at_once.ts";
import { type Ended, runCommand, startCommand } from "../support/command_process.ts";
import { type RedisServer, startRedisServer } from "../support/redis_server.ts";
import { tempFolder } from "../support/temp_folder.ts";
import { waitFor } from "../support/wait_for.ts";

const MIX = "fast1080p=2,medium480p=3,hevc1080p=2,light1c=3";

/** Inputs of 1, 2 and 3 s, made once: only their names and headers matter to a dispatcher. */
const VIDEOS = await Promise.all([1, 2, 3].map(async (seconds, index) => {
  await using folder = await tempFolder();
  const path = join(folder.path, `v${index}.mp4`);
  const source = ["-f", "lavfi", "-i", "color=s=32x32:r=5", "-t", String(seconds)];
  const { success } = await new Deno.Command("ffmpeg", { args: ["-v", "error", ...source, path] })
    .output();
  assert(success);
  return await Deno.readFile(path);
}));

/** A folder with the three inputs. */
async function withInputs(work: (inputs: string) => Promise<void>): Promise<void> {
  await using folder = await tempFolder();
  const inputs = folder.path;
  for (const [index, video] of VIDEOS.entries()) {
    await Deno.writeFile(join(inputs, `v${index}.mp4`), video);
  }
  await Deno.writeTextFile(join(inputs, "notes.txt"), "no input");
  await work(inputs);
}

function dispatchArgs(inputs: string, redis: RedisServer, ...flags: readonly string[]): string[] {
  return ["run", "dispatch", "--inputs", inputs, "--redis", redis.url, ...flags];
}

async function queued(redis: RedisServer, key = "q:pending"): Promise<Task[]> {
  const text = await redis.cli("LRANGE", key, "0", "-1");
  return text === "" ? [] : text.split("\n").map((line) => JSON.parse(line));
}

async function lengthOf(redis: RedisServer, key = "q:pending"): Promise<number> {
  return Number(await redis.cli("LLEN", key));
}

/** The tasks that a dispatch of `total` under the id `d` must have left, in order and once each. */
function assertAllOnce(tasks: readonly Task[], total: number): void {
  const ids = Array.from({ length: total }, (_, index) => `d-${String(index).padStart(4, "0")}`);
  assertEquals(tasks.map(({ task_id }) => task_id), ids);
  for (const [index, task] of tasks.slice(1).entries()) {
    assert((task.ts_enqueue ?? 0) > (tasks[index]?.ts_enqueue ?? Infinity), "ts_enqueue goes back");
    assert((task.seq ?? 0) > (tasks[index]?.seq ?? Infinity), "seq goes back");
  }
}

function lastLine({ stderr }: Ended): string {
  return stderr.trimEnd().split("\n").at(-1) ?? "";
}

Deno.test("dispatch --dry-run prints what it would enqueue, without Redis", async () => {
  await withInputs(async (inputs) => {
    const args = ["run", "dispatch", "--inputs", inputs, "--mix", MIX, "--total", "20"];
    const { code, stdout, stderr } = await runCommand([...args, "--seed=20250901", "--dry-run"]);
    assertEquals([code, stderr], [0, ""]);
    const tasks = stdout.trimEnd().split("\n").map((line): Task => JSON.parse(line));
    assertEquals(tasks.length, 20);
    assertEquals(tasks.slice(0, 5).map(({ profile }) => profile), [
      "hevc1080p",
      "fast1080p",
      "hevc1080p",
      "fast1080p",
      "light1c",
    ]);
  });
});

Deno.test("dispatch killed repeatedly and resumed enqueues every task once", async () => {
  await using redis = await startRedisServer();
  await withInputs(async (inputs) => {
    const what = ["--total=1000", "--mix", MIX, "--seed=7", "--dispatch-id=d"];
    const args = dispatchArgs(inputs, redis, "--pending", "--pending-mode=fifo", ...what);
    // Six seconds and more for all of them: nobody looks away that long.
    const slowly = ["--pending-max=5000", "--batch-size=3", "--dribble-interval=0.02"];
    for (const target of [20, 60, 150]) {
      await using running = startCommand([...args, ...slowly]);
      await waitFor({
        what: `${target} tasks in the queue`,
        read: () => lengthOf(redis),
        until: (length) => length >= target,
      });
      running.kill("SIGKILL");
      assertEquals((await running.ended).code, 137);
    }
    const before = await lengthOf(redis);
    assert(before < 1000, "the dispatcher was killed in the middle");
    const last = await runCommand([
      ...args,
      "--pending-max=5000",
      "--batch-size=1000",
      "--dribble-interval=0",
    ]);
    assertEquals(last.code, 0);
    assertEquals(
      lastLine(last),
      `${1000 - before} of 1000 tasks enqueued, ${before} were there already`,
    );
    assertAllOnce(await queued(redis), 1000);
  });
});

Deno.test("dispatch --wait returns when the last task has ended, and fails unless all are done", async () => {
  await using redis = await startRedisServer();
  await withInputs(async (inputs) => {
    const args = dispatchArgs(inputs, redis, "--pending", "--pulse-stagger=0", "--dispatch-id=d");
    await using running = startCommand([...args, "--total=2", "--wait"]);
    await waitFor({
      what: "two tasks in the queue",
      read: () => lengthOf(redis),
      until: (length) => length === 2,
    });
    const cancelled = await runCommand(["run", "cancel", "--redis", redis.url, "d-0000"]);
    assertEquals(cancelled.code, 0, cancelled.stderr);
    await running.says(/0 of 2 tasks done, 1 cancelled/);
    await runCommand(["run", "cancel", "--redis", redis.url, "d-0001"]);
    const ended = await running.ended;
    assertEquals(ended.code, 1, ended.stderr);
    assertEquals(lastLine(ended), "0 of 2 tasks done, 2 cancelled");
  });
});

Deno.test("dispatch survives kill -9 and restart of Redis", async () => {
  await using redis = await startRedisServer({ appendOnly: true });
  await withInputs(async (inputs) => {
    const args = dispatchArgs(inputs, redis, "--pending", "--arrivals=every:0.02", "--total=200");
    await using running = startCommand([...args, "--dispatch-id=d"]);
    // Both long before the last task, which comes after 4 s.
    for (const target of [10, 30]) {
      await waitFor({
        what: `${target} tasks in the queue`,
        read: () => lengthOf(redis),
        until: (length) => length >= target,
      });
      await redis.restart();
    }
    const { code, stderr } = await running.ended;
    assertEquals(code, 0, stderr);
    assertEquals(stderr.match(/is not reachable/g)?.length, 2);
    assertEquals(stderr.match(/is back after/g)?.length, 2);
    assertAllOnce(await queued(redis), 200);
  });
});

Deno.test("dispatch stops on Ctrl-C between two tasks and says how to continue", async () => {
  await using redis = await startRedisServer();
  await withInputs(async (inputs) => {
    const args = dispatchArgs(inputs, redis, "--pending", "--arrivals=every:0.05", "--total=500");
    await using running = startCommand(args);
    await waitFor({
      what: "5 tasks",
      read: () => lengthOf(redis),
      until: (length) => length >= 5,
    });
    running.kill("SIGINT");
    const ended = await running.ended;
    const count = await lengthOf(redis);
    assertEquals(ended.code, 1);
    const [, said, id, seed] =
      /stopped: (\d+) of 500 tasks enqueued; .* --dispatch-id (\S+) --seed (\S+) continues/
        .exec(lastLine(ended)) ?? [];
    assertEquals(Number(said), count);
    const rest = ["--arrivals=every:0", "--dispatch-id", id ?? "", "--seed", seed ?? ""];
    const resumed = await runCommand(
      dispatchArgs(inputs, redis, "--pending", "--total=500", ...rest),
    );
    assertEquals(resumed.code, 0, resumed.stderr);
    assertEquals(await lengthOf(redis), 500);
  });
});

Deno.test("dispatch stops on Ctrl-C also while Redis is away", async () => {
  await using redis = await startRedisServer();
  await withInputs(async (inputs) => {
    const args = dispatchArgs(
      inputs,
      redis,
      "--pending",
      "--arrivals=every:0.001",
      "--total=50000",
    );
    await using running = startCommand(args);
    await waitFor({
      what: "5 tasks",
      read: () => lengthOf(redis),
      until: (length) => length >= 5,
    });
    await redis.kill("SIGKILL");
    await running.says(/is not reachable/);
    running.kill("SIGINT");
    const ended = await running.ended;
    assertEquals(ended.code, 1);
    assertMatch(lastLine(ended), /^dispatch: stopped: \d+ of 50000 tasks enqueued/);
  });
});

Deno.test("dispatch writes down what makes the same tasks again, without the password", async () => {
  await using redis = await startRedisServer();
  await using logs = await tempFolder();
  await withInputs(async (inputs) => {
    const run = ["--run-id=r1", "--logs", logs.path, "--mix", MIX, "--total=9"];
    const args = dispatchArgs(inputs, redis, "--pending", "--pulse-stagger=0", ...run);
    assertEquals((await runCommand(args)).code, 0);
    const path = join(logs.path, "r1", "dispatches.jsonl");
    const text = await Deno.readTextFile(path);
    assert(!text.includes(redis.password));
    const { seed, "dispatch-id": id } = JSON.parse(text).flags;
    const same = ["--seed", seed, "--dispatch-id", id];
    const { stdout } = await runCommand([...args, "--dry-run", ...same]);
    const planned = stdout.trimEnd().split("\n").map((line): Task => JSON.parse(line));
    const identity = ({ task_id, profile, output }: Task) => [task_id, profile, output];
    assertEquals((await queued(redis)).map(identity), planned.map(identity));
    // Another dispatch of the run, and the same one again: each has its line.
    await runCommand([...args, "--seed=5", "--dispatch-id=other"]);
    await runCommand([...args, ...same]);
    const lines = (await Deno.readTextFile(path)).trimEnd().split("\n");
    const ids = lines.map((line) => JSON.parse(line).flags["dispatch-id"]);
    assertEquals(ids, [id, "other", id]);
  });
});

Deno.test("stop ends every dispatcher of a run", async () => {
  await using redis = await startRedisServer();
  await using logs = await tempFolder();
  await withInputs(async (inputs) => {
    const run = ["--run-id=r1", "--logs", logs.path];
    const args = dispatchArgs(inputs, redis, "--pending", "--arrivals=every:60", ...run);
    await using first = startCommand(args);
    await using second = startCommand(args);
    for (const one of [first, second]) await one.says(/^Dispatching 3 tasks/);
    const stopped = await runCommand(["stop", "--logs", logs.path]);
    assertEquals(stopped.stderr.match(/Stopped dispatch \(run r1, pid \d+\)/g)?.length, 2);
    for (const one of [first, second]) {
      const ended = await one.ended;
      assertEquals(ended.code, 1);
      assertMatch(lastLine(ended), /^dispatch: stopped: \d of 3 tasks enqueued/);
    }
    assertEquals(await Array.fromAsync(Deno.readDir(join(logs.path, "r1", "roles"))), []);
  });
});

Deno.test("dispatch keeps the intended time of each arrival beside the actual one", async () => {
  await using redis = await startRedisServer();
  await withInputs(async (inputs) => {
    const csv = join(inputs, "arrivals.csv");
    await Deno.writeTextFile(csv, "seconds\n0\n0.15\n0.2\n");
    const args = dispatchArgs(inputs, redis, "--pending", `--arrivals=file:${csv}`);
    assertEquals((await runCommand(args)).code, 0);
    const tasks = await queued(redis);
    const start = tasks[0]?.ts_intended ?? 0;
    const offsets = tasks.map(({ ts_intended }) => Math.round((ts_intended ?? 0) - start));
    assertEquals(offsets, [0, 150, 200]);
    for (const { ts_intended, ts_enqueue } of tasks) {
      const lateMs = (ts_enqueue ?? 0) - (ts_intended ?? 0);
      // Never early, but for the error of the clock's offset: half of a round trip, which takes some ms
      // on a busy machine. Handed over at once, the later two would be 150 and 200 ms early.
      assert(lateMs > -100, `${lateMs} ms late`);
    }
  });
});

Deno.test("dispatch to nodes follows the policy", async () => {
  await using redis = await startRedisServer();
  await withInputs(async (inputs) => {
    const nodes = ["--nodes", "cloud1,cloud2"];
    const lpt = dispatchArgs(inputs, redis, ...nodes, "--policy=lpt-duration");
    assertEquals((await runCommand(lpt)).code, 0);
    const placed = await Promise.all(
      ["cloud1", "cloud2"].map(async (node) =>
        (await queued(redis, `q:${node}`)).map(({ input }) => input?.slice(-6, -4))
      ),
    );
    // Inputs of 1, 2 and 3 s: the longest first, each to the least loaded.
    assertEquals(placed, [["v2"], ["v1", "v0"]]);
  });
});

Deno.test("dispatch --drip and online policies keep within the backlog limit", async () => {
  await using redis = await startRedisServer();
  await withInputs(async (inputs) => {
    for (const policy of ["rr3", "online-duration"]) {
      await redis.cli("FLUSHALL");
      const nodes = ["--nodes", "a,b", "--policy", policy, "--drip", "--backlog-limit=2"];
      const args = dispatchArgs(inputs, redis, ...nodes, "--dribble-interval=0.01", "--total=8");
      await using running = startCommand(args);
      const lengths = () => Promise.all(["q:a", "q:b"].map((key) => lengthOf(redis, key)));
      await waitFor({
        what: "full queues",
        read: lengths,
        until: ([a = 0, b = 0]) => a + b === 4,
      });
      let taken = 0;
      while (taken < 8) {
        const [a = 0, b = 0] = await lengths();
        assert(a <= 2 && b <= 2, `${policy}: queues of ${a} and ${b}`);
        for (const key of ["q:a", "q:b"]) if (await redis.cli("LPOP", key) !== "") taken++;
      }
      assertEquals((await running.ended).code, 0);
    }
  });
});

Deno.test("dispatch --tasks takes tasks of any kind, completed", async () => {
  await using redis = await startRedisServer();
  await using folder = await tempFolder();
  const file = join(folder.path, "tasks.jsonl");
  const lines = [
    { argv: ["sort", "-o", "out/a", "a"], outputs: ["out/a"], cpu_units: 2 },
    { profile: "hevc1080p", input: "a.mp4", output: "out/a.mp4" },
  ];
  await Deno.writeTextFile(file, lines.map((line) => JSON.stringify(line)).join("\n"));
  const args = ["run", "dispatch", "--tasks", file, "--redis", redis.url, "--pending"];
  const { code, stderr } = await runCommand([...args, "--pulse-stagger=0", "--dispatch-id=d"]);
  assertEquals(code, 0, stderr);
  const tasks = await queued(redis);
  assertAllOnce(tasks, 2);
  assertEquals(tasks.map(({ kind, cpu_units }) => [kind, cpu_units]), [
    ["command", 2],
    ["ffmpeg", 4],
  ]);
});

Deno.test("dispatch tells in one line, without the password, that Redis refuses it", async () => {
  await using redis = await startRedisServer();
  await withInputs(async (inputs) => {
    const wrong = redis.url.replace(redis.password, "Wsr123");
    const args = ["run", "dispatch", "--inputs", inputs, "--pending", "--redis", wrong];
    const { code, stderr } = await runCommand(args);
    assertEquals(code, 1);
    assertMatch(
      stderr,
      /^dispatch: a password on the command line .*\ndispatch: Redis at 127\.0\.0\.1:\d+\/0 refuses us: WRONGPASS .*\n$/,
    );
    assert(!stderr.includes("Wsr123"));
  });
});

const WRONG: readonly (readonly [flags: readonly string[], code: number, message: string])[] = [
  [["--pending"], 2, "--inputs DIR is required (or --tasks FILE)"],
  [["--inputs=INPUTS"], 2, "--pending or --nodes NODE,… is required"],
  [["--inputs=INPUTS", "--mix=nosuch=1", "--pending"], 2, `unknown profile "nosuch"`],
  [["--inputs=INPUTS", "--mix=light1c=0", "--pending"], 2, `the weight of "light1c"`],
  [["--inputs=INPUTS", "--pendign"], 2, "unknown flag --pendign"],
  [["--inputs=INPUTS", "--scale=big", "--pending"], 2, `field "scale"`],
  [["--inputs=INPUTS", "--nodes=../x"], 2, "Cannot use NODE_ID"],
  [["--inputs=INPUTS", "--arrivals=daily", "--pending"], 2, "poisson:RATE"],
  [["--inputs=INPUTS", "--arrivals=every:1", "--drip", "--nodes=a"], 2, "excludes"],
  [["--inputs=INPUTS", "--dispatch-id=d", "--mix=light1c=1", "--pending"], 2, "needs --seed"],
  [
    ["--inputs=INPUTS", "--arrivals=file:INPUTS/bad.jsonl", "--pending"],
    1,
    "Cannot read arrivals at",
  ],
  [
    ["--inputs=INPUTS", "--arrivals=file:INPUTS/notes.csv", "--pending"],
    1,
    "2 arrivals for 3 tasks",
  ],
  [["--inputs=INPUTS/none", "--pending"], 1, "there is no folder"],
  [["--inputs=INPUTS/empty", "--pending"], 1, "there is no *.mp4"],
  [["--tasks=INPUTS/bad.jsonl", "--pending"], 1, `bad.jsonl" line 2: Cannot decode task`],
  [["--inputs=INPUTS", "--profiles=INPUTS/bad.jsonl", "--pending"], 1, "JSON is required"],
  [["--inputs=INPUTS", "--redis=redis://127.0.0.1:1/0", "--pending"], 1, "no Redis answers at"],
];

Deno.test("dispatch says in one line what is wrong with its flags", async (test) => {
  await withInputs(async (inputs) => {
    await Deno.mkdir(join(inputs, "empty"));
    const bad = `{"input":"a","output":"b"}\n{"input":"a","cpu_units":-1}\n`;
    await Deno.writeTextFile(join(inputs, "bad.jsonl"), bad);
    await Deno.writeTextFile(join(inputs, "notes.csv"), "0\n1\n");
    const steps = WRONG.map(([flags, code, message]) => [
      flags.join(" "),
      async () => {
        const named = flags.map((flag) => flag.replace("INPUTS", inputs));
        const ended = await runCommand(["run", "dispatch", ...named]);
        assertEquals(ended.code, code, ended.stderr);
        assertEquals(ended.stderr.trimEnd().split("\n").length, 1, ended.stderr);
        assertStringIncludes(ended.stderr, message);
      },
    ]);
    await atOnce(test, Object.fromEntries(steps));
  });
});

Deno.test("dispatch names each input that it cannot use, and submits the rest", async () => {
  await withInputs(async (inputs) => {
    await Deno.rename(join(inputs, "v0.mp4"), join(inputs, "UPPER.MP4"));
    await Deno.writeFile(join(inputs, "empty.mp4"), new Uint8Array());
    await Deno.symlink("nowhere", join(inputs, "broken.mp4"));
    await Deno.symlink("loop.mp4", join(inputs, "loop.mp4"));
    await Deno.mkdir(join(inputs, "dir.mp4"));
    const latin = ["-c", 'cp "$1" "$(printf "%s/lat\\351n.mp4" "$2")"', "sh"];
    await new Deno.Command("sh", { args: [...latin, join(inputs, "v1.mp4"), inputs] }).output();
    const said: string[] = [];
    const given = ["--inputs", inputs, "--dispatch-id=d", "--seed=1"];
    const { options } = parseCommand(DISPATCH, given, { env: {}, runIdEnv: {} });
    const { tasks } = await readWork(options, (line) => said.push(line));
    const names = tasks.map(({ input }) => input?.slice(inputs.length + 1));
    assertEquals(names, ["UPPER.MP4", "v1.mp4", "v2.mp4"]);
    const reasons = said.sort().map((line) => /^left out: ".*\/(.*?)" (.*?)(?: \(|:|$)/.exec(line));
    assertEquals(reasons.map((one) => [one?.[1], one?.[2]]), [
      ["broken.mp4", "cannot be read"],
      ["empty.mp4", "is empty"],
      ["lat\ufffdn.mp4", "has a name that is not UTF-8"],
      ["loop.mp4", "cannot be read"],
    ]);
  });
});

Deno.test("readDurations() tells a header without a duration, and refuses where none has one", async () => {
  await withInputs(async (inputs) => {
    await Deno.truncate(join(inputs, "v1.mp4"), 100);
    const given = ["--inputs", inputs, "--dispatch-id=d", "--seed=1"];
    const { options } = parseCommand(DISPATCH, given, { env: {}, runIdEnv: {} });
    const said: string[] = [];
    const { tasks, report } = await readWork(options, (line) => said.push(line));
    const durationS = await readDurations(tasks, report);
    assertEquals(tasks.map((task) => durationS(task) > 0), [true, false, true]);
    assertEquals(said.length, 1);
    assertStringIncludes(said[0] ?? "", "taken as the shortest: Cannot read duration of");
    const bad = tasks.slice(1, 2);
    await assertRejects(() => readDurations(bad, report), CommandError, "Cannot read duration of");
  });
});
