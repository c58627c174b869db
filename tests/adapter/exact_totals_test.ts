/** The totals of many short and awkward tasks against what the kernel counted above them. */

import { join } from "@std/path";
import { assert, assertEquals, assertLess, assertMatch } from "@std/assert";
import { readHierarchies } from "../../adapter/place/cgroup_base.ts";
import { parseCpuStat } from "../../adapter/place/cpu_stat.ts";
import { startAdapter, type TestAdapter } from "../support/adapter_process.ts";
import { cgroupsOfAdapter } from "../support/cgroup_folders.ts";
import { WRITABLE_HIERARCHIES } from "../support/test_cgroup.ts";
import { has } from "../support/left_out.ts";

const HAS_UNIFIED = has({
  "a writable cgroup v2 hierarchy": WRITABLE_HIERARCHIES.some(({ version }) => version === 2),
});

/** Burns a few milliseconds in the shell itself. */
const BURN = "i=0; while [ $i -lt 3000 ]; do i=$((i+1)); done";

/** Jobs that have fooled others: each with the status that it must end with. */
const JOBS: readonly (readonly [name: string, script: string, status: number])[] = [
  ["a short job", BURN, 0],
  ["one that forks five children", `for n in 1 2 3 4 5; do (${BURN}) & done; wait`, 0],
  ["one that does not wait for its child", `(${BURN}) & exit 0`, 0],
  ["one that forks twice, into a session of its own", `(setsid sh -c '${BURN}' &); exit 0`, 0],
  ["one that executes three times", `exec sh -c "exec sh -c 'exec sh -c \\"${BURN}\\"'"`, 0],
  ["one that renames itself", `printf renamed >/proc/$$/comm; ${BURN}`, 0],
  ["one that kills itself", `${BURN}; kill -KILL $$`, 137],
  ["one whose child is killed", `sh -c '${BURN}; kill -KILL $$'; ${BURN}; exit 3`, 3],
];

/** CPU time of all tasks that this adapter ever had, as the kernel counts it for the group above them. */
function cpuAbove(adapter: TestAdapter): number {
  const unified = readHierarchies().find(({ version }) => version === 2)?.ownDirectory ?? "";
  const directory = cgroupsOfAdapter(adapter.pid).find((one) => one.startsWith(unified));
  const text = Deno.readTextFileSync(join(directory ?? "", "cpu.stat"));
  const { userMs, systemMs } = parseCpuStat(text);
  return (userMs ?? 0) + (systemMs ?? 0);
}

Deno.test({
  name: "the totals of awkward jobs add up to what the kernel counted above them",
  ignore: !HAS_UNIFIED,
  fn: async () => {
    await using adapter = await startAdapter();
    const rounds = Array.from({ length: 12 }, () => JOBS).flat();
    const launches = rounds.map(([name, script, status]) => ({
      name,
      status,
      outcome: adapter.run({ argv: ["sh", "-c", script] }),
    }));
    let sumMs = 0;
    for (const { name, status, outcome } of launches) {
      const ended = await outcome;
      assert(ended.kind === "exited", name);
      assertEquals(ended.event.status, status, name);
      assertEquals(ended.event.cpu_source, "cgroup_v2", name);
      const { user_ms, system_ms, boot_start_ms, boot_end_ms } = ended.event;
      const cpuMs = (user_ms ?? 0) + (system_ms ?? 0);
      const wallMs = (boot_end_ms ?? 0) - (boot_start_ms ?? 0);
      assertLess(cpuMs, wallMs * navigator.hardwareConcurrency + 1, name);
      sumMs += cpuMs;
    }
    // Scopes are not below the adapter's own group.
    if (adapter.client.ready.cpu_control === "systemd") return;
    // Each of the two numbers of each task is cut to whole microseconds.
    assertLess(Math.abs(cpuAbove(adapter) - sumMs), rounds.length * 0.002);
  },
});

Deno.test("a job leaves a line before its start and one after its end, whatever it does", async () => {
  await using adapter = await startAdapter();
  await Promise.all(JOBS.map(([, script]) => adapter.run({ argv: ["sh", "-c", script] })));
  const events = await adapter.events("command");
  const spans = Map.groupBy(events, ({ span_id }) => span_id);
  assertEquals(spans.size, JOBS.length);
  for (const lines of spans.values()) {
    assertEquals(lines.map(({ event }) => event), ["launch", "exit"]);
  }
});

Deno.test("a task's peak memory is its own, not the adapter's", async () => {
  await using adapter = await startAdapter();
  // The adapter has tens of megabytes when it starts a task; sleep has two.
  const event = await adapter.exitOf({ argv: ["sleep", "0.2"] });
  assertEquals(event.max_rss_source, "vmhwm");
  assertLess(event.max_rss_kb ?? Infinity, 20_000);
});

Deno.test("a task's peak memory is known exactly where it is above the adapter's", async () => {
  await using adapter = await startAdapter({ allowed_commands: ["sh", "dd"] });
  const bytes = 300 * 1024 * 1024;
  const argv = ["dd", "if=/dev/zero", "of=/dev/null", `bs=${bytes}`, "count=1"];
  const event = await adapter.exitOf({ argv });
  assertEquals(event.max_rss_source, "rusage");
  assertLess(Math.abs((event.max_rss_kb ?? 0) - bytes / 1024), 10_000);
  assertMatch(String(event.minor_faults), /^\d+$/);
});
