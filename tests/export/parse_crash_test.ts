import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { parseNode } from "../../export/parse.ts";
import {
  collectorStats,
  cpuUsOf,
  invocationEvent,
  type RawRun,
  rawSample,
  readCts,
  writeRawRun,
} from "../support/raw_run.ts";
import { tempFolder } from "../support/temp_folder.ts";

/** A small run in which nothing is wrong. */
const RUN: RawRun = {
  samples: [rawSample(100, { cpu_ns: 90e6 }), rawSample(200, { cpu_ns: 190e6 })],
  events: [
    invocationEvent({ startMs: 0, endMs: null }),
    invocationEvent({ startMs: 0, endMs: 210 }, { user_ms: 195, system_ms: 1 }),
  ],
  stats: [collectorStats(1), collectorStats(1)],
};

const FILES = [
  "proc_metrics.jsonl",
  "events.command.jsonl",
  "results.jsonl",
  "clock.jsonl",
  "collector_stats.jsonl",
  "node_meta.json",
];

Deno.test("parseNode() finds nothing wrong with a sound run", async () => {
  await using folder = await tempFolder();
  await writeRawRun(folder.path, RUN);
  const { audit } = await parseNode(folder.path);
  assertEquals(audit.findings, []);
  assertEquals(audit.verdict, "PASS");
});

/** Folders worked in at once: a parse waits for the disk most of the time. */
const LANES = 8;

/**
 * Distance of the cuts in what goes before the last line, bytes: no divisor of a record's length, so that
 * the cuts of many like records fall on all of its bytes. The last line is cut at each.
 */
const STRIDE = 7;

/** Where a file of `text` is cut off: at each byte of its last line, and all over the rest. */
function cutsOf(text: Uint8Array): number[] {
  const newline = 0x0a;
  const lastLine = text.lastIndexOf(newline, text.length - 2) + 1;
  return Array.from(text.keys()).filter((at) => at >= lastLine || at % STRIDE === 0);
}

/** Cut the file `name` of a run off at every `LANES`th of its cuts from `first`, and parse each time. */
async function parseCutOff(name: string, first: number): Promise<void> {
  await using folder = await tempFolder();
  await writeRawRun(folder.path, RUN);
  const path = join(folder.path, name);
  const whole = await Deno.readFile(path);
  // A last line that lacks its newline only has lost nothing.
  const longest = whole.length - (name.endsWith(".jsonl") ? 1 : 0);
  const lengths = cutsOf(whole.subarray(0, longest)).filter((_, at) => at % LANES === first);
  for (const length of lengths) {
    await Deno.writeFile(path, whole.subarray(0, length));
    const { audit, cpuResidualMaxMs } = await parseNode(folder.path);
    assert(audit.findings.length > 0, `no finding at ${length} of ${whole.length} bytes`);
    assertEquals(cpuResidualMaxMs, 0);
    const { invocations, rows } = await readCts(folder.path);
    for (const { trace_id, cpu_ms } of invocations) {
      if (cpu_ms !== null) assertEquals(cpuUsOf(rows, trace_id), cpu_ms * 1000);
    }
  }
}

Deno.test.each(FILES.map((name) => ({ name })))(
  "parseNode() takes $name cut off at any byte, and tells it",
  async ({ name }) => {
    await Promise.all(Array.from({ length: LANES }, (_, lane) => parseCutOff(name, lane)));
  },
);

Deno.test.each(FILES.map((name) => ({ name })))(
  "parseNode() takes a run without $name, and tells it",
  async ({ name }) => {
    await using folder = await tempFolder();
    await writeRawRun(folder.path, RUN);
    await Deno.remove(join(folder.path, name));
    const { audit } = await parseNode(folder.path);
    assert(audit.findings.length > 0);
  },
);

Deno.test.each(FILES.map((name) => ({ name })))(
  "parseNode() takes any bytes for $name",
  async ({ name }) => {
    await using folder = await tempFolder();
    for (const filler of ["\0".repeat(5000), "\n\n\n", "[]\n{}\nnull\n0\n", "\ud83d{\n\xff"]) {
      await writeRawRun(folder.path, RUN);
      await Deno.writeTextFile(join(folder.path, name), filler);
      const { audit } = await parseNode(folder.path);
      assert(audit.findings.length > 0);
    }
  },
);
