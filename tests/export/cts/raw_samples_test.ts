import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import fc from "fast-check";
import { RawSampleFile } from "../../../export/cts/raw_samples.ts";
import { tempFolder } from "../../support/temp_folder.ts";

const encoder = new TextEncoder();

function sample(pid: number): string {
  return JSON.stringify({ ts_ms: 1000 + pid, pid, cpu_ns: pid * 1e6, trace_id: `trace-${pid}` });
}

interface Read {
  readonly pids: readonly number[];
  readonly traces: readonly (string | null)[];
  readonly counts: Record<string, number>;
  readonly examples: readonly string[];
}

/** What a file with `content` holds, read in blocks of `blockBytes`. */
async function read(content: string | Uint8Array, blockBytes?: number): Promise<Read> {
  await using folder = await tempFolder();
  const path = join(folder.path, "proc_metrics.jsonl");
  await Deno.writeFile(path, typeof content === "string" ? encoder.encode(content) : content);
  using file = await RawSampleFile.open(path, blockBytes);
  const pids: number[] = [];
  const traces: (string | null)[] = [];
  while (await file.fill()) {
    while (file.next()) {
      pids.push(file.reading.pid);
      traces.push(file.reading.traceId());
    }
  }
  const { examples, ...counts } = file.counts;
  return { pids, traces, counts, examples: examples.map((one) => one.slice(path.length)) };
}

const NONE_BAD = { torn: 0, malformed: 0, foreign: 0 };

Deno.test("RawSampleFile reads the same samples whatever the size of its blocks", async () => {
  const pids = Array.from({ length: 40 }, (_, index) => index + 1);
  const content = pids.map((pid) => `${sample(pid)}\n`).join("");
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 300 }), async (blockBytes) => {
      const found = await read(content, blockBytes);
      assertEquals(found.pids, pids);
      assertEquals(found.traces, pids.map((pid) => `trace-${pid}`));
      assertEquals(found.counts, { lines: 40, ...NONE_BAD });
    }),
    { numRuns: 50 },
  );
});

Deno.test("RawSampleFile reads an empty file", async () => {
  assertEquals(await read(""), {
    pids: [],
    traces: [],
    counts: { lines: 0, ...NONE_BAD },
    examples: [],
  });
});

Deno.test("RawSampleFile counts a torn last line, and reads one that only lacks its newline", async () => {
  const torn = await read(`${sample(1)}\n${sample(2).slice(0, -9)}`);
  assertEquals(torn.pids, [1]);
  assertEquals(torn.counts, { lines: 2, ...NONE_BAD, torn: 1 });
  const whole = await read(`${sample(1)}\n${sample(2)}`);
  assertEquals(whole.pids, [1, 2]);
  assertEquals(whole.counts, { lines: 2, ...NONE_BAD });
});

Deno.test("RawSampleFile counts lines that are not JSON, and those of another record", async () => {
  const found = await read(`${sample(1)}\nnonsense\n\n{"event":"launch"}\n${sample(2)}\n`);
  assertEquals(found.pids, [1, 2]);
  assertEquals(found.counts, { lines: 4, ...NONE_BAD, malformed: 1, foreign: 1 });
  assertEquals(found.examples.map((one) => one.split(": ")[0]), [":2", ":4"]);
});

Deno.test("RawSampleFile skips the zeros that a power failure leaves in a file", async () => {
  const zeros = new Uint8Array(300_000);
  const content = [encoder.encode(`${sample(1)}\n`), zeros, encoder.encode(`\n${sample(2)}\n`)];
  const found = await read(new Uint8Array(await new Blob(content).arrayBuffer()), 1000);
  assertEquals(found.pids, [1, 2]);
  assertEquals(found.counts, { lines: 3, ...NONE_BAD, malformed: 1 });
});

Deno.test("RawSampleFile skips lines that are too long to be a sample's", async () => {
  const long = sample(7).replace("trace-7", "x".repeat(70_000));
  for (const blockBytes of [1000, 80_000, 1_000_000]) {
    const found = await read(
      `${sample(1)}\n${long}\n${sample(2)}\n${long} \n${sample(3)}\n`,
      blockBytes,
    );
    assertEquals(found.pids, [1, 2, 3]);
    assertEquals(found.counts, { lines: 5, ...NONE_BAD, malformed: 2 });
  }
});
