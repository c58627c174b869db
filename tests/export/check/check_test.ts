import { assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import fc from "fast-check";
import { checkRun } from "../../../export/check/check.ts";
import { validatorOf } from "../../../export/check/validator.ts";
import { recordSchema } from "../../../trace/json_schema.ts";
import { RUN_FILES, runFileOf } from "../../../trace/run_files.ts";
import { type Fields, type RecordSchema } from "../../../trace/schema.ts";
import { ctsInvocation, ctsNode, ctsRow, RUN_START_MS, writeCts } from "../../support/cts_run.ts";
import { tempFolder } from "../../support/temp_folder.ts";

const RECORDS = [...new Set(RUN_FILES.map(({ record }) => record))]
  .filter((one): one is RecordSchema<Fields> => one !== null);

/** Values that a field may hold by right or by mistake. */
const ANY_VALUE = fc.oneof(
  fc.constantFrom(null, true, -1, 0, 1, 1.5, 1e308, "", "x", "done", "a".repeat(32), [], ["x"], {}),
  fc.integer(),
  fc.string(),
);

for (const record of RECORDS) {
  Deno.test(`the schema of a ${record.name} accepts what its decoder accepts, and nothing else`, () => {
    const validate = validatorOf(recordSchema(record));
    const names = Object.keys(record.fields);
    const anyRecord = fc.dictionary(fc.constantFrom(...names), ANY_VALUE, {
      maxKeys: names.length,
    });
    fc.assert(fc.property(anyRecord, (value) => {
      const problems = validate(value);
      assertEquals(problems.length === 0, record.firstProblem({ ...value }) === null);
    }));
  });
}

Deno.test("runFileOf() knows files by their pattern", () => {
  assertEquals(runFileOf("events.ffmpeg.jsonl")?.record?.name, "invocation event");
  assertEquals(runFileOf("pids/42")?.record?.name, "sentinel");
  assertEquals(runFileOf("events.a/b.jsonl"), null);
  assertEquals(runFileOf("notes.txt"), null);
});

Deno.test("checkRun() names file, line and field of what is wrong, and reads the rest", async () => {
  await using folder = await tempFolder();
  await writeCts(folder.path, {
    nodes: [ctsNode({ node_id: "n1" })],
    invocations: [ctsInvocation({ trace_id: "a" })],
    rows: [ctsRow({ ts_ms: RUN_START_MS, dt_ms: 1, cpu_ms: 1 })],
  });
  const path = join(folder.path, "results.jsonl");
  const good = { task_id: "t", state: "done", ts_finish: 1 };
  const lines = [good, { ...good, state: "lost" }, { ...good, ts_finish: "now" }, good];
  const text = lines.map((one) => JSON.stringify(one)).join("\n");
  await Deno.writeTextFile(path, `${text}\n{"task_id":`);
  const files = await checkRun(folder.path);
  const broken = files.filter(({ problems }) => problems > 0);
  assertEquals(broken.map(({ path, records, problems }) => [path, records, problems]), [
    ["results.jsonl", 4, 3],
  ]);
  const [state = "", time = "", torn = ""] = broken[0]?.examples ?? [];
  assertStringIncludes(state, "line 2: /state must be equal to one of the allowed values: done");
  assertStringIncludes(time, "line 3: /ts_finish must be number");
  assertStringIncludes(torn, "line 5: JSON is required");
  assertEquals(files.filter(({ record }) => record !== null).length, 4);
});
