import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import fc from "fast-check";
import { MergedSamples, sortSamples } from "../../../export/cts/sorted_samples.ts";
import type { RecordTime } from "../../../export/cts/run_clock.ts";
import { tempFolder } from "../../support/temp_folder.ts";

function byTime({ tsUs }: RecordTime): number {
  return tsUs;
}

/** Lines with these times, each with its place as pid. */
function linesOf(times: readonly number[]): string[] {
  return times.map((ts_ms, index) => JSON.stringify({ ts_ms, pid: index + 1, cpu_ns: 0 }));
}

async function readAll(paths: readonly string[]): Promise<string[]> {
  using source = await MergedSamples.open(paths, byTime);
  const lines: string[] = [];
  while (await source.fill()) {
    while (source.next()) lines.push(new TextDecoder().decode(source.line));
  }
  return lines;
}

Deno.test("sortSamples() and MergedSamples put lines in order, however many pieces there are", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.nat(50), { maxLength: 60 }),
      fc.integer({ min: 1, max: 3000 }),
      async (times, pieceBytes) => {
        await using folder = await tempFolder();
        const path = join(folder.path, "samples.jsonl");
        const lines = linesOf(times);
        await Deno.writeTextFile(path, lines.map((line) => `${line}\n`).join(""));
        const sorted = await sortSamples(path, {
          orderOf: byTime,
          folder: folder.path,
          pieceBytes,
        });
        assertEquals(sorted.counts.lines, times.length);
        const expected = lines.map((line, index) => ({ line, at: times[index]! }))
          .sort((a, b) => a.at - b.at).map(({ line }) => line);
        assertEquals(await readAll(sorted.pieces), expected);
      },
    ),
    { numRuns: 60 },
  );
});

Deno.test("MergedSamples reads files that are larger than a block", async () => {
  await using folder = await tempFolder();
  const times = Array.from({ length: 9000 }, (_, index) => index);
  const paths = [0, 1, 2].map((part) => join(folder.path, `part-${part}`));
  const lines = linesOf(times);
  for (const [part, path] of paths.entries()) {
    const own = lines.filter((_, index) => index % 3 === part);
    await Deno.writeTextFile(path, own.map((line) => `${line}\n`).join(""));
  }
  assertEquals(await readAll(paths), lines);
});

Deno.test("MergedSamples of nothing is empty", async () => {
  assertEquals(await readAll([]), []);
});
