/** What CPU control does to real processes in real cgroups. */

import { join } from "@std/path";
import { assert, assertAlmostEquals, assertEquals, assertLess } from "@std/assert";
import type { Launch } from "../../../trace/launcher.ts";
import { readHierarchies } from "../../../adapter/place/cgroup_base.ts";
import { parseCpuStat } from "../../../adapter/place/cpu_stat.ts";
import { readPids } from "../../../adapter/place/group_files.ts";
import { parseCpuList } from "../../../trace/cpu_list.ts";
import { readRecords } from "../../../trace/json_lines.ts";
import { CPU_SHARE, type CpuShare } from "../../../trace/records.ts";
import { startAdapter } from "../../support/adapter_process.ts";
import { busyProcess } from "../../support/busy_process.ts";
import { CAN_LIMIT, coresWhileShielded, shieldAdapter } from "../../support/cpu_shield.ts";
import { waitFor } from "../../support/wait_for.ts";
import { leaveOut } from "../../support/left_out.ts";

/** The window over which shares are measured, s: forty periods of the quota. */
const WINDOW_S = 4;
/** How far a share may be from theory. */
const TOLERANCE = 0.03;

/** A task with as many busy loops as it has vCPUs. */
function busy(units: number): { readonly argv: string[]; readonly cpu_units: number } {
  const script =
    `n=0; while [ $n -lt ${units} ]; do (while :; do :; done) & n=$((n+1)); done; wait`;
  return { argv: ["sh", "-c", script], cpu_units: units };
}

/** The task's own cgroup; systemd moves a task there a moment after its start. */
async function cgroupOf(launch: Launch): Promise<string> {
  const started = await launch.started;
  return await waitFor({
    what: "the task's cgroup",
    read: () =>
      readHierarchies(started?.pid).find(({ version }) => version === 2)?.ownDirectory ?? "",
    until: (directory) => directory.includes("/tracekit-"),
  });
}

function cpuMs(cgroup: string): number {
  const { userMs, systemMs } = parseCpuStat(Deno.readTextFileSync(join(cgroup, "cpu.stat")));
  return (userMs ?? 0) + (systemMs ?? 0);
}

/**
 * What of the machine we must have: quotas bound each task from above, so that what others take is missing
 * from one task alone. With a hundredth of two cores gone, the smallest share still is within the
 * tolerance; with more, nothing can be said.
 */
const OURS = 0.99;

