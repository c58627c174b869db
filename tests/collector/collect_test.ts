import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { isThere } from "../../trace/atomic_file.ts";
import { readRecordFile } from "../../trace/record_file.ts";
import {
  COLLECTOR_STATS,
  type CollectorStats,
  HOST_METRICS,
  INVOCATION_EVENT,
  NODE_META,
  PROCESS,
  RAW_SAMPLE,
  type RawSample,
} from "../../trace/records.ts";
import { RunDir } from "../../trace/run_dir.ts";
import { parsePidStat } from "../../trace/linux/pid_stat.ts";
import { type CommandProcess, type Ended, startCommand } from "../support/command_process.ts";
import { WRITABLE_HIERARCHIES } from "../support/test_cgroup.ts";
import { recordsIn } from "../support/records.ts";
import { waitFor } from "../support/wait_for.ts";
import { Child } from "./child.ts";
import { boundCommand } from "../support/bound_command.ts";

const TRACE = "e".repeat(32);

/** A collector at work on this machine, in a run directory of its own. */
class Running implements AsyncDisposable {
  readonly runDir: RunDir;
  readonly #logs: string;
  readonly #process: CommandProcess;

  private constructor(logs: string, flags: readonly string[]) {
    this.#logs = logs;
    this.runDir = RunDir.of(logs, "r1");
    const own = [
      "--run-id=r1",
      "--node-id=n1",
      `--logs=${logs}`,
      "--interval-ms=20",
      "--no-realtime",
    ];
    this.#process = startCommand(["collector", ...own, ...flags]);
  }

  /** Start it and wait until it has taken its first samples, or has ended. */
  static async start(...flags: string[]): Promise<Running> {
    const running = new Running(await Deno.makeTempDir({ prefix: "collect_" }), flags);
    let hasEnded = false;
    running.#process.ended.then(() => hasEnded = true);
    await waitFor({
      what: "the first samples",
      read: () => running.#process.said(),
      until: (said) => said.includes("proc sampler started") || hasEnded,
    });
    return running;
  }

  /** Its end. */
  get ended(): Promise<Ended> {
    return this.#process.ended;
  }

  /** Let `child` be sampled. */
  trace(child: Pick<Child, "pid" | "startTicks">, cgroup?: string): void {
    const sentinel = { trace_id: TRACE, start_ticks: child.startTicks, cgroup };
    const path = `${this.runDir.pids}/${child.pid}`;
    Deno.writeTextFileSync(`${path}.tmp`, JSON.stringify(sentinel));
    Deno.renameSync(`${path}.tmp`, path);
  }

  /** Wait until the samples are so. */
  async samplesUntil(what: string, until: (samples: RawSample[]) => boolean): Promise<RawSample[]> {
    return await waitFor({ what, read: () => this.samples(), until });
  }

  /** What is in the file now; the last line may be on its way. */
  samples(): Promise<RawSample[]> {
    return recordsIn(this.runDir.procMetrics, RAW_SAMPLE.decode);
  }

