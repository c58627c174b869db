import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { RAW_SAMPLE, ROLE_IDENTITY, type RoleIdentity } from "../../trace/records.ts";
import { readRecordFile } from "../../trace/record_file.ts";
import { RunDir } from "../../trace/run_dir.ts";
import { COLLECTOR_V8_FLAGS } from "../../tasks/command/own_program.ts";
import { type Ended, runCommand } from "../support/command_process.ts";
import { waitFor } from "../support/wait_for.ts";
import { Child } from "./child.ts";
import { ProcTree } from "./fixture.ts";

/** A folder to work in, as a user's; what was started there is stopped. */
class Workplace implements AsyncDisposable {
  readonly path: string;

  constructor() {
    this.path = Deno.makeTempDirSync({ prefix: "start_collect_" });
  }

  /** Run a command here. */
  run(...args: string[]): Promise<Ended> {
    return runCommand(args, { cwd: this.path });
  }

  /** Start the collector of run `runId`. */
  start(runId: string, ...args: string[]): Promise<Ended> {
    return this.run("start_collect", `RUN_ID=${runId}`, "NODE_ID=n1", "TIME_SYNC=0", ...args);
  }

  runDir(runId: string): RunDir {
    return RunDir.of(`${this.path}/logs`, runId);
  }

  /** The collector of run `runId` as it is on record. */
  async role(runId: string): Promise<RoleIdentity> {
    const path = this.runDir(runId).role("collector");
    const identity = await readRecordFile(path, ROLE_IDENTITY.decode);
    assert(identity !== null, `no ${path}`);
    return identity;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.run("stop_collect", "STOP_ALL=1");
    await Deno.remove(this.path, { recursive: true });
  }
}

function isThere(pid: number): boolean {
  try {
    return !Deno.readTextFileSync(`/proc/${pid}/stat`).includes(") Z ");
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return false;
  }
}

Deno.test("start-collect says mode, interval and file, and leaves a collector that samples", async () => {
  await using place = new Workplace();
  const started = await place.start("r1", "PROC_INTERVAL_MS=20");
  assertEquals(started, {
    code: 0,
    stdout: "",
    stderr: "proc sampler started (mode=whitelist, interval=0.020s) → logs/r1/proc_metrics.jsonl\n",
  });
  const { pid, node_id } = await place.role("r1");
  assertEquals([isThere(pid), node_id], [true, "n1"]);
  await using child = Child.start();
  const { pids, procMetrics } = place.runDir("r1");
  const sentinel = { trace_id: "a".repeat(32), start_ticks: child.startTicks };
  Deno.writeTextFileSync(`${pids}/${child.pid}`, JSON.stringify(sentinel));
  await waitFor({
    what: "a sample",
    read: () => Deno.readTextFileSync(procMetrics),
    until: (text) => text.includes(`"pid":${child.pid},`),
  });
});

Deno.test("start-collect puts the collector out of reach of the terminal", async () => {
  await using place = new Workplace();
  await place.start("r1");
  const { pid } = await place.role("r1");
  const fields = Deno.readTextFileSync(`/proc/${pid}/stat`).split(") ")[1]?.split(" ") ?? [];
  // Behind the name: state, parent, process group, session, terminal.
  assertEquals(fields.slice(2, 5), [String(pid), String(pid), "0"]);
});

Deno.test("start-collect refuses a second collector with the pid of the first", async () => {
  await using place = new Workplace();
  await place.start("r1");
  const { pid } = await place.role("r1");
  const second = await place.start("r1");
  assertEquals(second.code, 1);
  assertStringIncludes(second.stderr, `pid ${pid}`);
  assertEquals(second.stderr.trim().split("\n").length, 1);
  assertEquals((await place.start("r2")).code, 0, "another run is another collector");
});

Deno.test("start-collect at once and again: one of both wins, whoever is first", async () => {
  await using place = new Workplace();
  const codes = (await Promise.all([1, 2, 3].map(() => place.start("r1")))).map(({ code }) => code);
  assertEquals(codes.sort(), [0, 1, 1]);
});

