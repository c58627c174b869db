import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { RowLine } from "../../../export/opendc/row_line.ts";
import { PROC_METRIC, type ProcMetric } from "../../../trace/cts.ts";

const encoder = new TextEncoder();

/** What a parser finds in each of these lines; null for one that it refuses. */
function parseAll(lines: readonly string[]): (readonly unknown[] | null)[] {
  const line = new RowLine();
  const bytes = encoder.encode(lines.join("\n"));
  line.useBlock(bytes);
  let from = 0;
  return lines.map((text) => {
    const to = from + encoder.encode(text).length;
    const isRow = line.parse(from, to);
    from = to + 1;
    if (!isRow) return null;
    const { tsMs, dtMs, cpuMs, pid, rssKb, tail } = line;
    return [tsMs, pid, dtMs, cpuMs, rssKb, tail.traceId, tail.spanId];
  });
}

/** The same by JSON.parse and the contract's decoder. */
function decodeAll(lines: readonly string[]): (readonly unknown[] | null)[] {
  return lines.map((text) => {
    let row: ProcMetric;
    try {
      row = PROC_METRIC.decode(JSON.parse(text), "");
    } catch (error) {
      if (error instanceof SyntaxError || error instanceof TypeError) return null;
      throw error;
    }
    return [
      row.ts_ms,
      row.pid ?? 0,
      row.dt_ms,
      row.cpu_ms,
      row.rss_kb ?? -1,
      row.trace_id,
      row.span_id,
    ];
  });
}

const GOOD =
  '{"ts_ms":1756728000200.125,"pid":42,"dt_ms":200,"cpu_ms":99.999,"rss_kb":1024,"trace_id":"a","source":"reading"}';

const LINES: readonly (readonly [string, string])[] = [
  ["a row as parse writes it", GOOD],
  ["a row without a process and memory", GOOD.replace("42", "null").replace("1024", "null")],
  ["a row with a span", GOOD.replace('"trace_id"', '"span_id":"s","trace_id"')],
  ["a row with four decimals", GOOD.replace("99.999", "99.9999")],
  ["a row in exponent form", GOOD.replace("99.999", "9.9e1")],
  ["a row with blanks", GOOD.replaceAll(":", ": ")],
  ["a row in another order", '{"source":"reading","cpu_ms":1,"dt_ms":2,"ts_ms":3,"pid":4}'],
  ["a row that says its time twice", GOOD.replace('"source"', '"ts_ms":5,"source"')],
  ["a row with a field of a newer writer", GOOD.replace("}", ',"newer":{"a":[1]}}')],
  ["a negative time", GOOD.replace(":99.999", ":-1")],
  ["a pid of 0", GOOD.replace("42", "0")],
  ["a pid with decimals", GOOD.replace("42", "4.5")],
  ["a number with a leading zero", GOOD.replace("42", "042")],
  ["a number without digits behind its point", GOOD.replace("99.999", "99.")],
  ["an unknown source", GOOD.replace("reading", "guess")],
  ["a line cut off", GOOD.slice(0, 60)],
  ["a line of something else", "1,2,3"],
  ["text behind the record", `${GOOD}{}`],
];

for (const [name, text] of LINES) {
  Deno.test(`RowLine reads ${name} as JSON.parse does, also a second time`, () => {
    const lines = [GOOD, text, GOOD, text, text];
    assertEquals(parseAll(lines), decodeAll(lines));
  });
}

Deno.test("RowLine agrees with JSON.parse on any rows", () => {
  const row = fc.record({
    ts_ms: fc.oneof(
      fc.integer({ min: 0, max: 2e15 }).map((us) => us / 1000),
      fc.double({ min: 0, noNaN: true, noDefaultInfinity: true }),
    ),
    pid: fc.option(fc.integer({ min: 1, max: 3 })),
    dt_ms: fc.integer({ min: 0, max: 1e6 }).map((us) => us / 1000),
    cpu_ms: fc.oneof(
      fc.integer({ min: 0, max: 1e9 }).map((us) => us / 1000),
      fc.double({ min: -1, max: 1e3, noNaN: true }),
    ),
    rss_kb: fc.option(fc.integer({ min: 0, max: 1e9 })),
    trace_id: fc.option(fc.constantFrom("a", "b", 'quote"\\', "é")),
    source: fc.constantFrom("reading", "spread", "none"),
  });
  fc.assert(fc.property(fc.array(row, { maxLength: 20 }), (rows) => {
    const lines = rows.map((one) => JSON.stringify(one));
    assertEquals(parseAll(lines), decodeAll(lines));
  }));
});
