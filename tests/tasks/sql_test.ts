import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { parseNode } from "../../export/parse.ts";
import { CommandError } from "../../tasks/command/main.ts";
import { parseCommand } from "../../tasks/command/parse.ts";
import { UsageError } from "../../tasks/command/usage_error.ts";
import { SQL } from "../../tasks/flags/sql.ts";
import { main } from "../../tasks/sql.ts";
import { RunDatabase } from "../../tasks/sql/database.ts";
import { ensureTables } from "../../tasks/sql/tables.ts";
import { VIEWS } from "../../tasks/sql/views.ts";
import { ROOT } from "../support/module_graph.ts";
import { writeQueueRun } from "../support/queue_run.ts";
import { recordingIo } from "../support/recording_io.ts";
import { tempFolder } from "../support/temp_folder.ts";

const NO_SOURCES = { env: {}, runIdEnv: {} };

async function sql(...args: readonly string[]): Promise<readonly string[]> {
  const io = recordingIo();
  assertEquals(await main(parseCommand(SQL, args, NO_SOURCES), io), 0);
  return io.printed;
}

async function parsedRun(folder: string, name = "r1"): Promise<string> {
  const run = join(folder, name);
  await writeQueueRun(run);
  for (const node of ["cloud1", "cloud2"]) await parseNode(join(run, node));
  return run;
}

/** Answers to the questions of the page, for the run of the tests; found by hand from its records. */
const ANSWERS: readonly (readonly (readonly unknown[])[])[] = [
  [["done", 3], ["failed", 1]],
  [["run", 1.97]],
  [[3, 60, 1620]],
  [[1510 / 1690.25, 140 / 1690.25, 40.25 / 1690.25]],
  [["task-c", "cloud1", 1620, 200], ["task-a", "cloud1", 10.25, 1000]],
  [["light1c", 1, 1000], ["none", 3, 40]],
  [[4.48, 0.23569, 0.23569 / 4.48]],
  [["task-a", 4, 0.112345]],
  [["cloud1", 0, 0.895, 0.055], ["cloud1", 1000, 0.21, 0.027], ["cloud1", 2000, 0.01, 0.004]],
  [[2]],
  [[0.55, 0.85]],
  [[3, 9.1, 1]],
  [
    ["mean slowdown of profiles", 2, 0.651],
    ["slowdown of tasks", 3, 0.665],
    ["use of reservations", 3, 0.674],
    ["wait of tasks", 3, 0.362],
  ],
  [
    [null, null, "cloud1", 1, null, 'he said "no",\nand left; ünïcode'],
    ["task-c", 1, "cloud2", 1, "SIGKILL", null],
  ],
  [[1, 112.345]],
  [["busy", 2]],
  [[2, "task-a"]],
  [
    [200, 89.75, 50, "reading"],
    [400, 200, 30, "reading"],
    [1110.25, 710.25, 32.345, "spread"],
  ],
  // 80 ms of task-a, 1 of the traced command, 5 of task-b, 1.5 and nothing of task-c.
  [[87.5 / (4 * 112.345 + 11)]],
  [["cloud1", 0.5, 12.5], ["cloud2", 0.5, 12.5]],
];

