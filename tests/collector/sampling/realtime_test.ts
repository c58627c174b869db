import { assertEquals } from "@std/assert";
import { SamplingCalls } from "../../../collector/sampling_calls.ts";
import { Realtime } from "../../../collector/sampling/realtime.ts";

/** Priority and policy of this thread: fields 40 and 41 of proc_pid_stat(5). */
function policyOfThread(): string[] {
  const stat = Deno.readTextFileSync("/proc/thread-self/stat");
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ").slice(37, 39);
}

Deno.test("Realtime.enter() gives this thread the lowest real-time priority, leave() the old one", () => {
  using libc = SamplingCalls.open();
  if (libc === null) throw new Error("This test needs FFI");
  const realtime = Realtime.enter(libc);
  const during = policyOfThread();
  const isActive = realtime.isActive;
  realtime.leave();
  // Without CAP_SYS_NICE, or in a cgroup without real-time budget, nothing changes.
  assertEquals(during, isActive ? ["1", "1"] : ["0", "0"]);
  assertEquals([realtime.isActive, policyOfThread()], [false, ["0", "0"]]);
});

Deno.test("Realtime.isTooLong() forgives two long ticks in a row, and any number apart", () => {
  using libc = SamplingCalls.open();
  if (libc === null) throw new Error("This test needs FFI");
  const realtime = Realtime.enter(libc);
  const { isActive } = realtime;
  const verdicts = [101, 101, 99, 101, 101, 101].map((ms) => realtime.isTooLong(ms, 200));
  realtime.leave();
  assertEquals(verdicts, [false, false, false, false, false, isActive]);
  assertEquals([1, 2, 3].map(() => Realtime.none().isTooLong(1000, 200)), [false, false, false]);
});
