import { assertEquals } from "@std/assert";
import * as adapterProtocol from "../../trace/adapter_protocol.ts";
import * as cts from "../../trace/cts.ts";
import * as records from "../../trace/records.ts";
import type { Fields, RecordSchema, Unit } from "../../trace/schema.ts";
import { TASK } from "../../trace/task.ts";

function isTable(value: unknown): value is RecordSchema<Fields> {
  return typeof value === "object" && value !== null && "fields" in value && "decode" in value;
}

const EXPORTS: readonly unknown[] = Object.values({ ...records, ...cts, ...adapterProtocol, TASK });
const TABLES = EXPORTS.filter(isTable);

const FIELDS = TABLES.flatMap((table) =>
  Object.entries(table.fields).map(([name, field]) => ({
    where: `${table.name}.${name}`,
    name,
    field,
  }))
);

/** The unit that a name promises by its ending; `ts_` promises an epoch time. */
function promisedUnit(name: string): Unit | null {
  if (name.startsWith("ts_")) return "epoch_ms";
  const units: Readonly<Record<string, Unit>> = {
    ms: "ms",
    us: "us",
    ns: "ns",
    s: "s",
    ticks: "ticks",
    kb: "kb",
    bytes: "bytes",
    mb: "mb",
    mhz: "mhz",
  };
  // Ticks of the sampler, not of the kernel's clock: a count.
  if (name === "missed_ticks") return "count";
  const ending = name.replace(/_exact$/, "").split("_").at(-1) ?? "";
  return name.includes("_") ? units[ending] ?? null : null;
}

Deno.test("each field whose name ends in a unit carries that unit", () => {
  const wrong = FIELDS.filter(({ name, field }) =>
    /^an? (number|integer)/.test(field.expected) && promisedUnit(name) !== null &&
    promisedUnit(name) !== field.unit
  );
  assertEquals(wrong.map(({ where, field }) => `${where}: ${field.unit}`), []);
});

Deno.test("a field with a unit of time, size or frequency says so in its name", () => {
  // Names that proc(5) fixes, and a map whose keys are named below it.
  const fixed = ["utime", "stime", "shares"];
  const spelled: readonly (Unit | null)[] = ["ms", "us", "ns", "s", "ticks", "kb", "mb", "mhz"];
  const wrong = FIELDS.filter(({ name, field }) =>
    spelled.includes(field.unit) && promisedUnit(name) !== field.unit && !fixed.includes(name)
  );
  assertEquals(wrong.map(({ where, field }) => `${where}: ${field.unit}`), []);
});

Deno.test("each field is documented by one sentence", () => {
  const wrong = FIELDS.filter(({ field }) => !/^[^\s].*\.$/.test(field.doc));
  assertEquals(wrong.map(({ where, field }) => `${where}: ${field.doc}`), []);
});

Deno.test("names on disk are snake_case", () => {
  assertEquals(
    FIELDS.filter(({ name }) => !/^[a-z][a-z0-9_]*$/.test(name)).map((one) => one.where),
    [],
  );
});

Deno.test("RAW_SAMPLE reads a line of the seeds' collector, whose fields are fewer", () => {
  const line = { ts_ms: 1756728000123, pid: 4711, rss_kb: 2048, utime: 12, stime: 3 };
  const sample = records.RAW_SAMPLE.decode(line, "proc_metrics.jsonl:1");
  assertEquals([sample.cpu_ns, sample.start_ticks, sample.trace_id], [null, null, null]);
  assertEquals(sample.utime, 12);
});
