import { assertAlmostEquals, assertEquals } from "@std/assert";
import fc from "fast-check";
import { CpuShares, type Share } from "../../../adapter/http/cpu_shares.ts";

const MS = 1_000_000;

Deno.test("CpuShares gives a request alone all that was used", () => {
  const shares = new CpuShares({ cores: 1, totalNs: 500, bootMs: 0 });
  const one = shares.open();
  shares.read({ totalNs: 500 + 7 * MS, bootMs: 10 });
  assertEquals(shares.close(one), 7 * MS);
  shares.settle();
  assertEquals(shares.takeBackground(), 0);
});

Deno.test("CpuShares splits what was used while requests overlap, and no more", () => {
  const shares = new CpuShares({ cores: 1, totalNs: 0, bootMs: 0 });
  const first = shares.open();
  shares.read({ totalNs: 4 * MS, bootMs: 10 });
  const second = shares.open();
  shares.read({ totalNs: 10 * MS, bootMs: 20 });
  assertEquals(shares.close(first), 7 * MS);
  shares.read({ totalNs: 15 * MS, bootMs: 30 });
  assertEquals(shares.close(second), 8 * MS);
});

Deno.test("CpuShares keeps what was used with no request open apart", () => {
  const shares = new CpuShares({ cores: 1, totalNs: 0, bootMs: 0 });
  shares.read({ totalNs: 3 * MS, bootMs: 10 });
  const one = shares.open();
  shares.read({ totalNs: 5 * MS, bootMs: 20 });
  assertEquals(shares.close(one), 2 * MS);
  shares.read({ totalNs: 6 * MS, bootMs: 30 });
  assertEquals(shares.takeBackground(), 4 * MS);
  assertEquals(shares.takeBackground(), 0);
});

Deno.test("CpuShares carries to the next interval what cores cannot do in this one", () => {
  const shares = new CpuShares({ cores: 2, totalNs: 0, bootMs: 0 });
  const one = shares.open();
  shares.read({ totalNs: 9 * MS, bootMs: 3 });
  assertEquals(shares.take(one), 6 * MS);
  shares.read({ totalNs: 9 * MS, bootMs: 6 });
  assertEquals(shares.close(one), 3 * MS);
});

Deno.test("CpuShares takes a counter that went back for a new one", () => {
  const shares = new CpuShares({ cores: 1, totalNs: 100 * MS, bootMs: 0 });
  const one = shares.open();
  shares.read({ totalNs: 2 * MS, bootMs: 10 });
  shares.read({ totalNs: 5 * MS, bootMs: 20 });
  assertEquals(shares.close(one), 3 * MS);
});

/** A step of a service's life: time passes, CPU time is used, then requests come, go or are looked at. */
interface Step {
  readonly ms: number;
  readonly usedNs: number;
  readonly kind: "open" | "close" | "take" | "background";
  /** Which open request it is about. */
  readonly which: number;
}

const STEP: fc.Arbitrary<Step> = fc.record({
  ms: fc.integer({ min: 0, max: 50 }),
  usedNs: fc.integer({ min: 0, max: 200 * MS }),
  kind: fc.constantFrom("open", "open", "close", "take", "background"),
  which: fc.nat(),
});

interface Open {
  readonly share: Share;
  readonly sinceMs: number;
  gotNs: number;
}

Deno.test("CpuShares: shares and background sum to what was read, to the nanosecond", () => {
  fc.assert(fc.property(fc.array(STEP), fc.integer({ min: 1, max: 64 }), (steps, cores) => {
    const shares = new CpuShares({ cores, totalNs: 12345, bootMs: 1000 });
    let totalNs = 12345;
    let bootMs = 1000;
    let givenNs = 0;
    const open: Open[] = [];
    for (const { ms, usedNs, kind, which } of steps) {
      bootMs += ms;
      totalNs += usedNs;
      shares.read({ totalNs, bootMs });
      const place = open.length === 0 ? -1 : which % open.length;
      const one = open[place];
      if (kind === "open") open.push({ share: shares.open(), sinceMs: bootMs, gotNs: 0 });
      else if (kind === "background") givenNs += shares.takeBackground();
      else if (one !== undefined) {
        const gotNs = kind === "take" ? shares.take(one.share) : shares.close(one.share);
        if (kind === "close") open.splice(place, 1);
        assertEquals(Number.isInteger(gotNs) && gotNs >= 0, true);
        givenNs += gotNs;
        one.gotNs += gotNs;
        assertEquals(one.gotNs <= (bootMs - one.sinceMs) * MS * cores, true, "beyond the cores");
      }
      assertEquals(shares.openCount, open.length);
    }
    for (const { share } of open) givenNs += shares.close(share);
    shares.settle();
    assertEquals(givenNs + shares.takeBackground(), totalNs - 12345);
  }));
});

Deno.test("CpuShares: requests that are open together get the same", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 50 }), fc.array(fc.nat(5 * MS)), (count, used) => {
      const shares = new CpuShares({ cores: 1, totalNs: 0, bootMs: 0 });
      const all = Array.from({ length: count }, () => shares.open());
      let totalNs = 0;
      for (const [step, usedNs] of used.entries()) {
        totalNs += usedNs;
        shares.read({ totalNs, bootMs: 10 * (step + 1) });
      }
      const got = all.map((share) => shares.close(share));
      assertEquals(new Set(got).size, 1);
      // What cannot be divided is less than a nanosecond for each.
      assertAlmostEquals((got[0] ?? 0) * count, totalNs, count);
    }),
  );
});
