import { assertEquals, assertThrows } from "@std/assert";
import { ProcessDeniedError, ProcessGoneError } from "../../../collector/proc/errors.ts";
import { accessProcess, Procfs, readTextIfThere } from "../../../collector/proc/procfs.ts";
import { FIXTURE_PROCFS } from "../fixture.ts";

Deno.test("Procfs.pids() lists processes and nothing else", () => {
  const pids = new Procfs(FIXTURE_PROCFS).pids().sort((a, b) => a - b);
  assertEquals(pids, [1, 2, 7, 100, 101, 102, 103, 104, 105, 106, 107, 108, 109, 110, 111]);
});

Deno.test("Procfs.readProcess() says that a process is gone: no folder, or no file in it", () => {
  const procfs = new Procfs(FIXTURE_PROCFS);
  for (const pid of [108, 999]) {
    assertThrows(() => procfs.readProcess(pid, "stat"), ProcessGoneError, `${pid}/stat`);
  }
});

Deno.test("accessProcess() knows ESRCH: the process ended while its file was open", () => {
  const failure = new Error("No such process (os error 3)");
  assertThrows(() => accessProcess("x", () => raise(failure)), ProcessGoneError);
});

Deno.test("accessProcess() tells denied from gone, and lets everything else through", () => {
  assertThrows(
    () => accessProcess("/proc/1/environ", () => raise(new Deno.errors.PermissionDenied("no"))),
    ProcessDeniedError,
    "/proc/1/environ",
  );
  assertThrows(() => accessProcess("x", () => raise(new RangeError("other"))), RangeError, "other");
});

Deno.test("Procfs.readIfThere() is null for what is missing, and a path below a file is missing", () => {
  const procfs = new Procfs(FIXTURE_PROCFS);
  assertEquals(procfs.readIfThere("uptime"), "2115.27 4000.10\n");
  assertEquals(procfs.readIfThere("vmstat"), null);
  assertEquals(readTextIfThere(`${FIXTURE_PROCFS}/uptime/below`), null);
});

function raise(error: Error): never {
  throw error;
}
