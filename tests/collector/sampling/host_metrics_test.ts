import { assert, assertEquals } from "@std/assert";
import { HOST_METRICS } from "../../../trace/records.ts";
import { readHostMetrics } from "../../../collector/sampling/host_metrics.ts";
import { Procfs } from "../../../collector/proc/procfs.ts";
import { openReadingClock } from "../../../collector/sampling/reading_clock.ts";
import { FIXTURE_PROCFS } from "../fixture.ts";

const procfs = new Procfs(FIXTURE_PROCFS);

Deno.test("readHostMetrics() has the fixture's counters unchanged", () => {
  using clock = openReadingClock(procfs, { ffi: false });
  const metrics = readHostMetrics(procfs, { clock, interface: "eth0" });
  assertEquals({ ...metrics, ts_ms: 0, boot_ms: 0 }, {
    ts_ms: 0,
    boot_ms: 0,
    user_ticks: 34_496,
    nice_ticks: 1,
    system_ticks: 12_137,
    idle_ticks: 610_200,
    iowait_ticks: 526,
    irq_ticks: 2,
    softirq_ticks: 80,
    steal_ticks: 223,
    mem_total_kb: 65_841_152,
    mem_free_kb: 60_000_000,
    mem_available_kb: 61_000_000,
    swap_used_kb: 100_000,
    interface: "eth0",
    received_bytes: 131_072_986,
    sent_bytes: 333_962,
    cpu_some_us: 89_803,
    memory_some_us: 89_806,
    memory_full_us: 446,
    io_some_us: 89_802,
    io_full_us: 442,
  });
});

Deno.test("readHostMetrics() adds all interfaces but the loopback, null for one that is missing", () => {
  using clock = openReadingClock(procfs, { ffi: false });
  const all = readHostMetrics(procfs, { clock, interface: null });
  assertEquals([all.received_bytes, all.sent_bytes], [131_072_991, 333_968]);
  assertEquals(readHostMetrics(procfs, { clock, interface: "eth9" }).sent_bytes, null);
});

Deno.test("readHostMetrics() of this machine satisfies its record and grows", () => {
  using clock = openReadingClock(new Procfs(), { ffi: true });
  const first = readHostMetrics(new Procfs(), { clock, interface: null });
  const second = readHostMetrics(new Procfs(), { clock, interface: null });
  HOST_METRICS.decode(structuredClone(first), "host_metrics.jsonl");
  assert((second.user_ticks ?? NaN) >= (first.user_ticks ?? NaN));
  assert((second.boot_ms ?? NaN) > (first.boot_ms ?? NaN));
});
