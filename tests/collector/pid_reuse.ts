/**
 * Run in a pid namespace of its own: holds a process open, lets it end, gives its pid to another one and
 * reads the first again. Prints what came of it as JSON.
 */

import { SamplingCalls } from "../../collector/sampling_calls.ts";
import { openProcessReader, Reading } from "../../collector/following/process_reader.ts";
import { Procfs } from "../../collector/proc/procfs.ts";
import { openReadingClock } from "../../collector/sampling/reading_clock.ts";
import { boundCommand } from "../support/bound_command.ts";

const procfs = new Procfs();
const library = SamplingCalls.open();
const libc = Deno.args[0] === "ffi" ? library : null;
const clock = openReadingClock(procfs, { ffi: true });
const reader = openProcessReader({ procfs, clock, libc, alarm: { watchEnd: () => null } });

function spawn(): Deno.ChildProcess {
  return boundCommand("sleep", { args: ["60"], stdin: "null", stdout: "null" }).spawn();
}

const first = spawn();
const handle = reader.open(first.pid);
first.kill("SIGKILL");
await first.status;

let second = spawn();
// A thread of the runtime may take the pid first; then the next round gets it.
for (let round = 0; second.pid !== first.pid && round < 100; round++) {
  second.kill("SIGKILL");
  await second.status;
  Deno.writeTextFileSync("/proc/sys/kernel/ns_last_pid", String(first.pid - 1));
  second = spawn();
}
console.log(JSON.stringify({
  pid: first.pid,
  reusedPid: second.pid,
  isRead: handle.read(new Reading()),
  otherCpuNs: library?.cpuClockNs(second.pid),
}));
second.kill("SIGKILL");
await second.status;