/** Cores that each of these tasks uses while all of them run. */
async function coresUsed(units: readonly number[]): Promise<number[]> {
  await using adapter = await startAdapter({ cpu_binding: "shared", cpus: "0-1" });
  const launches = units.map((one) => adapter.client.launch(adapter.task(busy(one))));
  const cgroups = await Promise.all(launches.map(cgroupOf));
  return await coresWhileShielded({ adapterPid: adapter.pid, cgroups, seconds: WINDOW_S });
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

Deno.test.each<[number[], number[]]>([
  // What is due to each of two cores: the small ones first, the rest to the large one.
  [[1, 4], [1, 1]],
  [[1, 1, 4], [2 / 3, 2 / 3, 2 / 3]],
])("the adapter shares two cores among busy tasks of %j vCPUs as %j", async (units, theory) => {
  if (!CAN_LIMIT || navigator.hardwareConcurrency < 2) return;
  const used = await coresUsed(units);
  const total = sumOf(used);
  const said = `${used.map((cores) => cores.toFixed(3))} of ${total.toFixed(3)} cores`;
  if (total < 2 * OURS) {
    leaveOut(`shares of two cores: others have the machine (${said})`);
    return;
  }
  for (const [index, cores] of used.entries()) {
    const due = theory[index] ?? 0;
    // Of what the rest of the machine leaves: it cannot be kept out entirely.
    assertAlmostEquals(cores / total / (due / 2), 1, TOLERANCE, said);
    assertLess(cores, due * (1 + TOLERANCE), said);
  }
});

/** CPU time after which shares are judged, per task, ms: the kernel switches every 3 to 8. */
const ENOUGH_MS = 1000;

// On one core the kernel keeps the weights of neighbours whatever they get together: theory is of that.
// Somebody else is on the core in any case, so that quotas alone would not make it come out right.
Deno.test.each<[number[]]>([[[1, 4]], [[1, 1, 4]]])(
  "the adapter shares what others leave of a core evenly among busy tasks of %j vCPUs",
  async (units) => {
    if (!CAN_LIMIT) return;
    await using _other = busyProcess("taskset -pc 0 $$; while :; do :; done");
    await using adapter = await startAdapter({ cpu_binding: "shared", cpus: "0" });
    const launches = units.map((one) => adapter.client.launch(adapter.task(busy(one))));
    const cgroups = await Promise.all(launches.map(cgroupOf));
    const before = await waitFor({
      what: "all to be at it",
      read: () => cgroups.map(cpuMs),
      until: (used) => used.every((one) => one > ENOUGH_MS / 10),
      limitMs: 120_000,
    });
    const used = await waitFor({
      what: "enough CPU time",
      read: () => cgroups.map((cgroup, index) => cpuMs(cgroup) - (before[index] ?? 0)),
      until: (used) => sumOf(used) > ENOUGH_MS * units.length,
      limitMs: 120_000,
    });
    for (const one of used) {
      assertAlmostEquals(one / sumOf(used) * units.length, 1, TOLERANCE, `${used}`);
    }
  },
);

Deno.test({
  name: "the adapter holds a task to its own quota, and records the time that it was held back",
  ignore: !CAN_LIMIT,
  fn: async () => {
    await using adapter = await startAdapter();
    const task = adapter.task({ ...busy(1), cpu_quota: 30, timeout_s: 3 });
    const launch = adapter.client.launch(task);
    await launch.started;
    shieldAdapter(adapter.pid);
    const outcome = await launch.outcome;
    assert(outcome.kind === "exited");
    const { event } = outcome;
    const wallMs = (event.boot_end_ms ?? 0) - (event.boot_start_ms ?? 0);
    const usedMs = (event.user_ms ?? 0) + (event.system_ms ?? 0);
    // One period of 100 ms may be counted from its start.
    assertLess(usedMs, 0.3 * (wallMs + 100) * (1 + TOLERANCE));
    // systemd may have removed the scope before its throttling could be read.
    if (!adapter.client.ready.cpu_control.startsWith("cgroup")) return;
    // Who uses up its quota was held back; others may hold it up before its quota does.
    assert((event.throttled_ms ?? 0) > 0 || usedMs < 0.29 * wallMs, Deno.inspect(event));
  },
});

Deno.test({
  name: "the adapter keeps every thread on the task's cores, also when it tries to leave",
  ignore: !CAN_LIMIT || navigator.hardwareConcurrency < 2,
  fn: async () => {
    await using adapter = await startAdapter({ allowed_commands: ["sh", "taskset"] });
    // Affinity alone can be left, and the adapter says so.
    if (!adapter.client.ready.cpu_control.startsWith("cgroup")) return;
    const escape = `taskset -pc 0-${navigator.hardwareConcurrency - 1} $$ >&2; ${busy(3).argv[2]}`;
    const argv = ["sh", "-c", escape];
    const launch = adapter.client.launch(adapter.task({ argv, cpu_units: 1 }));
    const cgroup = await cgroupOf(launch);
    const started = await launch.started;
    const allowed = parseCpuList(started?.cpuset ?? "");
    assertEquals(allowed.length, 1);
    const seen = new Set<string>();
    for (let look = 0; look < 100 || seen.size < 4; look++) {
      assert(look < 5000, `${seen.size} threads seen of 4`);
      for (const pid of readPids(cgroup)) {
        for (const [thread, list] of threadsOf(pid)) {
          seen.add(thread);
          assert(parseCpuList(list).every((cpu) => allowed.includes(cpu)), `${thread}: ${list}`);
        }
      }
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    launch.stop({ reason: "seen enough", graceMs: 0 });
    await launch.outcome;
  },
});

/** Threads of a process and where each may run now. */
function threadsOf(pid: number): [string, string][] {
  try {
    return [...Deno.readDirSync(`/proc/${pid}/task`)].map(({ name }) => {
      const status = Deno.readTextFileSync(`/proc/${pid}/task/${name}/status`);
      return [name, /^Cpus_allowed_list:\s+(\S+)$/m.exec(status)?.[1] ?? ""];
    });
  } catch (error) {
    // It ended during the check.
    if (error instanceof Deno.errors.NotFound || /os error 3/.test(String(error))) return [];
    throw error;
  }
}

Deno.test({
  name: "the adapter writes down quota and weight whenever they change",
  ignore: !CAN_LIMIT,
  fn: async () => {
    await using adapter = await startAdapter({ cpu_binding: "shared", cpus: "0" });
    const first = adapter.client.launch(adapter.task({ argv: ["sleep", "60"] }));
    await first.started;
    const second = adapter.client.launch(adapter.task({ argv: ["sleep", "60"] }));
    const options = { decode: CPU_SHARE.decode, onBadLine: () => {} };
    const linesWhen = (what: string, count: number): Promise<CpuShare[]> =>
      waitFor({
        what,
        read: () => Array.fromAsync(readRecords(adapter.runDir.shares, options)),
        until: ({ length }) => length === count,
      });
    await linesWhen("the first task to share with the second", 3);
    second.stop({ reason: "enough", graceMs: 1000 });
    await second.outcome;
    const lines = await linesWhen("the first task to get its share back", 4);
    assertEquals(
      lines.map(({ task_id, quota_percent, weight, cpus }) =>
        `${task_id} ${quota_percent} ${weight} ${cpus}`
      ),
      ["t1 100 100 0", "t2 50 100 0", "t1 50 100 0", "t1 100 100 0"],
    );
    first.stop({ reason: "enough", graceMs: 1000 });
    await first.outcome;
  },
});
