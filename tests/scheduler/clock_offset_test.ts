import { assert, assertEquals } from "@std/assert";
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
  let elapsedMs = 0;
  using _clock = monotonicClock(() => elapsedMs);
  const measured = await measureClockOffset(() => {
    calls += 1;
    elapsedMs += calls === 5 ? 2 : 20;
    return Promise.resolve(Date.now());
  });
  assertEquals([calls, measured.errorMs], [8, 1]);
});

/** Let performance.now() be `now` until the block that holds it is left. */
function monotonicClock(now: () => number): Disposable {
  const original = performance.now;
  performance.now = now;
  return { [Symbol.dispose]: () => void (performance.now = original) };
}