Deno.test("stop-collect stops exactly the collector of its run and says how much there is", async () => {
  await using place = new Workplace();
  await Promise.all([place.start("r1", "PROC_INTERVAL_MS=20"), place.start("r2")]);
  const [first, second] = await Promise.all([place.role("r1"), place.role("r2")]);
  const stopped = await place.run("stop_collect", "RUN_ID=r1");
  assertEquals([stopped.code, isThere(first.pid), isThere(second.pid)], [0, false, true]);
  assertMatch(
    stopped.stderr,
    new RegExp(
      `^stopped the collector of run r1 on n1 \\(pid ${first.pid}\\): 0 samples in logs/r1/`,
    ),
  );
  const again = await place.run("stop_collect", "RUN_ID=r1");
  assertEquals([again.code, again.stderr], [0, "no collector to stop\n"]);
});

Deno.test("stop-collect with STOP_ALL=1 stops the collectors of all runs, per node too", async () => {
  await using place = new Workplace();
  await Promise.all([place.start("r1"), place.start("r2", "--per-node")]);
  const stopped = await place.run("stop_collect", "STOP_ALL=1");
  assertEquals([stopped.code, stopped.stderr.trim().split("\n").length], [0, 2], stopped.stderr);
});

Deno.test("stop-collect tells of a collector that had ended by itself", async () => {
  await using place = new Workplace();
  await place.start("r1");
  const { pid } = await place.role("r1");
  Deno.kill(pid, "SIGKILL");
  await waitFor({ what: "its end", read: () => isThere(pid), until: (there) => !there });
  const stopped = await place.run("stop_collect", "RUN_ID=r1");
  assertEquals(stopped.code, 1);
  assertStringIncludes(stopped.stderr, "had ended by itself");
});

Deno.test("start-collect passes every option on", async () => {
  await using place = new Workplace();
  const { stderr } = await place.start(
    "r1",
    "PROC_PID_DIR=",
    "PROC_MATCH=^none such,really$",
    "--interval-ms=500",
    "--cpus=0",
    "CPU_FREQ_MHZ=1234",
    "--no-realtime",
    "STAGE=edge",
  );
  assertStringIncludes(stderr, "(mode=scan, interval=0.500s)");
  const meta = JSON.parse(Deno.readTextFileSync(place.runDir("r1").nodeMeta));
  assertEquals([meta.cpu_cores, meta.cpus, meta.cpu_freq_mhz, meta.stage], [1, "0", 1234, "edge"]);
  const { flags } = JSON.parse(Deno.readTextFileSync(place.runDir("r1").runMeta("collector")));
  assertEquals(flags["proc-match"], "^none such,really$");
});

for (
  const [args, said] of [
    [["RUN_ID=r1", "PROC_MATCH=ffmpeg("], "ffmpeg("],
    [["RUN_ID=../../x"], "../../x"],
    [[`RUN_ID=${"x".repeat(300)}`], "300 characters"],
    [[], "RUN_ID"],
    [["RUN_ID=r1", "--cpus=4-2"], "4-2"],
    [["RUN_ID=r1", "--intervall-ms=9"], "--intervall-ms"],
    [["RUN_ID=r1", "PROC_INTERVAL_MS=fast"], "fast"],
    [["RUN_ID=r1", "--tree=1", "--cgroup=x"], "--tree"],
  ] as const
) {
  Deno.test(`start-collect ${args.join(" ").slice(0, 60)} is a usage error in one line`, async () => {
    await using place = new Workplace();
    const { code, stderr } = await place.run("start_collect", ...args);
    assertEquals([code, stderr.trim().split("\n").length], [2, 1], stderr);
    assertStringIncludes(stderr, said);
    assertEquals([...Deno.readDirSync(place.path)], [], "nothing was made");
  });
}

Deno.test("start-collect says why a collector did not start", async () => {
  await using place = new Workplace();
  const { code, stderr } = await place.start("r1", `--tree=${2 ** 22 + 1}`);
  assertEquals([code, stderr.trim().split("\n").length], [1, 1], stderr);
  assertStringIncludes(stderr, "it is gone");
});

Deno.test("start-collect with USE_PY_COLLECT=0 prints one notice and runs all the same", async () => {
  await using place = new Workplace();
  const { code, stderr } = await place.start("r1", "USE_PY_COLLECT=0");
  assertEquals(code, 0);
  assertMatch(stderr, /^USE_PY_COLLECT=0: .*\nproc sampler started .*\n$/);
});

