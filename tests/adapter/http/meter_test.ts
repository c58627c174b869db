import { assertEquals, assertThrows } from "@std/assert";
import { CgroupMeter, type CpuMeter, MeterError } from "../../../adapter/http/cpu_meter.ts";
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

/** CPU time of a process by proc_pid_stat(5), ms. */
function statMs(pid: number): number {
  const fields = Deno.readTextFileSync(`/proc/${pid}/stat`).split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

Deno.test.each([...WRITABLE_HIERARCHIES])("CgroupMeter reads a cgroup v$version", async (one) => {
  await using group = testCgroup(one);
  {
    await using busy = busyProcess();
    group.add(busy.pid);
    using meter = new CgroupMeter(group.directory);
    assertEquals(meter.source, one.version === 2 ? "cgroup_v2" : "cgroup_v1");
    await used(meter, 200);
    // Both count the same process, but for its first moments outside; one tick of a clock is 10 ms.
    const difference = statMs(busy.pid) - (meter.readNs() ?? NaN) / 1e6;
    assertEquals(Math.abs(difference) < 60, true, `${difference} ms apart`);
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
  await using busy = busyProcess(
    "sh -c 'i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done'; sleep 60",
  );
  using meter = new TreeMeter(busy.pid);
  let last = 0;
  await waitFor({
    what: "the child to come and go",
    read: () => {
      meter.refresh();
      const total = meter.readNs() ?? NaN;
      assertEquals(total >= last, true, "the total went back");
      last = total;
      return meter.pids.length;
    },
    until: (count) => last > 50e6 && count === 2,
  });
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
