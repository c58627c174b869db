import { assert } from "@std/assert";
import { measureClockOffset } from "../../scheduler/clock_offset.ts";

Deno.test("measureClockOffset() finds the offset within its bound", async () => {
  for (const offsetMs of [0, 1234.5, -86_400_000]) {
    const measured = await measureClockOffset(() =>
      Promise.resolve(performance.timeOrigin + performance.now() + offsetMs)
    );
    // The wall clock may run beside performance.now() by what a step of it was since the start.
    const driftMs = Date.now() - (performance.timeOrigin + performance.now());
    const error = Math.abs(measured.offsetMs - offsetMs + driftMs);
    assert(error <= measured.errorMs + 1.5, `off by ${error}, said ${measured.errorMs}`);
  }
});

Deno.test("measureClockOffset() keeps the best of several round trips", async () => {
  let calls = 0;
  const measured = await measureClockOffset(async () => {
    calls += 1;
    if (calls !== 5) await new Promise((resolve) => setTimeout(resolve, 20));
    return Date.now();
  });
  assert(calls === 8 && measured.errorMs < 10, `${calls} calls, ${measured.errorMs} ms`);
});
