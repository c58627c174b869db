import { assert, assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { AnonymizeError, anonymizeRun } from "../../../export/anonymize/anonymize.ts";
import { TEXT_RULES, textRuleOf } from "../../../export/anonymize/rules.ts";
import { Tokens } from "../../../export/anonymize/tokens.ts";
import { parseNode } from "../../../export/parse.ts";
import type { Invocation } from "../../../trace/cts.ts";
import { RUN_FILES } from "../../../trace/run_files.ts";
import { invocationEvent, nodeMeta, rawSample, writeRawRun } from "../../support/raw_run.ts";
import { tempFolder } from "../../support/temp_folder.ts";

const SALT = "a key of the tests that is long enough";

Deno.test("every field that can hold any text has a rule", () => {
  const without = RUN_FILES.flatMap(({ path, record }) => {
    // What parse makes is made again from the raw records.
    if (record === null || path.startsWith("CTS/")) return [];
    return Object.entries(record.fields)
      .filter(([name, field]) => textRuleOf(name, field) !== null && !(name in TEXT_RULES))
      .map(([name]) => `${record.name}: ${name}`);
  });
  assertEquals(without, []);
});

Deno.test("Tokens give the same hash for the same salt, and keep ids of hex digits so", () => {
  const [one, same, other] = [new Tokens(SALT), new Tokens(SALT), new Tokens(`${SALT}!`)];
  assertEquals(one.hash("cloud1"), same.hash("cloud1"));
  assertNotEquals(one.hash("cloud1"), other.hash("cloud1"));
  assertNotEquals(one.wallMs, other.wallMs);
  assertEquals(one.hash("0123456789abcdef").length, 16);
  assertEquals(one.hash(""), "");
  assertEquals(one.hashUnlessKnown("hevc1080p"), "hevc1080p");
  assertEquals([...one.originals].sort(), ["0123456789abcdef", "cloud1"]);
});

async function invocationsIn(folder: string): Promise<Invocation[]> {
  const text = await Deno.readTextFile(join(folder, "CTS", "invocations.jsonl"));
  return text.trimEnd().split("\n").map((line) => JSON.parse(line));
}

Deno.test("an anonymised run has the figures of its original, and none of its names", async () => {
  await using folder = await tempFolder();
  const run = join(folder.path, "experiment-of-alice");
  await writeRawRun(run, {
    meta: nodeMeta({ node_id: "alices-laptop", host_name: "alices-laptop.example.org" }),
    samples: [0, 200, 400, 600].map((atMs) => rawSample(atMs, { cpu_ns: atMs * 500_000 })),
    events: [
      invocationEvent({ startMs: 0, endMs: null }, { node: "alices-laptop", input: "secret.mp4" }),
      invocationEvent({ startMs: 0, endMs: 700 }, {
        node: "alices-laptop",
        input: "secret.mp4",
        stderr_tail: "cannot open secret.mp4",
        cpu_ms: 350,
        user_ms: 300,
        system_ms: 50,
        status: 1,
      }),
    ],
  });
  await Deno.writeTextFile(join(run, "notes.txt"), "alices-laptop");
  const output = join(folder.path, "public");
  const summary = await anonymizeRun({ input: run, output, salt: SALT });
  assertEquals(summary.leaks, []);
  assert(summary.leftOut.includes("notes.txt"));
  await parseNode(run);
  const figures = (all: readonly Invocation[]): unknown[] =>
    all.map(({ cpu_ms, samples, status, state, ts_start, ts_end, cpu_units }) => [
      ...[cpu_ms, samples, status, state, cpu_units],
      Math.round((ts_end ?? 0) - (ts_start ?? 0)),
    ]);
  const [before, after] = [await invocationsIn(run), await invocationsIn(output)];
  assertEquals(figures(after), figures(before));
  const events = await Deno.readTextFile(join(output, "events.command.jsonl"));
  for (const name of ["alice", "secret", "cloud1"]) assert(!events.includes(name), name);
});

Deno.test("anonymizeRun() refuses a folder that exists, and a folder without a run", async () => {
  await using folder = await tempFolder();
  const empty = join(folder.path, "empty");
  await Deno.mkdir(empty);
  const into = (output: string) => anonymizeRun({ input: empty, output, salt: SALT });
  await assertRejects(() => into(empty), AnonymizeError, "does not exist");
  await assertRejects(() => into(join(folder.path, "new")), AnonymizeError, "records");
});
