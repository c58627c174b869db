import { join } from "@std/path";
import {
  assert,
  assertEquals,
  assertGreater,
  assertLess,
  assertMatch,
  assertRejects,
} from "@std/assert";
import { AdapterStartError } from "../../adapter/client.ts";
import { readProcessStat } from "../../trace/linux/processes.ts";
import { isThere } from "../../trace/atomic_file.ts";
import { SENTINEL } from "../../trace/records.ts";
import { startAdapter } from "../support/adapter_process.ts";
import { cgroupsOfAdapter } from "../support/cgroup_folders.ts";
import { waitFor } from "../support/wait_for.ts";
import { CAN_GROUP } from "../support/test_cgroup.ts";

/** Burns CPU time in the shell itself: about 0.1 s on any machine of today. */
const BURN = "i=0; while [ $i -lt 60000 ]; do i=$((i+1)); done";

function isRunning(pid: number): boolean {
  const stat = readProcessStat(pid);
  return stat !== null && stat.state !== "Z";
}

Deno.test("the adapter records a launch, then the exit with its status and last lines", async () => {
  await using adapter = await startAdapter();
  const argv = ["sh", "-c", "echo out; echo bad >&2; exit 3"];
  const outcome = await adapter.run({ argv, cpu_units: 1 });
  assert(outcome.kind === "exited" && !outcome.isDone);
  const { status, signal, stderr_tail, module_id, path, attempt } = outcome.event;
  assertEquals([status, signal, module_id, path, attempt], [3, null, "command", "sh", 1]);
  assertEquals(stderr_tail, "out\nbad");
  const [launch, exit, ...more] = await adapter.events("command");
  assertEquals([launch?.event, exit?.event, more.length], ["launch", "exit", 0]);
  assertEquals(launch?.span_id, exit?.span_id);
  assertEquals(exit, outcome.event);
});

Deno.test("the adapter keeps a sentinel while the process runs", async () => {
  await using adapter = await startAdapter();
  const launch = adapter.client.launch(adapter.task({ argv: ["sleep", "60"] }));
  const started = await launch.started;
  assert(started !== null);
  const path = join(adapter.runDir.pids, String(started.pid));
  const sentinel = SENTINEL.decode(JSON.parse(await Deno.readTextFile(path)), path);
  assertEquals(sentinel.trace_id, started.trace_id);
  assertEquals(sentinel.start_ticks, readProcessStat(started.pid)?.startTicks);
  assertEquals(sentinel.comm, "sleep");
  if (sentinel.cgroup !== null) {
    const members = await Deno.readTextFile(join(sentinel.cgroup, "cgroup.procs"));
    assertEquals(members.trim(), String(started.pid));
  }
  launch.stop({ reason: "enough", graceMs: 1000 });
  const outcome = await launch.outcome;
  assert(outcome.kind === "exited");
  assertEquals([outcome.event.signal, outcome.event.reason], ["SIGTERM", "enough"]);
  assertEquals(await isThere(path), false);
});

