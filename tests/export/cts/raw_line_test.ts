import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { RawLineParser, type RawReading } from "../../../export/cts/raw_line.ts";
import { DecodeError } from "../../../trace/schema.ts";

const encoder = new TextEncoder();

function parse(line: string): RawReading {
  // Bytes of the next line are behind, as they do in a block.
  const bytes = encoder.encode(`${line}\n{"ts_ms":1,"pid":2}\n`);
  const end = encoder.encode(line).length;
  const parser = new RawLineParser();
  parser.useBlock(bytes);
  const found = parser.parseKnown(0, bytes.length);
  if (found < 0) parser.parse(0, end);
  else assertEquals(found, end);
  return parser;
}

function fieldsOf(reading: RawReading): unknown[] {
  const { tsUs, bootUs, pid, startTicks, cpuUs, rssKb, hwmKb } = reading;
  return [tsUs, bootUs, pid, startTicks, cpuUs, rssKb, hwmKb, reading.traceId()];
}

const SAMPLE = {
  ts_ms: 1756728000123.456,
  boot_ms: 5000000.007,
  pid: 4711,
  start_ticks: 499995,
  trace_id: "0af7651916cd43dd8448eb211c80319c",
  cpu_ns: 150_007_919,
  rss_kb: 10_001,
};

Deno.test("RawLineParser reads each field", () => {
  assertEquals(fieldsOf(parse(JSON.stringify({ ...SAMPLE, hwm_kb: 12_000 }))), [
    1756728000123456,
    5000000007,
    4711,
    499995,
    150_007,
    10_001,
    12_000,
    SAMPLE.trace_id,
  ]);
});

Deno.test("RawLineParser reads clock ticks where there is no CPU clock", () => {
  const line = '{"ts_ms": 1700000000000, "pid": 5, "rss_kb": 12, "utime": 3, "stime": 4}';
  assertEquals(fieldsOf(parse(line)), [1700000000000000, -1, 5, -1, 70_000, 12, -1, null]);
});

function nullable(values: fc.Arbitrary<number>): fc.Arbitrary<number | null> {
  return fc.option(values, { nil: null });
}

const milliseconds = fc.tuple(fc.nat(2 ** 41), fc.nat(999)).map(([ms, us]) => ms + us / 1000);

const samples = fc.record({
  ts_ms: milliseconds,
  boot_ms: nullable(milliseconds),
  pid: fc.integer({ min: 1, max: 2 ** 22 }),
  start_ticks: nullable(fc.nat(2 ** 40)),
  trace_id: fc.option(fc.string({ minLength: 1 }), { nil: null }),
  cpu_ns: nullable(fc.nat(Number.MAX_SAFE_INTEGER)),
  utime: fc.nat(2 ** 40),
  stime: fc.nat(2 ** 40),
  rss_kb: nullable(fc.nat(2 ** 40)),
  hwm_kb: nullable(fc.nat(2 ** 40)),
}, { requiredKeys: ["ts_ms", "pid", "utime", "stime"] });

Deno.test("RawLineParser reads the known shape as JSON.parse does", () => {
  fc.assert(
    fc.property(samples, fc.constantFrom("", " "), (sample, gap) => {
      const text = JSON.stringify(sample).replace(/"(\w+)":/g, `"$1":${gap}`);
      // A field that it does not know sends the line to JSON.parse.
      const other = JSON.stringify({ ...sample, novelty: [1] });
      assertEquals(fieldsOf(parse(text)), fieldsOf(parse(other)));
    }),
    { numRuns: 1000 },
  );
});

Deno.test("RawLineParser takes no line for a sample that the contract does not", () => {
  const text = JSON.stringify(SAMPLE);
  fc.assert(
    fc.property(fc.nat(text.length), fc.string({ maxLength: 2 }), (at, inserted) => {
      for (const line of [text.slice(0, at), text.slice(0, at) + inserted + text.slice(at)]) {
        let isJson = true;
        try {
          JSON.parse(line);
        } catch (error) {
          if (!(error instanceof SyntaxError)) throw error;
          isJson = false;
        }
        if (!isJson) assertThrows(() => parse(line), SyntaxError);
      }
    }),
    { numRuns: 2000 },
  );
});

const NO_SAMPLES = [
  { what: "without a pid", record: { ...SAMPLE, pid: undefined } },
  { what: "with pid 0", record: { ...SAMPLE, pid: 0 } },
  { what: "with a pid that has decimals", record: { ...SAMPLE, pid: 1.5 } },
  { what: "without a time", record: { ...SAMPLE, ts_ms: null } },
  { what: "without a CPU time", record: { ...SAMPLE, cpu_ns: null } },
  { what: "with half of the clock ticks", record: { ...SAMPLE, cpu_ns: null, utime: 1 } },
  { what: "with a negative total", record: { ...SAMPLE, cpu_ns: -1 } },
  { what: "with a total as text", record: { ...SAMPLE, cpu_ns: "1" } },
  { what: "that is a list", record: [1, 2] },
];

Deno.test.each(NO_SAMPLES)("RawLineParser refuses a line $what", ({ record }) => {
  assertThrows(() => parse(JSON.stringify(record)), DecodeError);
});
