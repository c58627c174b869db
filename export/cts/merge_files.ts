/**
 * Several files of records as one, each record once.
 *
 * @module
 */

import { readLines } from "../../trace/json_lines.ts";
import { ByteLines } from "../byte_lines.ts";
import type { RawReading } from "./raw_line.ts";
import { countBadLine, type LineCounts, noLines, sumCounts } from "./raw_samples.ts";
import { RunClock } from "./run_clock.ts";
import { firstTime } from "./run_pass.ts";
import { MergedSamples, type OrderOf, sortSamples } from "./sorted_samples.ts";

/** Lines held before they are written: about a megabyte. */
const LINES_PER_FLUSH = 1000;

const NEWLINE = new Uint8Array([10]);

/** A file that was put together. */
export interface MergedFile {
  /** Its name. */
  readonly name: string;
  /** Lines read, and those that were not records. */
  readonly counts: LineCounts;
  /** Lines written. */
  readonly written: number;
  /** Records that were there already. */
  readonly duplicates: number;
  /** True where samples had to be sorted. */
  readonly isSorted: boolean;
}

/** Where a merged file goes. */
export interface MergeTarget {
  /** Its name in the result. */
  readonly name: string;
  /** Where to write it. */
  readonly path: string;
}

/** Put the lines of `paths` one behind the other; a line that repeats another one is left out. */
export async function mergeLines(
  paths: readonly string[],
  { name, path }: MergeTarget,
): Promise<MergedFile> {
  using out = await ByteLines.create(path);
  const encoder = new TextEncoder();
  const counts = noLines();
  const seen = new Set<string>();
  let duplicates = 0;
  for (const source of paths) {
    for await (const { firstLine, lines, isTorn } of readLines(source)) {
      for (const [index, line] of lines.entries()) {
        if (line === "") continue;
        counts.lines++;
        try {
          JSON.parse(line);
        } catch (error) {
          if (!(error instanceof SyntaxError)) throw error;
          const where = `${source}:${firstLine + index}`;
          countBadLine(counts, { error, where, isTorn: isTorn && index === lines.length - 1 });
          continue;
        }
        if (seen.has(line)) {
          duplicates++;
          continue;
        }
        seen.add(line);
        out.raw(encoder.encode(`${line}\n`));
        if (seen.size % LINES_PER_FLUSH === 0) await out.flush();
      }
    }
  }
  await out.sync();
  return { name, counts, written: seen.size, duplicates, isSorted: false };
}

/** Shows how far a merge is, and stops it. */
export interface MergeWatch {
  /** Told now and then how many bytes of samples were read, of how many. */
  readonly onProgress?: (progress: { doneBytes: number; totalBytes: number }) => void;
  /** Aborting it stops the merge; what was there before stays. */
  readonly signal?: AbortSignal;
}

/** How samples are merged. */
export interface MergeSamplesOptions extends MergeTarget, MergeWatch {
  /** Makes a folder for what is needed meanwhile; who made it removes it. */
  readonly workFolder: (name: string) => Promise<string>;
}

/**
 * Put the samples of `paths`, given in the order in which they began, into the order of time; a reading
 * of the same process at the same time is left out. Files that are not sorted themselves are sorted on
 * the disk first.
 */
export async function mergeSamples(
  paths: readonly string[],
  { name, path, workFolder, ...watch }: MergeSamplesOptions,
): Promise<MergedFile> {
  const firsts = await Promise.all(paths.map(firstTime));
  const clock = new RunClock([firsts.filter((time) => time !== null)]);
  const orderOf: OrderOf = (time) => clock.toUs(time);
  const merged = await writeMerged(paths, { ...watch, path, orderOf });
  if (merged !== null) return { name, ...merged, isSorted: false };
  const pieces: string[] = [];
  const all: LineCounts[] = [];
  for (const [index, source] of paths.entries()) {
    const folder = await workFolder(`sorting-${index}`);
    const sorted = await sortSamples(source, { orderOf, folder });
    pieces.push(...sorted.pieces);
    all.push(sorted.counts);
  }
  const sorted = await writeMerged(pieces, { ...watch, path, orderOf });
  if (sorted === null) throw new Error(`Cannot sort the samples for "${path}"`);
  return { name, ...sorted, counts: sumCounts(all), isSorted: true };
}

/** Write the samples of sorted files; null where they turn out not to be sorted. */
async function writeMerged(
  paths: readonly string[],
  { path, orderOf, onProgress, signal }: MergeWatch & { path: string; orderOf: OrderOf },
): Promise<Pick<MergedFile, "counts" | "written" | "duplicates"> | null> {
  using source = await MergedSamples.open(paths, orderOf);
  using out = await ByteLines.create(path);
  const last = new Map<number, { atUs: number; startTicks: number; cpuUs: number }>();
  const sizes = await Promise.all(paths.map(async (one) => (await Deno.stat(one)).size));
  const totalBytes = sizes.reduce((sum, size) => sum + size, 0);
  let duplicates = 0;
  let written = 0;
  while (await source.fill()) {
    signal?.throwIfAborted();
    onProgress?.({ doneBytes: source.bytesRead, totalBytes });
    while (source.next()) {
      const { pid, startTicks, cpuUs }: RawReading = source.reading;
      const atUs = orderOf(source.reading);
      const before = last.get(pid);
      if (before !== undefined && atUs < before.atUs) return null;
      if (before?.atUs === atUs && before.startTicks === startTicks && before.cpuUs === cpuUs) {
        duplicates++;
        continue;
      }
      last.set(pid, { atUs, startTicks, cpuUs });
      out.raw(source.line);
      out.raw(NEWLINE);
      written++;
    }
    await out.flush();
  }
  await out.sync();
  return { counts: source.counts, written, duplicates };
}
