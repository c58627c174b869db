import { assertEquals } from "@std/assert";
import { type ExitReadings, exitTotals } from "../../adapter/exit_totals.ts";
import type { Rusage } from "../../adapter/start/wait_result.ts";

const RUSAGE: Rusage = {
  userMs: 10,
  systemMs: 2,
  maxRssKb: 80_000,
  minorFaults: 3,
  majorFaults: 4,
  readBlocks: 5,
  writtenBlocks: 6,
  voluntarySwitches: 7,
  involuntarySwitches: 8,
};

const READINGS: ExitReadings = {
  cgroup: {
    userMs: 11,
    systemMs: 3,
    throttledMs: 1,
    cpuSource: "cgroup_v2",
    throttledSource: "cgroup_v2",
    memoryPeakKb: 90_000,
    memoryPeakSource: "cgroup_v1",
  },
  rusage: RUSAGE,
  childCpu: { userMs: 20, systemMs: 10 },
  launcherPeakKb: 50_000,
  seenPeak: { kb: 70_000, isSum: false },
};

function cpuOf(readings: ExitReadings): unknown[] {
  const { user_ms, system_ms, cpu_source } = exitTotals(readings);
  return [user_ms, system_ms, cpu_source];
}

function rssOf(readings: ExitReadings): unknown[] {
  const { max_rss_kb, max_rss_source } = exitTotals(readings);
  return [max_rss_kb, max_rss_source];
}

Deno.test("exitTotals() takes CPU time from the cgroup, which also counts orphans", () => {
  assertEquals(cpuOf(READINGS), [11, 3, "cgroup_v2"]);
});

Deno.test("exitTotals() takes CPU time from rusage without a cgroup that counts", () => {
  assertEquals(cpuOf({ ...READINGS, cgroup: null }), [10, 2, "rusage"]);
  const none = { userMs: null, systemMs: null, throttledMs: null, cpuSource: null };
  const memory = { memoryPeakKb: 5, memoryPeakSource: "cgroup_v2" as const };
  const cgroup = { ...none, throttledSource: null, ...memory };
  assertEquals(cpuOf({ ...READINGS, cgroup }), [10, 2, "rusage"]);
});

Deno.test("exitTotals() takes CPU time from the counters for children where there is nothing else", () => {
  assertEquals(cpuOf({ ...READINGS, cgroup: null, rusage: null }), [20, 10, "proc"]);
});

Deno.test("exitTotals() says that nothing is known", () => {
  const nothing = { ...READINGS, cgroup: null, rusage: null, childCpu: null };
  assertEquals(cpuOf(nothing), [null, null, "none"]);
  const { memory_peak_source, throttled_source, counters_source } = exitTotals(nothing);
  assertEquals([memory_peak_source, throttled_source, counters_source], ["none", "none", "none"]);
});

Deno.test("exitTotals() names the source of each total", () => {
  const { memory_peak_source, throttled_source, counters_source } = exitTotals(READINGS);
  const sources = [memory_peak_source, throttled_source, counters_source];
  assertEquals(sources, ["cgroup_v1", "cgroup_v2", "rusage"]);
});

Deno.test("exitTotals() believes ru_maxrss clearly above the launcher's own peak only", () => {
  assertEquals(rssOf(READINGS), [80_000, "rusage"]);
  assertEquals(rssOf({ ...READINGS, launcherPeakKb: 75_000 }), [70_000, "vmhwm"]);
});

Deno.test("exitTotals() takes the memory of the whole tree where that is more", () => {
  const seenPeak = { kb: 95_000, isSum: true };
  assertEquals(rssOf({ ...READINGS, seenPeak }), [95_000, "tree"]);
  const small = { kb: 30_000, isSum: true };
  assertEquals(rssOf({ ...READINGS, seenPeak: small }), [80_000, "rusage"]);
});

Deno.test("exitTotals() takes the group's peak of what ended before it was read", () => {
  const short = { ...READINGS, launcherPeakKb: 75_000, seenPeak: null };
  assertEquals(rssOf(short), [90_000, "cgroup_v1"]);
  assertEquals(rssOf({ ...short, cgroup: null }), [null, "none"]);
});

Deno.test("exitTotals() keeps the group's peak, page cache included, apart", () => {
  assertEquals(exitTotals(READINGS).memory_peak_kb, 90_000);
});
