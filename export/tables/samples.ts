/**
 * The rows of `CTS/proc_metrics.jsonl` of all nodes, each with the invocation that it belongs to.
 *
 * @module
 */

import { type LineCounts, noLines } from "../cts/raw_samples.ts";
import { NEWLINE, readLineBlocks } from "../line_blocks.ts";
import { rowFiles, type SourcedInvocation } from "../opendc/input.ts";
import { TaskIndex } from "../opendc/join.ts";
import { RowLine } from "../opendc/row_line.ts";
import type { SampleRow } from "./node_tables.ts";
import type { TableRun } from "./run.ts";

/** A row at its place; valid until the next one is asked for. */
export interface SampleCursor {
  /** What the line says. */
  readonly line: RowLine;
  /** NODE_ID of the source. */
  readonly node: string;
  /** The invocation that it belongs to; null: none is on record. */
  readonly invocation: SourcedInvocation | null;
}

/** How a pass over the samples is watched. */
export interface SamplePassOptions {
  /** Told after each block how many bytes were read so far. */
  readonly onRead?: (bytes: number) => void;
  /** Aborting it stops the pass. */
  readonly signal?: AbortSignal;
}

/** The rows in blocks, in the order of the files; each block is to be consumed before the next. */
export async function* sampleBlocks(
  run: TableRun,
  { onRead, signal }: SamplePassOptions = {},
): AsyncGenerator<Iterable<SampleCursor>> {
  const index = new TaskIndex(run.invocations, { candidates: run.invocations });
  let readBytes = 0;
  for (const [at, source] of run.sources.entries()) {
    for (const path of rowFiles(source.cts)) {
      const counts = noLines();
      run.files.set(path, counts);
      const line = new RowLine();
      for await (const block of readLineBlocks(path)) {
        signal?.throwIfAborted();
        line.useBlock(block.bytes);
        yield rowsIn(block, { run, line, index, at, counts, path });
        readBytes += block.bytes.length;
        onRead?.(readBytes);
      }
    }
  }
}

interface Place {
  readonly run: TableRun;
  readonly line: RowLine;
  readonly index: TaskIndex;
  readonly at: number;
  readonly counts: LineCounts;
  readonly path: string;
}

function* rowsIn(
  { bytes, isTorn }: { readonly bytes: Uint8Array; readonly isTorn: boolean },
  { run, line, index, at, counts, path }: Place,
): Generator<SampleCursor> {
  const cursor: { -readonly [K in keyof SampleCursor]: SampleCursor[K] } = {
    line,
    node: run.sources[at]?.node ?? "",
    invocation: null,
  };
  for (let from = 0; from < bytes.length;) {
    const newline = bytes.indexOf(NEWLINE, from);
    const to = newline < 0 ? bytes.length : newline;
    if (to > from) {
      counts.lines++;
      if (line.parse(from, to)) {
        cursor.invocation = run.invocations[index.find(line, at)] ?? null;
        yield cursor;
      } else noteBadRow(counts, { path, isTorn: isTorn && newline < 0 });
    }
    from = to + 1;
  }
}

function noteBadRow(
  counts: LineCounts,
  { path, isTorn }: { readonly path: string; readonly isTorn: boolean },
): void {
  if (isTorn) counts.torn++;
  else counts.malformed++;
  if (counts.examples.length === 0) counts.examples.push(`${path}:${counts.lines}: not a row`);
}

/** The row that a cursor is on, as an object of its own. */
export function sampleRow({ line, node, invocation }: SampleCursor): SampleRow {
  return {
    node,
    task_id: invocation?.task_id ?? null,
    attempt: invocation?.attempt ?? null,
    ts_ms: line.tsMs,
    pid: line.pid === 0 ? null : line.pid,
    dt_ms: line.dtMs,
    cpu_ms: line.cpuMs,
    rss_kb: line.rssKb < 0 ? null : line.rssKb,
    trace_id: line.tail.traceId,
    span_id: line.tail.spanId,
    source: line.tail.source,
  };
}
