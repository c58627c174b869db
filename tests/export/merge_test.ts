import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { MergeError, mergeRun, planMerge } from "../../export/merge.ts";
import { parseNode } from "../../export/parse.ts";
import type { RawSample } from "../../trace/records.ts";
import {
  clockOffset,
  collectorStats,
  invocationEvent,
  nodeMeta,
  type RawRun,
  rawSample,
  readCts,
  RUN_START,
  taskResult,
  toLines,
  writeRawRun,
} from "../support/raw_run.ts";
import { tempFolder } from "../support/temp_folder.ts";

/** Ten ticks of one task. */
const SAMPLES: readonly Partial<RawSample>[] = Array.from(
  { length: 10 },
  (_, tick) => rawSample(200 * tick + 200, { cpu_ns: (tick + 1) * 150e6 }),
);

const EVENTS = [
  invocationEvent({ startMs: 0, endMs: null }),
  invocationEvent({ startMs: 0, endMs: 2010 }, { user_ms: 1505 }),
];

const WHOLE: RawRun = {
  samples: SAMPLES,
  events: EVENTS,
  stats: [collectorStats(5), collectorStats(5, { cpu_ms: 13 })],
};

/** Write the run `WHOLE` as two chunks that overlap by two samples and an event. */
async function writeChunks(folder: string): Promise<string[]> {
  const paths = ["first", "second"].map((name) => join(folder, "chunks", name));
  const [first, second] = paths as [string, string];
  const stats = WHOLE.stats!;
  await writeRawRun(first, {
    ...WHOLE,
    samples: SAMPLES.slice(0, 6),
    events: EVENTS.slice(0, 1),
    stats: stats.slice(0, 1),
    results: [],
  });
  await writeRawRun(second, {
    ...WHOLE,
    samples: SAMPLES.slice(4),
    stats: stats.slice(1),
    meta: nodeMeta({ ts_ms: RUN_START.tsMs + 1000 }),
  });
  return paths;
}

Deno.test("mergeRun() makes of chunks what the whole run is", async () => {
  await using folder = await tempFolder();
  const chunks = await writeChunks(folder.path);
  const whole = join(folder.path, "whole");
  await writeRawRun(whole, WHOLE);
  await parseNode(whole);
  const expected = await readCts(whole);
  for (const inputs of [chunks, chunks.toReversed()]) {
    const output = await Deno.makeTempDir({ dir: folder.path });
    const merged = await mergeRun(await planMerge(inputs, output));
    const samples = merged[1]!.files.find(({ name }) => name === "proc_metrics.jsonl");
    assertEquals(samples?.duplicates, 2);
    assertEquals(samples?.isSorted, false);
    const meta = await Deno.readTextFile(join(output, "cloud1", "node_meta.json"));
    assertEquals(JSON.parse(meta).ts_ms, RUN_START.tsMs);
    const { audit } = await parseNode(join(output, "cloud1"));
    assertEquals(audit.findings, []);
    assertEquals(await readCts(join(output, "cloud1")), expected);
  }
});

Deno.test("mergeRun() sorts samples of a chunk that is out of order", async () => {
  await using folder = await tempFolder();
  const input = join(folder.path, "input");
  await writeRawRun(input, { ...WHOLE, samples: SAMPLES.toReversed() });
  const output = join(folder.path, "run");
  const merged = await mergeRun(await planMerge([input], output));
  assertEquals(merged[1]!.files.filter(({ isSorted }) => isSorted).length, 1);
  assertEquals(
    await Deno.readTextFile(join(output, "cloud1", "proc_metrics.jsonl")),
    toLines(SAMPLES),
  );
});

Deno.test("mergeRun() puts each node into its folder, and the run's records above", async () => {
  await using folder = await tempFolder();
  const inputs = join(folder.path, "fetched");
  for (const [index, node_id] of ["cloud1", "cloud2"].entries()) {
    const event = invocationEvent({ startMs: 5000, endMs: 5100 }, { node: node_id, user_ms: 50 });
    await writeRawRun(join(inputs, node_id), {
      events: [event],
      // Each task was tried on both; the queue took the one of cloud2.
      results: [],
      offsets: [clockOffset(0, { offset_ms: index * 40 })],
      meta: nodeMeta({ node_id }),
    });
  }
  await Deno.writeTextFile(
    join(inputs, "results.jsonl"),
    toLines([taskResult({ node: "cloud2" }), taskResult({ node: "cloud2" })]),
  );
  const output = join(folder.path, "run");
  const [run] = await mergeRun(await planMerge([inputs], output));
  assertEquals(run?.files.map(({ name, written }) => [name, written]), [["results.jsonl", 1]]);
  const states: Record<string, string> = {};
  const starts: number[] = [];
  for (const node of ["cloud1", "cloud2"]) {
    await parseNode(join(output, node), { align: "controller" });
    const [invocation] = (await readCts(join(output, node))).invocations;
    states[node] = invocation!.state;
    starts.push(invocation!.ts_start! - RUN_START.tsMs);
  }
  assertEquals(states, { cloud1: "superseded", cloud2: "done" });
  assertEquals(starts, [5000, 5040]);
});