Deno.test("the twenty questions of the page have the answers that the records give", async () => {
  await using folder = await tempFolder();
  const run = await parsedRun(folder.path);
  const page = await Deno.readTextFile(join(ROOT, "docs/how-to/sql.md"));
  const questions = [...page.matchAll(/^### (\d+)\..*?```sql\n(.*?)^```/gms)];
  assertEquals(questions.map(([, number]) => Number(number)), ANSWERS.map((_, at) => at + 1));
  using database = await RunDatabase.open([await ensureTables(run, recordingIo())]);
  for (const [at, [, number, statement = ""]] of questions.entries()) {
    const results = await Array.fromAsync(database.query(statement));
    assertEquals(results.length, 1);
    assertEquals(rounded(results[0]?.rows ?? []), rounded(ANSWERS[at] ?? []), `question ${number}`);
  }
});

/** Numbers to nine digits: sums of decimals. */
function rounded(rows: readonly (readonly unknown[])[]): unknown[][] {
  return rows.map((row) =>
    row.map((value) => typeof value === "number" ? Number(value.toPrecision(9)) : value)
  );
}

Deno.test("sql takes several runs, and prints a table, CSV or JSON", async () => {
  await using folder = await tempFolder();
  await parsedRun(folder.path, "r1");
  await parsedRun(folder.path, "r2");
  const both = [`--logs=${folder.path}`, "--input=r1,r2"];
  const count = "SELECT count(*) AS n, 'a\"b' AS t, NULL AS u FROM tasks";
  assertEquals(await sql(...both, "--format=json", count), ['[{"n":8,"t":"a\\"b","u":null}]']);
  assertEquals(await sql(...both, "--format=csv", count), ["n,t,u", '8,"a""b",']);
  const lines = await sql(...both, "SELECT ts_start, 7 AS n FROM tasks LIMIT 1; SELECT 1 AS x");
  assertEquals(lines, [
    "ts_start                   n",
    "─────────────────────────  ─",
    "2025-09-01 12:00:00.05+00  7",
    "(1 row)",
    "x",
    "─",
    "1",
    "(1 row)",
  ]);
});

Deno.test("sql makes the tables again when the run was parsed again, and takes a folder of tables", async () => {
  await using folder = await tempFolder();
  const run = await parsedRun(folder.path);
  const io = recordingIo();
  const { folder: tables } = await ensureTables(run, io);
  await ensureTables(run, io);
  assertEquals(io.said.filter((line) => line.startsWith("Making")).length, 1);
  await Deno.utime(
    join(run, "cloud1/CTS/invocations.jsonl"),
    new Date(),
    new Date(Date.now() + 5000),
  );
  await ensureTables(run, io);
  assertEquals(io.said.filter((line) => line.startsWith("Making")).length, 2);
  const moved = join(folder.path, "published");
  await Deno.rename(tables, moved);
  assertEquals(await sql(`--input=${moved}`, "--format=csv", "SELECT count(*) AS n FROM nodes"), [
    "n",
    "2",
  ]);
});

Deno.test("sql reads a file or stdin, and tells of an error in one message", async () => {
  await using folder = await tempFolder();
  const run = await parsedRun(folder.path);
  const file = join(folder.path, "question.sql");
  await Deno.writeTextFile(file, "SELECT 1 AS one;\n-- the end\n");
  assertEquals(await sql(`--input=${run}`, `--file=${file}`, "--format=csv"), ["one", "1"]);
  await assertRejects(
    () => sql(`--input=${run}`, "SELECT nothing FROM tasks"),
    CommandError,
    "nothing",
  );
  await assertRejects(
    () => sql(`--input=${run}`, `--file=${file}`, "SELECT 1"),
    UsageError,
    "not both",
  );
  const none = join(folder.path, "none");
  await assertRejects(() => sql(`--logs=${none}`, "SELECT 1"), CommandError, "there is no run");
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "-q", join(ROOT, "tasks/sql.ts"), `--input=${run}`, "--format=json"],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode("SELECT count(*) AS n FROM attempts"));
  await writer.close();
  const { code, stdout } = await child.output();
  assertEquals([code, new TextDecoder().decode(stdout)], [0, '[{"n":5}]\n']);
});

Deno.test("each view is described on the page and answers", async () => {
  await using folder = await tempFolder();
  const page = await Deno.readTextFile(join(ROOT, "docs/how-to/sql.md"));
  using database = await RunDatabase.open([
    await ensureTables(await parsedRun(folder.path), recordingIo()),
  ]);
  for (const { name } of VIEWS) {
    assertStringIncludes(page, `| \`${name}\``);
    const [result] = await Array.fromAsync(database.query(`FROM ${name}`));
    assert((result?.rows.length ?? 0) > 0, name);
  }
});
