import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { RAW_SAMPLE, type RawSample } from "../../../trace/records.ts";
import { roundToUs } from "../../../trace/units.ts";
import { identityPart, SampleBuffer } from "../../../collector/following/sample_buffer.ts";

const count = fc.oneof(fc.maxSafeNat(), fc.nat(), fc.constantFrom(0, 9, 10, 1e9 - 1, 1e9, 1e10));
/** Up to the year 2255, where microseconds stop to be exact. */
const time = fc.double({ min: 0, max: 9e12, noNaN: true, noDefaultInfinity: true });
const cpu = fc.oneof(
  fc.record({ cpuNs: count, utime: fc.constant(null), stime: fc.constant(null) }),
  fc.record({ cpuNs: fc.constant(null), utime: count, stime: count }),
);
const identity = fc.record({
  pid: fc.integer({ min: 1, max: 2 ** 22 }),
  start_ticks: count,
  trace_id: fc.option(fc.string({ unit: "grapheme" })),
});
const sample = fc.record({
  identity,
  cpu,
  tsMs: time,
  bootMs: time,
  rssKb: fc.option(count),
  hwmKb: fc.option(count),
});

function decodeLines(bytes: Uint8Array): RawSample[] {
  const lines = new TextDecoder().decode(bytes).split("\n");
  assertEquals(lines.pop(), "", "the last line is whole");
  return lines.map((line) => RAW_SAMPLE.decode(JSON.parse(line), line));
}

Deno.test("SampleBuffer.append() writes lines that decode to the readings, whatever the values", () => {
  // One buffer for all: what was in it before does not show.
  const buffer = new SampleBuffer();
  fc.assert(fc.property(fc.array(sample, { minLength: 1 }), (samples) => {
    for (const { identity, cpu, hwmKb, ...rest } of samples) {
      buffer.append(identityPart(identity), { ...cpu, ...rest }, hwmKb);
    }
    const expected = samples.map(({ identity, cpu, tsMs, bootMs, rssKb, hwmKb }) => ({
      ts_ms: roundToUs(tsMs),
      boot_ms: roundToUs(bootMs),
      ...identity,
      cpu_ns: cpu.cpuNs,
      utime: cpu.utime,
      stime: cpu.stime,
      rss_kb: rssKb,
      hwm_kb: hwmKb,
    }));
    assertEquals(decodeLines(buffer.take()), expected);
  }));
});

Deno.test("SampleBuffer.append() grows beyond its first size", () => {
  const buffer = new SampleBuffer();
  const part = identityPart({ pid: 1, start_ticks: 1, trace_id: "x".repeat(5000) });
  const reading = { tsMs: 1, bootMs: 2, cpuNs: 3, utime: null, stime: null, rssKb: 4 };
  for (let line = 0; line < 100; line++) buffer.append(part, reading, null);
  const samples = decodeLines(buffer.take());
  assertEquals([samples.length, samples.at(-1)?.trace_id?.length], [100, 5000]);
  assertEquals(buffer.take().length, 0);
});
