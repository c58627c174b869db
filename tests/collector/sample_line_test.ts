import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { RAW_SAMPLE } from "../../trace/records.ts";
import { identityPart, sampleLine } from "../../collector/sample_line.ts";

const count = fc.maxSafeNat();
const time = fc.double({ min: 0, max: 4e12, noNaN: true, noDefaultInfinity: true });
const identity = fc.record({
  pid: fc.integer({ min: 1, max: 2 ** 22 }),
  start_ticks: count,
  trace_id: fc.option(fc.string({ unit: "grapheme" })),
});

Deno.test("sampleLine() is one line that decodes to the reading, whatever the values", () => {
  const reading = fc.oneof(
    fc.record({ cpuNs: count, utime: fc.constant(null), stime: fc.constant(null) }),
    fc.record({ cpuNs: fc.constant(null), utime: count, stime: count }),
  );
  const memory = fc.record({ rssKb: fc.option(count), hwmKb: fc.option(count) });
  fc.assert(
    fc.property(
      identity,
      reading,
      memory,
      time,
      time,
      (who, cpu, { rssKb, hwmKb }, tsMs, bootMs) => {
        const line = sampleLine(identityPart(who), { tsMs, bootMs, rssKb, ...cpu }, hwmKb);
        assert(line.endsWith("}\n") && line.indexOf("\n") === line.length - 1);
        assertEquals(RAW_SAMPLE.decode(JSON.parse(line), "line"), {
          ts_ms: tsMs,
          boot_ms: bootMs,
          ...who,
          cpu_ns: cpu.cpuNs,
          utime: cpu.utime,
          stime: cpu.stime,
          rss_kb: rssKb,
          hwm_kb: hwmKb,
        });
      },
    ),
  );
});