Deno.test("the adapter refuses what is not allowed, and says so in an event", async () => {
  await using adapter = await startAdapter();
  const outcome = await adapter.run({ argv: ["reboot"] });
  assert(outcome.kind === "refused");
  assertMatch(outcome.reason, /command "reboot" is not allowed on this node \(allowed: sh, /);
  const [refused, ...more] = await adapter.events("command");
  assertEquals([refused?.event, refused?.reason, more.length], ["refused", outcome.reason, 0]);
});

Deno.test("the adapter gives a task its identity and no variable of its own caller", async () => {
  await using adapter = await startAdapter();
  await adapter.run({
    argv: ["sh", "-c", "env >env.txt"],
    env: { OWN: "1" },
    outputs: ["env.txt"],
  });
  const text = await Deno.readTextFile(join(adapter.root, "outputs/env.txt"));
  const names = text.split("\n").map((line) => line.split("=")[0]);
  const known = ["HOME", "LANG", "LC_ALL", "LOGNAME", "PATH", "PWD", "TMPDIR", "TZ", "USER", ""];
  const own = ["NODE_ID", "OWN", "RUN_ID", "TASK_ID", "TRACEPARENT"];
  assertEquals(names.filter((name) => !known.includes(name ?? "")).sort(), own);
  const [event] = await adapter.events("command");
  assertMatch(text, new RegExp(`TRACEPARENT=00-${event?.trace_id}-${event?.span_id}-`));
});

Deno.test("the adapter gives a task three files and a session of its own", async () => {
  await using adapter = await startAdapter();
  const script = "ls -l /proc/$$/fd; echo $$ $(cut -d' ' -f6 /proc/$$/stat)";
  await adapter.exitOf({ argv: ["sh", "-c", script] });
  const log = join(adapter.runDir.taskLogs, "t1.1.log");
  const lines = (await Deno.readTextFile(log)).trim().split("\n");
  const files = lines.map((line) => /\d+ -> .*$/.exec(line)?.[0]).filter((file) => file);
  assertEquals(files, ["0 -> /dev/null", `1 -> ${log}`, `2 -> ${log}`]);
  const [pid, session] = lines.at(-1)?.split(" ") ?? [];
  assertEquals(pid, session);
});

Deno.test("the adapter accepts outputs that are there, and fails a task that left none", async () => {
  await using adapter = await startAdapter();
  const made = await adapter.run({ argv: ["sh", "-c", "echo 12345 >o"], outputs: ["o"] });
  assert(made.kind === "exited" && made.isDone);
  assertEquals(made.event.bytes_out, 6);
  const missing = await adapter.run({ argv: ["true"], outputs: ["absent"] });
  assert(missing.kind === "exited" && !missing.isDone);
  assertEquals(missing.event.status, 0);
  assertMatch(missing.event.reason ?? "", /did not leave its output/);
});

Deno.test("the adapter ends a task at its timeout", async () => {
  await using adapter = await startAdapter();
  const event = await adapter.exitOf({ argv: ["sleep", "300"], timeout_s: 0.2 });
  assertEquals([event.reason, event.signal], ["timeout: it ran for 0.2 s", "SIGTERM"]);
  assertGreater((event.boot_end_ms ?? 0) - (event.boot_start_ms ?? 0), 200);
});

Deno.test("the adapter ends the whole tree, also what ignores SIGTERM", async () => {
  await using adapter = await startAdapter();
  const argv = ["sh", "-c", "trap '' TERM; sleep 300 & echo $! >pid; sleep 300; sleep 300"];
  const launch = adapter.client.launch(adapter.task({ argv }));
  // Only a shell that has come so far ignores the signal.
  const pid = await waitFor({
    what: "the shell to ignore SIGTERM",
    read: () => Deno.readTextFile(join(adapter.root, "outputs/pid")).catch(emptyWhenAbsent),
    until: (text) => text.endsWith("\n"),
  });
  launch.stop({ reason: "enough", graceMs: 100 });
  const outcome = await launch.outcome;
  assert(outcome.kind === "exited");
  assertEquals(outcome.event.signal, "SIGKILL");
  assertEquals(isRunning(Number(pid)), false);
});

function emptyWhenAbsent(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "";
  throw error;
}

const FORKED_AWAY = "the adapter counts a job's work that is forked away, and waits for it";

Deno.test(FORKED_AWAY, { ignore: !CAN_GROUP }, async () => {
  await using adapter = await startAdapter();
  // The grandchild leaves the session, and its parents are gone at once.
  const argv = ["sh", "-c", `(setsid sh -c '${BURN}; ${BURN}; echo done >late' &) ; exit 0`];
  const outcome = await adapter.run({ argv, outputs: ["late"] });
  assert(outcome.kind === "exited" && outcome.isDone, Deno.inspect(outcome));
  const { user_ms, system_ms, cpu_source, boot_start_ms, boot_end_ms } = outcome.event;
  const wallMs = (boot_end_ms ?? 0) - (boot_start_ms ?? 0);
  assertMatch(cpu_source ?? "", /^cgroup/);
  assertGreater((user_ms ?? 0) + (system_ms ?? 0), 50);
  assertLess((user_ms ?? 0) + (system_ms ?? 0), wallMs * navigator.hardwareConcurrency);
});

Deno.test("the adapter's totals agree with what the task itself counts", async () => {
  await using adapter = await startAdapter();
  const forks = `for n in 1 2 3; do sh -c '${BURN}'; done; exec sh -c 'cat /proc/$$/stat >stat'`;
  const event = await adapter.exitOf({ argv: ["sh", "-c", forks], outputs: ["stat"] });
  const stat = await Deno.readTextFile(join(adapter.root, "outputs/stat"));
  const [utime = 0, stime = 0, cutime = 0, cstime = 0] = stat.slice(stat.lastIndexOf(")") + 2)
    .split(" ").slice(11, 15).map(Number);
  const countedMs = (utime + stime + cutime + cstime) * 10;
  const totalMs = (event.user_ms ?? 0) + (event.system_ms ?? 0);
  // The task reads itself a little before its end, in steps of 10 ms for each of four numbers; the rest
  // is what a cold machine needs to start and end `cat`. Children counted twice would be as much again.
  assertGreater(totalMs, countedMs - 10);
  assertLess(totalMs, 1.5 * countedMs + 40);
});

Deno.test("the adapter binds every thread and child to the task's cores", async () => {
  await using adapter = await startAdapter();
  const script = "cat /proc/$$/task/*/status | grep Cpus_allowed_list >a; " +
    "sh -c 'grep Cpus_allowed_list /proc/self/status' >>a";
  const event = await adapter.exitOf({ argv: ["sh", "-c", script], cpu_units: 1, outputs: ["a"] });
  assertMatch(event.cpuset ?? "", /^\d+$/);
  assertEquals([event.cpu_binding, event.is_cpuset_shared], ["exclusive", false]);
  const lists = (await Deno.readTextFile(join(adapter.root, "outputs/a"))).trim().split("\n")
    .map((line) => line.split(/\s+/).at(-1));
  assertEquals(lists, [event.cpuset ?? undefined, event.cpuset ?? undefined]);
});

Deno.test("the adapter says when tasks have to share their cores", async () => {
  await using adapter = await startAdapter();
  const units = navigator.hardwareConcurrency;
  const argv = ["sh", "-c", "until [ -e go ]; do sleep 0.01; done"];
  const launches = [1, 2].map(() =>
    adapter.client.launch(adapter.task({ argv, cpu_units: units }))
  );
  await Promise.all(launches.map(({ started }) => started));
  await Deno.writeTextFile(join(adapter.root, "outputs/go"), "");
  for (const { outcome } of launches) {
    const ended = await outcome;
    assert(ended.kind === "exited");
    assertEquals(ended.event.is_cpuset_shared, true);
  }
});

Deno.test("the adapter ends its tasks when its worker is gone, and leaves no cgroup", async () => {
  const adapter = await startAdapter();
  const launch = adapter.client.launch(adapter.task({ argv: ["sleep", "300"] }));
  const started = await launch.started;
  await adapter[Symbol.asyncDispose]();
  assert(started !== null);
  assertEquals(await launch.outcome, { kind: "lost", reason: "the worker closed its stream" });
  assertEquals(isRunning(started.pid), false);
  assertEquals(cgroupsOfAdapter(adapter.pid), []);
});

Deno.test("the adapter refuses CPUs that the machine does not have, in one line", async () => {
  await assertRejects(
    () => startAdapter({ cpus: "4000" }),
    AdapterStartError,
    "Cannot start tasks: Cannot use CPUs 4000: this machine allows 0-",
  );
});

Deno.test("the adapter reads both clocks for its worker", async () => {
  await using adapter = await startAdapter();
  const { client } = adapter;
  const before = Date.now();
  const clocks = await client.readClocks();
  assert(clocks !== null);
  // Date.now() cuts the fraction of a millisecond off.
  assert(clocks.ts_ms >= before && clocks.ts_ms < Date.now() + 1);
  const uptimeMs = parseFloat(await Deno.readTextFile("/proc/uptime")) * 1000;
  assert(clocks.boot_ms > 0 && clocks.boot_ms <= uptimeMs + 10, "before the uptime read after it");
  await client.close();
  assertEquals(await client.readClocks(), null);
});