Deno.test("mergeRun() adds to what the scheduler left in the run's folder", async () => {
  await using folder = await tempFolder();
  const input = join(folder.path, "fetched", "cloud1");
  const output = join(folder.path, "logs", "run");
  await writeRawRun(input, WHOLE);
  await Deno.mkdir(output, { recursive: true });
  const decided = taskResult({ task_id: "task-b" });
  await Deno.writeTextFile(join(output, "results.jsonl"), toLines([decided]));
  await Deno.writeTextFile(join(output, "placement_events.jsonl"), toLines([{ event: "placed" }]));
  await mergeRun(await planMerge([input], output));
  const results = await Deno.readTextFile(join(output, "results.jsonl"));
  assertEquals(results, toLines([decided, taskResult()]));
  const events = await Deno.readTextFile(join(output, "placement_events.jsonl"));
  assertEquals(events, toLines([{ event: "placed" }]));
});

Deno.test("mergeRun() leaves out lines that are not records, and counts them", async () => {
  await using folder = await tempFolder();
  const input = join(folder.path, "input");
  await writeRawRun(input, WHOLE);
  const events = join(input, "events.command.jsonl");
  await Deno.writeTextFile(events, `junk\n${toLines(EVENTS)}{"event":"la`);
  const output = join(folder.path, "run");
  const merged = await mergeRun(await planMerge([input], output));
  const file = merged[1]!.files.find(({ name }) => name === "events.command.jsonl")!;
  assertEquals([file.written, file.counts.malformed, file.counts.torn], [2, 1, 1]);
  const text = await Deno.readTextFile(join(output, "cloud1", "events.command.jsonl"));
  assertEquals(text, toLines(EVENTS));
});

Deno.test("mergeRun() can take the folder that it writes among its inputs", async () => {
  await using folder = await tempFolder();
  const [first, second] = await writeChunks(folder.path);
  const output = join(folder.path, "run");
  await mergeRun(await planMerge([first!], output));
  await mergeRun(await planMerge([join(output, "cloud1"), second!], output));
  const text = await Deno.readTextFile(join(output, "cloud1", "proc_metrics.jsonl"));
  assertEquals(text, toLines(SAMPLES));
});

Deno.test("mergeRun() can be done again with more, and leaves other nodes alone", async () => {
  await using folder = await tempFolder();
  const chunks = await writeChunks(folder.path);
  const other = join(folder.path, "other");
  await writeRawRun(other, { ...WHOLE, meta: nodeMeta({ node_id: "cloud2" }) });
  const output = join(folder.path, "run");
  await mergeRun(await planMerge([chunks[0]!, other], output));
  await mergeRun(await planMerge(chunks, output));
  for (const node of ["cloud1", "cloud2"]) {
    const text = await Deno.readTextFile(join(output, node, "proc_metrics.jsonl"));
    assertEquals(text, toLines(SAMPLES));
  }
});

Deno.test("planMerge() refuses what cannot be merged", async () => {
  await using folder = await tempFolder();
  const one = join(folder.path, "one");
  const other = join(folder.path, "other");
  await writeRawRun(one, WHOLE);
  await writeRawRun(other, { ...WHOLE, meta: nodeMeta({ run_id: "another" }) });
  const output = join(folder.path, "run");
  const refused = (inputs: readonly string[], words: string): Promise<unknown> =>
    assertRejects(() => planMerge(inputs, output), MergeError, words);
  await refused([join(folder.path, "nothing")], "got none");
  await refused([one, other], "parts of one run are required, got run and another");
  await writeRawRun(join(output, "cloud1"), WHOLE);
  await refused([one], "holds records that are not among the inputs");
  await Deno.writeTextFile(join(output, "proc_metrics.jsonl"), "");
  await refused([output], "it is the run directory of a node itself");
  assert((await Deno.stat(join(one, "proc_metrics.jsonl"))).isFile);
});
