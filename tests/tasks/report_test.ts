import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { bundlePage, PAGE_BUNDLE } from "../../tasks/build/page.ts";
import { parseCommand } from "../../tasks/command/parse.ts";
import { REPORT, REPORT_ROLE } from "../../tasks/flags/report.ts";
import { main } from "../../tasks/report.ts";
import { parseNode } from "../../export/parse.ts";
import type { ReportJson } from "../../export/report/report.ts";
import { runCommand } from "../support/command_process.ts";
import { writeQueueRun } from "../support/queue_run.ts";
import { recordingIo } from "../support/recording_io.ts";
import { tempFolder } from "../support/temp_folder.ts";

Deno.test("the bundle of the report's page is that of its sources", async () => {
  const kept = await Deno.readTextFile(new URL(`../../${PAGE_BUNDLE}`, import.meta.url));
  assert(await bundlePage() === kept, "stale: run deno task report-page");
});

Deno.test("report writes a page and its figures under its grant, and says what a reader asks first", async () => {
  await using root = await tempFolder();
  const run = join(root.path, "logs", "r1");
  await writeQueueRun(run);
  for (const node of ["cloud1", "cloud2"]) await parseNode(join(run, node));
  const { code, stderr } = await runCommand(["run", "report", "r1"], { cwd: root.path });
  assertEquals(code, 0, stderr);
  assertMatch(stderr, /tasks were done|Of \d+ tasks/);
  assertMatch(await Deno.readTextFile(join(run, "report.html")), /^\s*<!DOCTYPE html>/);
  const json = JSON.parse(await Deno.readTextFile(join(run, "report.json"))) as ReportJson;
  const [found] = json.runs;
  // Three tasks of the queue and a traced command; one attempt was tried again.
  assertEquals([found?.tasks, found?.repeated_attempts], [4, 1]);
  assertEquals(found?.nodes.map(({ name }) => name), ["cloud1", "cloud2"]);
  assertEquals(found?.audits.length, 2);
});

Deno.test("report compares runs that are given by their folders", async () => {
  await using root = await tempFolder();
  const runs = [join(root.path, "a"), join(root.path, "b")];
  for (const run of runs) {
    await writeQueueRun(run);
    for (const node of ["cloud1", "cloud2"]) await parseNode(join(run, node));
  }
  const io = recordingIo();
  const output = join(root.path, "both.html");
  const args = [...runs, "--output", output, "--json"];
  assertEquals(await main(parseCommand(REPORT, args, { env: {}, runIdEnv: {} }), io), 0);
  const json = JSON.parse(io.printed.join("")) as ReportJson;
  assertEquals(json.comparisons.map(({ matched }) => matched), [5]);
});

Deno.test("report refuses what is no run, and what is no page", async () => {
  await using root = await tempFolder();
  const report = (...args: string[]) =>
    main(parseCommand(REPORT, args, { env: {}, runIdEnv: {} }), recordingIo());
  await assertRejects(() => report(join(root.path, "x")), Error, "a folder of a run is required");
  await assertRejects(() => report(root.path), Error, "Cannot report on");
  await assertRejects(
    () => Promise.try(() => report(root.path, "--output", "x.pdf")),
    Error,
    "must end in .html",
  );
  await assertRejects(() => Promise.try(() => report()), Error, "RUN_ID");
});

Deno.test("report may read its runs and the records above them, and write beside its page", () => {
  const { options, operands } = parseCommand(REPORT, ["/logs/r1", "--output", "/out/x.html"], {
    env: {},
    runIdEnv: {},
  });
  const { read, write } = REPORT_ROLE.grant(options as never, operands);
  assertEquals([read, write], [["/logs/r1", "/logs", "/out"], ["/out"]]);
});
