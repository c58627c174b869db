/**
 * Each importer against a small file made by hand from the published description of its format: what is
 * said arrives with its unit, what is missing is null.
 */

import { assertEquals, assertObjectMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { ImportError } from "../../../export/import/contract.ts";
import { IMPORT_FORMATS } from "../../../export/import/format_names.ts";
import { formatTable } from "../../../export/import/format_table.ts";
import { IMPORTERS } from "../../../export/import/formats.ts";
import { importRun, type ImportSummary } from "../../../export/import/import.ts";
import type { CtsNode, Invocation, ProcMetric } from "../../../trace/cts.ts";
import { ARCHIVE_CASES } from "./archive_cases.ts";
import { type ImportCase, T0 } from "./import_case.ts";
import { MONITOR_CASES } from "./monitor_cases.ts";
import { SCHEDULER_CASES } from "./scheduler_cases.ts";
import { tempFolder } from "../../support/temp_folder.ts";

const CASES: readonly ImportCase[] = [
  ...SCHEDULER_CASES,
  ...ARCHIVE_CASES,
  ...MONITOR_CASES,
];

async function importFiles(
  folder: string,
  { files, cpuScale, format }: {
    readonly files: ImportCase["files"];
    readonly cpuScale?: number;
    readonly format?: string;
  },
): Promise<ImportSummary> {
  const paths: string[] = [];
  for (const [name, content] of Object.entries(files)) {
    paths.push(join(folder, name));
    await Deno.writeTextFile(join(folder, name), content);
  }
  return await importRun({
    files: paths,
    format: format ?? null,
    runFolder: join(folder, "logs", "run"),
    settings: { utcOffsetMs: 0, cpuScale: cpuScale ?? null },
    hosts: { cores: null, freqMhz: null, memoryKb: null },
    version: "test",
  });
}

async function linesOf<T>(folder: string, name: string): Promise<T[]> {
  const text = await Deno.readTextFile(join(folder, name));
  return text.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
}

for (const one of CASES) {
  Deno.test(`import recognises and reads ${one.format}: ${one.what}`, async () => {
    await using folder = await tempFolder();
    const summary = await importFiles(folder.path, one);
    assertEquals(summary.format, one.format);
    const invocations = await linesOf<Invocation>(summary.folder, "invocations.jsonl");
    assertEquals(invocations.length, one.invocations.length);
    for (const [at, expected] of one.invocations.entries()) {
      assertObjectMatch({ ...invocations[at] }, { ...expected });
    }
    const nodes: CtsNode[] = JSON.parse(
      await Deno.readTextFile(join(summary.folder, "nodes.json")),
    );
    assertEquals(nodes.length, one.nodes.length);
    for (const [at, expected] of one.nodes.entries()) {
      assertObjectMatch({ ...nodes[at] }, { ...expected });
    }
    const rows = await linesOf<ProcMetric>(summary.folder, "proc_metrics.jsonl");
    const samples = rows.map(({ trace_id, cpu_ms, dt_ms }) => [trace_id, cpu_ms, dt_ms]);
    assertEquals(samples, (one.samples ?? []).map((sample) => [...sample]));
    assertStringIncludes(summary.audit.notes.join("\n"), one.notes ?? "");
  });
}

Deno.test("each format has an importer of its name, and a case above or a test of its own", () => {
  assertEquals(IMPORTERS.map(({ name }) => name), [...IMPORT_FORMATS]);
  const tried = new Set([...CASES.map(({ format }) => format), "snakemake", "opendc"]);
  assertEquals(IMPORT_FORMATS.filter((name) => !tried.has(name)), []);
});

Deno.test("import reads Snakemake's benchmarks back from the time at which the file was written", async () => {
  await using folder = await tempFolder();
  const path = join(folder.path, "map.tsv");
  await Deno.writeTextFile(
    path,
    "s\th:m:s\tmax_rss\tcpu_time\n2.0\t0:00:02\t10\t3.5\n1.0\t0:00:01\t-\t-\n",
  );
  await Deno.utime(path, T0 / 1000, T0 / 1000);
  const summary = await importRun({
    files: [path],
    format: null,
    runFolder: join(folder.path, "logs", "run"),
    settings: { utcOffsetMs: 0, cpuScale: null },
    hosts: { cores: 3, freqMhz: 2000, memoryKb: null },
    version: "test",
  });
  const [last, first] = await linesOf<Invocation>(summary.folder, "invocations.jsonl");
  assertObjectMatch({ ...last }, { attempt: 2, ts_start: T0 - 1000, ts_end: T0, cpu_ms: null });
  assertObjectMatch({ ...first }, {
    attempt: 1,
    ts_start: T0 - 3000,
    ts_end: T0 - 1000,
    cpu_ms: 3500,
    max_rss_kb: 10_240,
  });
  const [node] = JSON.parse(await Deno.readTextFile(join(summary.folder, "nodes.json")));
  assertObjectMatch(node, { cpu_cores: 3, cpu_freq_mhz: 2000 });
});

const FAULTS:
  readonly (readonly [what: string, given: Parameters<typeof importFiles>[1], message: string])[] =
    [
      ["an unknown format", { files: { "a.txt": "hello\n" } }, "not recognised"],
      [
        "a file without any entry",
        { files: { "a.swf": "; Version: 2\n1 2 3\n" } },
        "at least one entry",
      ],
      [
        "a header without what is needed",
        { files: { "a.log": "Seq\tHost\tStarttime\tX\n" } },
        "JobRuntime",
      ],
      ["normalised values without a scale", {
        files: {
          "e.csv": "time,type,collection_id,instance_index,machine_id,resource_request.cpus\n",
        },
      }, "--cpu-scale"],
      ["a broken JSON file", { files: { "w.json": '{"schemaVersion": ' } }, "JSON is required"],
      ["an answer that is not a matrix", {
        files: { "p.json": '{"status":"error"}' },
        format: "prometheus",
      }, "resultType"],
    ];

for (const [what, given, message] of FAULTS) {
  Deno.test(`import refuses ${what}, and leaves nothing`, async () => {
    await using folder = await tempFolder();
    const error = await assertRejects(() => importFiles(folder.path, given), ImportError);
    assertStringIncludes(error.message, message);
    const left = [];
    try {
      for await (const { name } of Deno.readDir(join(folder.path, "logs", "run", "CTS"))) {
        left.push(name);
      }
    } catch (caught) {
      if (!(caught instanceof Deno.errors.NotFound)) throw caught;
    }
    assertEquals(left, []);
  });
}

Deno.test("the page on imports has the table that the importers declare", async () => {
  const page = await Deno.readTextFile(new URL("../../../docs/how-to/import.md", import.meta.url));
  const unformatted = (text: string): string => text.replace(/-{3,}/g, "---").replace(/\s+/g, " ");
  assertStringIncludes(unformatted(page), unformatted(formatTable()).trim());
});