Deno.test("start-collect with PROC_SAMPLING=0 writes the node and starts nothing", async () => {
  await using place = new Workplace();
  const { code, stderr } = await place.start("r1", "PROC_SAMPLING=0");
  assertEquals(code, 0, stderr);
  assertStringIncludes(stderr, "logs/r1/node_meta.json");
  assertEquals((await place.run("stop_collect", "RUN_ID=r1")).code, 0);
});

Deno.test("start-collect leaves the clock alone while another role is at work, and says so", async () => {
  await using place = new Workplace();
  await place.start("r1");
  const { pid } = await place.role("r1");
  const { code } = await place.run("start_collect", "RUN_ID=r2", "NODE_ID=n1");
  assertEquals(code, 0);
  assertMatch(
    Deno.readTextFileSync(place.runDir("r2").timesyncLog),
    new RegExp(`^before .*\\nskipped: the collector of run r1 \\(pid ${pid}\\) .*\\nafter  .*\\n$`),
  );
});

Deno.test("start-collect --procfs reads that mount alone, without the right to read /proc", async () => {
  await using place = new Workplace();
  await using tree = await ProcTree.copy();
  const { code, stderr } = await place.start("r1", `--procfs=${tree.mount}`, "--interval-ms=20");
  assertEquals(code, 0, stderr);
  const { pids, procMetrics } = place.runDir("r1");
  Deno.writeTextFileSync(`${pids}/100`, `{"trace_id":"${"a".repeat(32)}","start_ticks":12345}`);
  const text = await waitFor({
    what: "a sample of the tree",
    read: () => Deno.readTextFileSync(procMetrics),
    until: (text) => text.includes('"pid":109,'),
  });
  assertStringIncludes(text, '"utime":1500,"stime":42,"rss_kb":131072');
  const { pid } = await place.role("r1");
  const command = Deno.readTextFileSync(`/proc/${pid}/cmdline`).split("\0");
  assertEquals(command.filter((one) => /^(-A|--allow-(all|ffi|run|net))/.test(one)), []);
  assert(command.includes(COLLECTOR_V8_FLAGS), command.join(" "));
  const stopped = await place.run("stop_collect", "RUN_ID=r1");
  assertEquals(stopped.code, 0, stopped.stderr);
});

Deno.test("the collector waits on a full disk, and loses no line once there is room", async (t) => {
  await using place = new Workplace();
  const logs = `${place.path}/logs`;
  Deno.mkdirSync(logs);
  const mount = (...args: readonly string[]) =>
    new Deno.Command("mount", { args: [...args] }).output();
  const mounted = await mount("-t", "tmpfs", "-o", "size=64k", "tmpfs", logs);
  await t.step({
    name: "on a file system of 64 kB",
    ignore: !mounted.success,
    fn: async () => {
      await place.start("r1", "PROC_INTERVAL_MS=10", "--no-realtime");
      const { pid } = await place.role("r1");
      const sentinel = { trace_id: "a".repeat(32), start_ticks: startTicksOf(Deno.pid) };
      Deno.writeTextFileSync(`${place.runDir("r1").pids}/${Deno.pid}`, JSON.stringify(sentinel));
      const { procMetrics } = place.runDir("r1");
      const sizeOf = (path: string): number => Deno.statSync(path).size;
      let last = -1;
      await waitFor({
        what: "the disk to be full",
        read: async () => {
          const before = sizeOf(procMetrics);
          await new Promise((resolve) => setTimeout(resolve, 100));
          last = sizeOf(procMetrics);
          return before > 0 && before === last;
        },
        until: (isFull) => isFull,
      });
      assert(isThere(pid), "it waits");
      assert((await mount("-o", "remount,size=4m", logs)).success);
      await waitFor({
        what: "more lines",
        read: () => sizeOf(procMetrics),
        until: (size) => size > last,
      });
      const stopped = await place.run("stop_collect", "RUN_ID=r1");
      assertEquals(stopped.code, 0, stopped.stderr);
      const lines = Deno.readTextFileSync(procMetrics).trimEnd().split("\n");
      const times = lines.map((line) => RAW_SAMPLE.decode(JSON.parse(line), "line").boot_ms ?? NaN);
      assertEquals(times, times.toSorted((one, other) => one - other));
    },
  });
  if (mounted.success) await new Deno.Command("umount", { args: [logs] }).output();
});

function startTicksOf(pid: number): number {
  return Number(Deno.readTextFileSync(`/proc/${pid}/stat`).split(") ").at(-1)?.split(" ")[19]);
}