  /** Stop it and wait until everything is written. */
  async stop(): Promise<Ended> {
    this.#process.kill("SIGTERM");
    return await this.#process.ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process[Symbol.asyncDispose]();
    await Deno.remove(this.#logs, { recursive: true });
  }
}

/** CPU time that `samples` saw of each process, by its identity; fails when a counter goes back. */
function cpuMsByProcess(samples: readonly RawSample[]): Map<string, number> {
  const byProcess = new Map<string, number>();
  for (const { pid, start_ticks, cpu_ns } of samples) {
    const key = `${pid}@${start_ticks}`;
    const cpuMs = (cpu_ns ?? 0) / 1e6;
    assert(cpuMs >= (byProcess.get(key) ?? 0), `the CPU time of ${key} went back`);
    byProcess.set(key, cpuMs);
  }
  return byProcess;
}

Deno.test("collect() leaves node, samples, processes and its own account", async () => {
  await using running = await Running.start("--host");
  await using child = Child.start();
  running.trace(child);
  await running.samplesUntil("five samples", ({ length }) => length >= 5);
  await running.stop();
  const { runDir } = running;
  assertEquals((await readRecordFile(runDir.nodeMeta, NODE_META.decode))?.node_id, "n1");
  const samples = await running.samples();
  assertEquals(new Set(samples.map(({ pid, trace_id }) => `${pid} ${trace_id}`)).size, 1);
  assertEquals(samples[0]?.trace_id, TRACE);
  assert((samples[0]?.hwm_kb ?? 0) >= (samples[0]?.rss_kb ?? Infinity));
  const processes = await recordsIn(runDir.processes, PROCESS.decode);
  assertEquals(processes.map(({ pid }) => pid), [child.pid]);
  const stats = await recordsIn(runDir.collectorStats, COLLECTOR_STATS.decode);
  const total = (of: (line: CollectorStats) => number) =>
    stats.reduce((sum, line) => sum + of(line), 0);
  assertEquals(total((line) => line.samples), samples.length);
  assertEquals(total((line) => line.births_seen), 1);
  assert(total(({ cpu_ms }) => cpu_ms) > 0 && total(({ forks }) => forks ?? 0) >= 1);
  assert((await recordsIn(runDir.hostMetrics, HOST_METRICS.decode)).length >= 2);
});

Deno.test("collect() takes the last reading of a process that ended at its exact total", async () => {
  await using running = await Running.start();
  // The shell that burns is not waited for until the parent is told: until then it is a zombie.
  await using parent = Child.start(
    '(eval "$BURN"; exit 0) & echo $!; read line; wait; read line',
  );
  const burner = Number(await parent.nextLine());
  running.trace(parent);
  const samples = await running.samplesUntil(
    "the end of the burner",
    (all) => all.some(({ pid, rss_kb }) => pid === burner && rss_kb === null),
  );
  await parent.tell();
  await waitFor({
    what: "the parent to wait",
    read: () => Deno.readTextFileSync(`/proc/${parent.pid}/stat`).split(" "),
    until: (fields) => Number(fields[15]) + Number(fields[16]) > 0,
  }).then((fields) => {
    const waitedMs = (Number(fields[15]) + Number(fields[16])) * 10;
    const seenMs = (samples.findLast(({ pid }) => pid === burner)?.cpu_ns ?? 0) / 1e6;
    // cutime and cstime are cut to ticks of 10 ms each.
    assert(Math.abs(seenMs - waitedMs) <= 20, `seen ${seenMs} ms, waited for ${waitedMs} ms`);
  });
});

Deno.test("collect() reads a process when it ends, not at the next tick", async () => {
  await using running = await Running.start("--interval-ms=3600000");
  await using parent = Child.start(
    'read go; (eval "$BURN"; exec sleep 60) & echo $!; read line; wait',
  );
  await parent.tell();
  const burner = Number(await parent.nextLine());
  const stat = parsePidStat(Deno.readTextFileSync(`/proc/${burner}/stat`));
  running.trace({ pid: burner, startTicks: stat.startTicks });
  await running.samplesUntil("the first sample", ({ length }) => length === 1);
  Deno.kill(burner, "SIGKILL");
  const samples = await running.samplesUntil("the last one", ({ length }) => length >= 2);
  assertEquals(samples.map(({ pid }) => pid), [burner, burner]);
  assertEquals(samples[1]?.rss_kb, null, "it is a zombie by then");
  await parent.tell();
});

Deno.test("collect() follows children, grandchildren and each process once", async () => {
  await using running = await Running.start();
  await using child = Child.start(
    `sh -c '(eval "$BURN"; exec sleep 60) & eval "$BURN"; wait' & read line`,
  );
  running.trace(child);
  await running.samplesUntil(
    "three processes",
    (all) => new Set(all.map(({ pid }) => pid)).size === 3,
  );
  await child.tell();
  await running.stop();
  const samples = await running.samples();
  assertEquals(cpuMsByProcess(samples).size, 3);
  assert(samples.every(({ trace_id }) => trace_id === TRACE));
});

Deno.test("collect() sees one process through three execs, a change of name and SIGKILL", async () => {
  await using running = await Running.start();
  await using child = Child.start(
    `eval "$BURN"; exec sh -c 'eval "$BURN"; exec sh -c "printf renamed > /proc/self/comm; read line"'`,
  );
  running.trace(child);
  await waitFor({
    what: "the new name",
    read: () => Deno.readTextFileSync(`/proc/${child.pid}/comm`).trim(),
    until: (comm) => comm === "renamed",
  });
  const count = (await running.samples()).length;
  await running.samplesUntil("a sample after it", ({ length }) => length > count);
  Deno.kill(child.pid, "SIGKILL");
  await child.status;
  assertMatch(
    (await running.stop()).stderr,
    /^proc sampler started .*\nproc sampler stopped: \d+ samples\n$/,
  );
  assertEquals(cpuMsByProcess(await running.samples()).size, 1);
});

Deno.test("collect() follows a process that is re-parented, by the cgroup of its task", async (t) => {
  const cgroup = makeCgroup();
  await t.step({
    name: "double fork",
    ignore: cgroup === null,
    fn: async () => {
      await using running = await Running.start();
      await using child = Child.start(
        `echo $$ > ${cgroup}/cgroup.procs; read go; (setsid sleep 60 & echo $!); read line`,
      );
      running.trace(child, cgroup ?? undefined);
      await child.tell();
      const orphan = Number(await child.nextLine());
      await running.samplesUntil("the orphan", (all) => all.some(({ pid }) => pid === orphan));
      Deno.kill(orphan, "SIGKILL");
      await child.tell();
      await child.status;
      await running.stop();
      const sample = (await running.samples()).find(({ pid }) => pid === orphan);
      assertEquals(sample?.trace_id, TRACE);
    },
  });
  if (cgroup !== null) await removeCgroup(cgroup);
});

Deno.test("collect() keeps what it saw of many short processes, and counts all births", async () => {
  await using running = await Running.start();
  const pids: number[] = [];
  for (let round = 0; round < 5; round++) {
    await using children = new AsyncDisposableStack();
    const batch = Array.from({ length: 10 }, () => children.use(Child.start()));
    for (const child of batch) running.trace(child);
    pids.push(...batch.map(({ pid }) => pid));
    await running.samplesUntil("a sample of each", (all) => {
      const seen = new Set(all.map(({ pid }) => pid));
      return pids.every((pid) => seen.has(pid));
    });
    for (const { pid } of batch) Deno.removeSync(`${running.runDir.pids}/${pid}`);
  }
  await running.stop();
  const stats = await recordsIn(running.runDir.collectorStats, COLLECTOR_STATS.decode);
  assertEquals(stats.reduce((sum, { births_seen }) => sum + births_seen, 0), 50);
  assert(stats.reduce((sum, { forks }) => sum + (forks ?? 0), 0) >= 50);
  assertEquals(stats.at(-1)?.tracked, 0);
});

Deno.test("collect() in tree mode follows a process and what it starts", async () => {
  await using child = Child.start("read go; sleep 60 & echo $!; wait");
  await using running = await Running.start(`--tree=${child.pid}`);
  await child.tell();
  const grandchild = Number(await child.nextLine());
  const samples = await running.samplesUntil(
    "both",
    (all) => all.some(({ pid }) => pid === grandchild),
  );
  assertEquals(new Set(samples.map(({ pid }) => pid)), new Set([child.pid, grandchild]));
});

Deno.test("collect() in scan mode finds a process by the name that it gives itself", async () => {
  const comm = `t${Deno.pid}`;
  await using running = await Running.start("PROC_PID_DIR=", `PROC_MATCH=^${comm.toUpperCase()}$`);
  await using child = Child.start(`printf ${comm} > /proc/self/comm; read line`);
  const samples = await running.samplesUntil("a sample", ({ length }) => length > 0);
  const [{ pid, trace_id } = { pid: 0, trace_id: "" }] = samples;
  assertEquals(pid, child.pid);
  await running.stop();
  const events = await recordsIn(running.runDir.events("service"), INVOCATION_EVENT.decode);
  const own = events.filter((event) => event.trace_id === trace_id);
  assertEquals(own.map(({ event, profile }) => [event, profile]), [
    ["launch", comm],
    ["exit", comm],
  ]);
  const stats = await recordsIn(running.runDir.collectorStats, COLLECTOR_STATS.decode);
  const [forks, met] = (["forks", "births_met"] as const)
    .map((name) => stats.reduce((sum, line) => sum + (line[name] ?? NaN), 0));
  assert(met! >= 1 && met! <= forks!, `${met} of ${forks} births were met`);
});

Deno.test("collect() works in clock ticks where FFI is not wanted", async () => {
  await using running = await Running.start("--no-ffi");
  await using child = Child.start();
  running.trace(child);
  const [sample] = await running.samplesUntil("a sample", ({ length }) => length > 0);
  assertEquals([sample?.pid, sample?.cpu_ns, typeof sample?.utime], [child.pid, null, "number"]);
});

Deno.test("collect() continues when there are more processes than descriptors, and counts the rest", async () => {
  const logs = await Deno.makeTempDir({ prefix: "collect_" });
  await using child = Child.start("for i in $(seq 120); do sleep 60 & done; echo all; wait");
  await child.nextLine();
  const entry = fromFileUrl(new URL("../../tasks/collector.ts", import.meta.url));
  const collector = boundCommand("sh", {
    args: [
      ...["-c", 'ulimit -n 128; exec "$@"', "sh", Deno.execPath(), "run", "-A", "-q", entry],
      ...["--run-id=r1", "--node-id=n1", `--logs=${logs}`, `--tree=${child.pid}`],
    ],
    stdout: "null",
    stderr: "null",
  }).spawn();
  const { procMetrics, collectorStats } = RunDir.of(logs, "r1");
  await waitFor({
    what: "samples",
    read: async () => await isThere(procMetrics) && Deno.readTextFileSync(procMetrics),
    until: (text) => text !== false && text.length > 0,
  });
  collector.kill("SIGTERM");
  const { code } = await collector.status;
  const [stats] = await recordsIn(collectorStats, COLLECTOR_STATS.decode);
  await Deno.remove(logs, { recursive: true });
  assertEquals(code, 0);
  assert((stats?.tracked ?? 0) >= 40 && (stats?.denied ?? 0) >= 50, JSON.stringify(stats));
});

Deno.test("collect() writes the node and nothing more without PROC_SAMPLING", async () => {
  await using running = await Running.start("PROC_SAMPLING=0");
  assertEquals((await running.ended).code, 0);
  const names = await Array.fromAsync(Deno.readDir(running.runDir.path), ({ name }) => name);
  assertEquals(names.sort(), ["node_meta.json", "roles", "run_meta.collector.json"]);
});

for (
  const [flag, said] of [
    [`--tree=${2 ** 22 + 1}`, "it is gone"],
    ["--cgroup=/sys/fs/cgroup/none/such", 'cgroup "/sys/fs/cgroup/none/such": a directory'],
    ["--cpus=8000", "CPUs of this machine"],
  ] as const
) {
  Deno.test(`collect() refuses ${flag}, which is not there`, async () => {
    await using running = await Running.start(flag);
    const { code, stderr } = await running.ended;
    assertEquals([code, stderr.trim().split("\n").length], [1, 1], stderr);
    assertStringIncludes(stderr, said);
  });
}

/** A v2 cgroup to put processes into; null where this user cannot make one. */
function makeCgroup(): string | null {
  const unified = WRITABLE_HIERARCHIES.find(({ version }) => version === 2);
  if (unified === undefined) return null;
  return Deno.makeTempDirSync({ dir: unified.directory, prefix: "collect_test_" });
}

/** The kernel refuses while a zombie is in it. */
async function removeCgroup(path: string): Promise<void> {
  await waitFor({
    what: `${path} to be empty`,
    read: () => Deno.readTextFileSync(`${path}/cgroup.procs`),
    until: (procs) => procs === "",
  });
  Deno.removeSync(path);
}
