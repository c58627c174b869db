import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { type RecordTime, RunClock } from "../../../export/cts/run_clock.ts";
import { clockOffset, RUN_START } from "../../support/raw_run.ts";

const START_US = RUN_START.tsMs * 1000;
const BOOT_US = RUN_START.bootMs * 1000;

/** A time `atMs` after the start of the run, the wall clock off by `stepMs`. */
function time(atMs: number, stepMs = 0): RecordTime {
  return { tsUs: START_US + (atMs + stepMs) * 1000, bootUs: BOOT_US + atMs * 1000 };
}

function clockOf(...times: readonly RecordTime[]): RunClock {
  return new RunClock([times]);
}

/** `us` on the timeline as ms after the start of the run. */
function sinceStart(us: number): number {
  return (us - START_US) / 1000;
}

Deno.test("RunClock.toUs() is the wall clock where no boot clock is known", () => {
  assertEquals(clockOf().toUs({ tsUs: 123, bootUs: -1 }), 123);
  assertEquals(clockOf().toUs({ tsUs: 123, bootUs: 7 }), 123);
  assertEquals(clockOf(time(0)).toUs({ tsUs: 123, bootUs: -1 }), 123);
});

Deno.test("RunClock.toUs() keeps intervals of the boot clock whatever the wall clock does", () => {
  const steps = fc.array(fc.tuple(fc.nat(10_000_000), fc.integer({ min: -1e9, max: 1e9 })));
  fc.assert(fc.property(steps, (readings) => {
    const clock = clockOf(time(0));
    for (const [atMs, stepMs] of readings) {
      assertEquals(sinceStart(clock.toUs(time(atMs, stepMs))), atMs);
    }
  }));
});

Deno.test("RunClock.watch() tells steps of the wall clock, and no jitter", () => {
  const clock = clockOf(time(0));
  for (let atMs = 0; atMs < 1000; atMs += 100) clock.watch(time(atMs, atMs % 300 === 0 ? 9 : 0));
  assertEquals(clock.steps, []);
  for (let atMs = 1000; atMs < 2000; atMs += 100) clock.watch(time(atMs, -1500));
  clock.watch(time(2000, 60_000));
  for (let atMs = 2100; atMs < 3000; atMs += 100) clock.watch(time(atMs, -1500));
  assertEquals(clock.steps, [{ atUs: START_US + 1_100_000, stepUs: -1_500_000 }]);
});

Deno.test("RunClock.align() goes straight from one measured offset to the next", () => {
  const clock = clockOf(time(0));
  clock.align([clockOffset(2000, { offset_ms: 12 }), clockOffset(1000, { offset_ms: 11.5 })]);
  const shifts = [0, 1000, 1500, 2000, 9000, 1250].map((atMs) =>
    sinceStart(clock.toUs(time(atMs))) - atMs
  );
  assertEquals(shifts, [11.5, 11.5, 11.75, 12, 12, 11.625]);
});

Deno.test("RunClock.align() holds when the node's clock was set between two measurements", () => {
  const clock = clockOf(time(0));
  const before = clockOffset(1000, { offset_ms: 500 });
  const after = clockOffset(3000, { offset_ms: 0 });
  clock.align([before, { ...after, ts_ms: after.ts_ms + 500 }]);
  assertEquals([500, 2000, 4000].map((atMs) => sinceStart(clock.toUs(time(atMs)))), [
    1000,
    2500,
    4500,
  ]);
});

Deno.test("RunClock.align() stretches nothing where the controller's clock was set", () => {
  const clock = clockOf(time(0));
  clock.align([
    clockOffset(0, { offset_ms: 10 }),
    clockOffset(30_000, { offset_ms: 10.4 }),
    clockOffset(60_000, { offset_ms: 5010.4 }),
    clockOffset(90_000, { offset_ms: 5010.8 }),
  ]);
  const at = (atMs: number): number => sinceStart(clock.toUs(time(atMs)));
  assertEquals([at(0), at(30_000), at(60_000), at(90_000)], [10, 30_010.4, 60_010.4, 90_010.8]);
});

Deno.test("RunClock knows a machine that was started again", () => {
  // Ten minutes later the boot clock is at 20 s.
  const rebooted = (atMs: number): RecordTime => ({
    tsUs: START_US + 600_000_000 + atMs * 1000,
    bootUs: 20_000_000 + atMs * 1000,
  });
  const clock = new RunClock([[time(0)], [
    time(10_000),
    time(20_000),
    rebooted(0),
    rebooted(10_000),
  ]]);
  assertEquals(clock.reboots, 1);
  assertEquals(sinceStart(clock.toUs(time(15_000, 3))), 15_000);
  assertEquals(sinceStart(clock.toUs(rebooted(15_000))), 615_000);
  assertEquals(sinceStart(clock.bootToUs(19_000_000, rebooted(5))!), 599_000);
  assertEquals(sinceStart(clock.bootToUs(BOOT_US + 1000, time(5))!), 1);
});

Deno.test("RunClock takes lines out of order for no new boot", () => {
  const clock = new RunClock([[time(0)], [time(60_000), time(0), time(30_000, 0.5)]]);
  assertEquals(clock.reboots, 0);
  assert(clock.toUs(time(1)) === START_US + 1000);
});
