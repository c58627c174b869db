/**
 * Exit totals against what the task itself reads of its own files in /proc and in its cgroup just before its
 * end: another interface of the kernel than the ones that the adapter asks.
 */

import { assert, assertAlmostEquals, assertEquals, assertGreaterOrEqual } from "@std/assert";
import { join } from "@std/path";
import { readHierarchies } from "../../adapter/place/cgroup_base.ts";
import { CODE_ARCHITECTURE } from "../../adapter/start/machine_code.ts";
import type { InvocationEvent } from "../../trace/records.ts";
import { startAdapter } from "../support/adapter_process.ts";

/** Five children that touch fresh memory, write to the disk, and wait; then the task looks at itself. */
const WORK = [
  "for n in 1 2 3 4 5; do",
  "  dd if=/dev/zero of=data bs=1M count=2 conv=fsync 2>/dev/null;",
  "  sleep 0.01;",
  "  i=0; while [ $i -lt 30000 ]; do i=$((i+1)); done;",
  "done;",
].join("\n");

/** `what /proc/PID/FILE` of the task itself; the shell has waited for its five children by then. */
const LOOK = "cat /proc/$$/stat /proc/$$/status /proc/$$/io";

interface Own {
  readonly cpuMs: number;
  readonly minorFaults: number;
  readonly majorFaults: number;
  readonly voluntarySwitches: number;
  readonly involuntarySwitches: number;
  readonly readBlocks: number;
  readonly writtenBlocks: number;
}

/** What the task printed: its own counters with those of the children that it waited for. */
function parseOwn(text: string): Own {
  const stat = text.slice(0, text.indexOf("\n"));
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ").map(Number);
  const sum = (...indices: number[]): number =>
    indices.reduce((total, index) => total + (fields[index] ?? NaN), 0);
  const value = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(text)?.[1]);
  return {
    // utime, stime, cutime and cstime in ticks of 10 ms.
    cpuMs: sum(11, 12, 13, 14) * 10,
    minorFaults: sum(7, 8),
    majorFaults: sum(9, 10),
    voluntarySwitches: value("voluntary_ctxt_switches"),
    involuntarySwitches: value("nonvoluntary_ctxt_switches"),
    readBlocks: value("read_bytes") / 512,
    writtenBlocks: value("write_bytes") / 512,
  };
}

async function run(
  script: string,
  fields: Parameters<typeof startAdapter>[0] & { readonly quota?: number } = {},
): Promise<{ readonly event: InvocationEvent; readonly printed: string }> {
  const { quota = null, ...options } = fields;
  await using adapter = await startAdapter(options);
  const task = adapter.task({
    argv: ["sh", "-c", script],
    ...(quota === null ? {} : { cpu_quota: quota }),
  });
  const outcome = await adapter.client.launch(task).outcome;
  assert(outcome.kind === "exited", Deno.inspect(outcome));
  assertEquals(outcome.event.status, 0);
  const log = join(adapter.runDir.taskLogs, `${task.task_id}.1.log`);
  return { event: outcome.event, printed: await Deno.readTextFile(log) };
}

Deno.test({
  name: "exit totals are what the task reads of itself in /proc, and what its last child used",
  ignore: Deno.build.target !== CODE_ARCHITECTURE,
  fn: async () => {
    const { event, printed } = await run(`${WORK}\n${LOOK}`);
    const own = parseOwn(printed);
    assertEquals(event.counters_source, "rusage");
    assert(event.cpu_source === "cgroup_v2" || event.cpu_source === "rusage", event.cpu_source!);
    // Behind the task's own look come only `cat` itself and the exit: a millisecond, some hundred
    // faults, one page of output. Each of four tick counts hides up to a tick.
    const cpuMs = (event.user_ms ?? NaN) + (event.system_ms ?? NaN);
    assertGreaterOrEqual(cpuMs, own.cpuMs);
    assertAlmostEquals(cpuMs, own.cpuMs + 20, 80);
    const within = (total: number | null, seen: number, slack: number, what: string): void => {
      assertGreaterOrEqual(total ?? NaN, seen, what);
      assertGreaterOrEqual(seen + slack, total ?? NaN, what);
    };
    within(event.minor_faults, own.minorFaults, 5000, "minor faults");
    within(event.major_faults, own.majorFaults, 500, "major faults");
    within(event.written_blocks, own.writtenBlocks, 1024, "blocks written");
    within(event.read_blocks, own.readBlocks, 100_000, "blocks read");
    // /proc has the switches of the shell alone; each child that sleeps switches once at least.
    assertGreaterOrEqual(event.voluntary_switches ?? NaN, own.voluntarySwitches + 5);
    assertGreaterOrEqual(event.involuntary_switches ?? NaN, own.involuntarySwitches);
  },
});

/** The hierarchy that has the controller `cpu`, where this user can use it. */
const CPU = readHierarchies().find(({ version, controllers }) =>
  version === 1 && controllers.includes("cpu")
);

Deno.test({
  name: "throttled time and peak memory are what the task reads in its own cgroups",
  ignore: Deno.uid() !== 0 || CPU === undefined,
  fn: async () => {
    const look = [
      "set -e",
      `group() { sed -n "s/^[0-9]*:[a-z,]*\\b$1\\b[a-z,]*://p" /proc/self/cgroup; }`,
      `cat "${CPU?.mountPoint}$(group cpu)/cpu.stat"`,
    ].join("\n");
    // Tens of milliseconds of work: however little a loaded machine gives, it is more than 4 ms in 100.
    const burn = "i=0; while [ $i -lt 60000 ]; do i=$((i+1)); done";
    const { event, printed } = await run(`${burn}\n${look}`, {
      cpu_binding: "shared",
      cpu_control: "cgroup",
      quota: 4,
    });
    const seenMs = Number(/^throttled_time (\d+)$/m.exec(printed)?.[1]) / 1e6;
    assertEquals([event.throttled_source, event.memory_peak_source], ["cgroup_v1", "cgroup_v1"]);
    assert(seenMs > 0, `it was not throttled:\n${printed}`);
    assertGreaterOrEqual(event.throttled_ms ?? NaN, seenMs);
    assertGreaterOrEqual(event.memory_peak_kb ?? NaN, 100);
  },
});
