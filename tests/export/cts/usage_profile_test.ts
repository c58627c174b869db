import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import fc from "fast-check";
import { type Share, UsageProfile } from "../../../export/cts/usage_profile.ts";

const TICK_US = 200_000;

/** A profile of `parts` ticks, each used to its part of the cores. */
function profileOf(parts: readonly number[], cores: number): UsageProfile {
  const profile = new UsageProfile(0, cores);
  for (const [tick, part] of parts.entries()) {
    const fromUs = tick * TICK_US;
    profile.add({ fromUs, toUs: fromUs + TICK_US, cpuUs: Math.floor(part * cores * TICK_US) });
  }
  return profile;
}

function sum(shares: readonly Share[]): number {
  return shares.reduce((total, { cpuUs }) => total + cpuUs, 0);
}

/** CPU time of `shares` in each of `ticks` ticks, µs. */
function perTick(shares: readonly Share[], ticks: number): number[] {
  const used = new Array<number>(ticks).fill(0);
  for (const { fromUs, toUs, cpuUs } of shares) {
    for (let tick = 0; tick < ticks; tick++) {
      const overlap = Math.min(toUs, (tick + 1) * TICK_US) - Math.max(fromUs, tick * TICK_US);
      if (overlap > 0) used[tick]! += cpuUs * (overlap / (toUs - fromUs));
    }
  }
  return used;
}

const parts = fc.array(fc.integer({ min: 0, max: 10 }).map((tenth) => tenth / 10), {
  minLength: 1,
  maxLength: 40,
});

Deno.test("UsageProfile.fill() spreads all, and no tick gets more than its cores", () => {
  fc.assert(
    fc.property(parts, fc.integer({ min: 1, max: 8 }), fc.nat(100), (used, cores, percent) => {
      const free = used.reduce((total, part) => total + (1 - part) * cores * TICK_US, 0);
      const cpuUs = Math.floor(free * percent / 100);
      const shares = profileOf(used, cores).fill(cpuUs, used.length * TICK_US);
      assertEquals(sum(shares), cpuUs);
      for (const [tick, spreadUs] of perTick(shares, used.length).entries()) {
        assert(spreadUs + used[tick]! * cores * TICK_US <= cores * TICK_US + 2);
      }
    }),
    { numRuns: 1000 },
  );
});

Deno.test("UsageProfile.fill() makes one share where the cores are nowhere in the way", () => {
  const shares = profileOf([0.5, 0, 0.25, 0.5], 2).fill(300_000, 4 * TICK_US);
  assertEquals(shares, [{ fromUs: 0, toUs: 4 * TICK_US, cpuUs: 300_000 }]);
});

Deno.test("UsageProfile.fill() goes around ticks that are full", () => {
  const shares = profileOf([0, 1, 0], 1).fill(100_000, 3 * TICK_US);
  assertEquals(shares, [
    { fromUs: 0, toUs: TICK_US, cpuUs: 50_000 },
    { fromUs: 2 * TICK_US, toUs: 3 * TICK_US, cpuUs: 50_000 },
  ]);
});

Deno.test("UsageProfile.fill() keeps the sum of what fits nowhere", () => {
  const shares = profileOf([1, 1], 1).fill(5000, 2 * TICK_US);
  assertEquals(shares, [{ fromUs: 0, toUs: 2 * TICK_US, cpuUs: 5000 }]);
});

Deno.test("UsageProfile keeps its sums when a long task makes its cells coarser", () => {
  const ticks = 5000;
  const used = Array.from({ length: ticks }, (_, tick) => tick < ticks / 2 ? 1 : 0);
  const shares = profileOf(used, 2).fill(400_000_000, ticks * TICK_US);
  assertEquals(sum(shares), 400_000_000);
  const [before, after] = [0, 1].map((half) =>
    sum(shares.filter(({ fromUs }) => (fromUs < ticks / 2 * TICK_US) === (half === 0)))
  ) as [number, number];
  // A cell of five ticks may be across the middle.
  assertAlmostEquals(before, 0, 5 * TICK_US * 2);
  assertAlmostEquals(after, 400_000_000, 5 * TICK_US * 2);
});

Deno.test("UsageProfile.room() is what an even use can have on top of what is known", () => {
  const profile = profileOf([0.5, 0.75, 0], 2);
  assertEquals(profile.room(0, TICK_US), TICK_US);
  assertEquals(profile.room(0, 2 * TICK_US), TICK_US);
  assertEquals(profile.room(2 * TICK_US, 4 * TICK_US), 4 * TICK_US);
});

Deno.test("UsageProfile.add() enters each cell's part of what covers several", () => {
  const profile = profileOf([0, 0, 0], 2);
  profile.add({ fromUs: 0.5 * TICK_US, toUs: 2.5 * TICK_US, cpuUs: 2 * TICK_US });
  const rooms = [0, 1, 2].map((tick) => profile.room(tick * TICK_US, (tick + 1) * TICK_US));
  assertEquals(rooms, [1.5 * TICK_US, TICK_US, 1.5 * TICK_US]);
});

Deno.test("UsageProfile.reset() begins again", () => {
  const profile = profileOf([1, 1], 1);
  profile.reset(10, 3);
  assertEquals(profile.fill(30, 20), [{ fromUs: 10, toUs: 20, cpuUs: 30 }]);
});
