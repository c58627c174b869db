import { assertAlmostEquals, assertEquals } from "@std/assert";
import {
  bytesToKb,
  CLOCK_TICKS_PER_S,
  kbToMib,
  kbToOpendcMemory,
  msToUs,
  nsToMs,
  roundToUs,
  ticksToMs,
  usToMs,
} from "../../trace/units.ts";

Deno.test("CLOCK_TICKS_PER_S is what this kernel's user space was built with", async () => {
  const { stdout } = await new Deno.Command("getconf", { args: ["CLK_TCK"] }).output();
  assertEquals(Number(new TextDecoder().decode(stdout)), CLOCK_TICKS_PER_S);
});

Deno.test("units convert by their definitions", () => {
  assertEquals(ticksToMs(1), 10);
  assertEquals(nsToMs(1_500_000), 1.5);
  assertEquals(usToMs(1500), 1.5);
  assertEquals(msToUs(1.5), 1500);
  assertEquals(kbToMib(1536), 1.5);
  assertEquals(bytesToKb(1536), 1.5);
  assertAlmostEquals(roundToUs(1.23456789), 1.235);
});

Deno.test("kbToOpendcMemory() gives what OpenDC divides by 1000 to get MiB", () => {
  assertEquals(kbToOpendcMemory(16 * 1024 * 1024) / 1000, 16 * 1024);
});
