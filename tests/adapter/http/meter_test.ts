import { assert, assertEquals, assertThrows } from "@std/assert";
import { join } from "@std/path";
import { CgroupMeter, type CpuMeter, MeterError } from "../../../adapter/http/cpu_meter.ts";
import { readProcessStat } from "../../../trace/linux/processes.ts";
import { TreeMeter } from "../../../adapter/http/tree_meter.ts";
import { busyProcess } from "../../support/busy_process.ts";
import { tempFolder } from "../../support/temp_folder.ts";
import { testCgroup, WRITABLE_HIERARCHIES } from "../../support/test_cgroup.ts";
import { waitFor } from "../../support/wait_for.ts";

/** Wait until `meter` shows at least `ms` more than now. */
async function used(meter: CpuMeter, ms: number): Promise<void> {
  const start = meter.readNs() ?? NaN;
  await waitFor({
    what: `${ms} ms of CPU time`,
    read: () => {
      meter.refresh();
      return ((meter.readNs() ?? NaN) - start) / 1e6;
    },
    until: (grown) => grown >= ms,
  });
}

const TICK_MS = 10;

/** utime and stime are each cut to whole ticks, and a group learns of a running process at the next one. */
const STEP_MS = 3 * TICK_MS;

/** CPU time of a process by proc_pid_stat(5), ms. */
function statMs(pid: number): number {
  const fields = Deno.readTextFileSync(`/proc/${pid}/stat`).split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

Deno.test.each([...WRITABLE_HIERARCHIES])("CgroupMeter reads a cgroup v$version", async (one) => {
  await using group = testCgroup(one);
  {
    await using busy = busyProcess();
    // What it uses outside of the group is between nothing and what is there once it is inside.
    group.add(busy.pid);
    const outsideMs = statMs(busy.pid);
    using meter = new CgroupMeter(group.directory);
    assertEquals(meter.source, one.version === 2 ? "cgroup_v2" : "cgroup_v1");
    await used(meter, 200);
    const beforeMs = (meter.readNs() ?? NaN) / 1e6;
    const countedMs = statMs(busy.pid);
    const afterMs = (meter.readNs() ?? NaN) / 1e6;
    const said = `${countedMs} ms counted, ${outsideMs} outside, ${beforeMs} to ${afterMs} read`;
    assert(beforeMs <= countedMs + STEP_MS && countedMs - outsideMs <= afterMs + STEP_MS, said);
  }
  using meter = new CgroupMeter(group.directory);
  await group.remove();
  assertEquals(meter.readNs(), null);
});

Deno.test("CgroupMeter refuses a directory that is no cgroup", async () => {
  await using folder = await tempFolder();
  assertThrows(() => new CgroupMeter(folder.path), MeterError, folder.path);
});

Deno.test("TreeMeter reads a process and its descendants", async () => {
  // The shell itself only waits: what is used is used by its grandchild.
  await using busy = busyProcess("sh -c 'while :; do :; done & wait' & wait");
  using meter = new TreeMeter(busy.pid);
  await used(meter, 100);
  assertEquals(meter.pids.length, 3);
});

Deno.test("TreeMeter keeps what a descendant had used that is gone", async () => {
  await using folder = await tempFolder();
  const seen = join(folder.path, "seen");
  await using busy = busyProcess(`sh -c 'until [ -e ${seen} ]; do :; done'; sleep 60`);
  using meter = new TreeMeter(busy.pid);
  await used(meter, 50);
  await Deno.writeTextFile(seen, "");
  let last = 0;
  await waitFor({
    what: "another child in its place",
    read: () => {
      meter.refresh();
      const total = meter.readNs() ?? NaN;
      assertEquals(total >= last, true, "the total went back");
      last = total;
      return meter.pids.map((pid) => readProcessStat(pid)?.comm);
    },
    until: (comms) => comms.length === 2 && comms.includes("sleep"),
  });
  assert(last >= 50e6);
});

Deno.test("TreeMeter says that the service is gone", async () => {
  const busy = busyProcess("exec sleep 60");
  using meter = new TreeMeter(busy.pid);
  assertEquals(typeof meter.readNs(), "number");
  await busy[Symbol.asyncDispose]();
  assertEquals(meter.readNs(), null);
});

Deno.test("TreeMeter refuses a process that is not there", () => {
  assertThrows(() => new TreeMeter(2 ** 22 + 1), MeterError, "there is no such process");
});
