/**
 * Reads what processes used and finds the task of each row.
 *
 * @module
 */

import { relative } from "@std/path";
import { PROC_METRIC, type ProcMetric } from "../trace/cts.ts";
import { readLines } from "../trace/json_lines.ts";
import { type FileHash, hashFile } from "./file_hash.ts";
import { type CtsSource, rowFiles, type SourcedInvocation } from "./opendc_input.ts";

/** Counts of the rows that were read. */
export interface RowCounts {
  /** Rows read, those of every kind. */
  read: number;
  /** Rows of tasks that are exported. */
  kept: number;
  /** Rows of invocations that are left out. */
  left_out: number;
  /** Rows that belong to no invocation on record. */
  foreign: number;
  /** Lines that are no record. */
  malformed: number;
  /** Last lines cut off by a crash. */
  torn: number;
}

/** Counts before anything is read. */
export function emptyCounts(): RowCounts {
  return { read: 0, kept: 0, left_out: 0, foreign: 0, malformed: 0, torn: 0 };
}

/** What belongs to no exported task. */
const LEFT_OUT = -1;
const FOREIGN = -2;

/** An instant is in an invocation when it is inside by no more than what clocks are apart, ms. */
const MARGIN_MS = 1;

interface Span {
  readonly task: number;
  readonly startMs: number;
  readonly endMs: number;
}

/** What a row says about its task. */
export interface RowIdentity {
  /** The attempt. */
  readonly spanId: string | null;
  /** The invocation. */
  readonly traceId: string | null;
  /** The process. */
  readonly pid: number | null;
  /** End of its interval, epoch ms. */
  readonly tsMs: number;
  /** Index of the source that it stands in. */
  readonly source: number;
}

/**
 * Finds the task of a row: by span_id, which is the attempt; else by trace_id, and by time where several
 * attempts share one; else by pid and time within the row's source.
 */
export class TaskIndex {
  readonly #bySpan = new Map<string, Span>();
  readonly #byTrace = new Map<string, Span[]>();
  readonly #byPid: Map<number, Span[]>[] = [];

  /** An index of `invocations`; tasks are places in `candidates`. */
  constructor(
    invocations: readonly SourcedInvocation[],
    { candidates }: { readonly candidates: readonly SourcedInvocation[] },
  ) {
    const taskOf = new Map<SourcedInvocation, number>(
      candidates.map((candidate, task) => [candidate, task]),
    );
    for (const invocation of invocations) {
      const span: Span = {
        task: taskOf.get(invocation) ?? LEFT_OUT,
        startMs: invocation.ts_start ?? -Infinity,
        endMs: invocation.ts_end ?? Infinity,
      };
      if (invocation.span_id !== null) this.#bySpan.set(invocation.span_id, span);
      append(this.#byTrace, invocation.trace_id, span);
      const byPid = this.#byPid[invocation.source] ??= new Map<number, Span[]>();
      if (invocation.pid !== null) append(byPid, invocation.pid, span);
    }
  }

  /** Task of a row that ends at `tsMs`; negative: none that is exported. */
  find(row: RowIdentity): number {
    const attempt = row.spanId === null ? undefined : this.#bySpan.get(row.spanId);
    if (attempt !== undefined) return attempt.task;
    if (row.traceId !== null) {
      const spans = this.#byTrace.get(row.traceId);
      if (spans === undefined) return FOREIGN;
      return spans.length === 1 ? (spans[0] as Span).task : nearest(spans, row.tsMs).task;
    }
    const spans = row.pid === null ? undefined : this.#byPid[row.source]?.get(row.pid);
    return spans?.find((span) => isInside(span, row.tsMs))?.task ?? FOREIGN;
  }
}

function append<K>(map: Map<K, Span[]>, key: K, span: Span): void {
  const spans = map.get(key);
  if (spans === undefined) map.set(key, [span]);
  else spans.push(span);
}

function isInside({ startMs, endMs }: Span, tsMs: number): boolean {
  return tsMs >= startMs - MARGIN_MS && tsMs <= endMs + MARGIN_MS;
}

/** The attempt that `tsMs` falls into, else the one that it is nearest to. */
function nearest(spans: readonly Span[], tsMs: number): Span {
  const distance = ({ startMs, endMs }: Span) => Math.max(startMs - tsMs, tsMs - endMs, 0);
  return spans.reduce((best, span) => distance(span) < distance(best) ? span : best);
}

/** Takes rows by task. */
export interface RowTarget {
  /** Add one row of the task with this index. */
  add(
    task: number,
    row: {
      readonly endMs: number;
      readonly dtMs: number;
      readonly cpuMs: number;
      readonly pid: number;
    },
  ): void;
}

/** Where rows go. */
export interface RowSink {
  /** Finds each row's task. */
  readonly index: TaskIndex;
  /** Takes the rows. */
  readonly store: RowTarget;
  /** Most resident memory of one process, kB, by task. */
  readonly peakRssKb: Float64Array;
  /** Counts what was read. */
  readonly counts: RowCounts;
  /** Called after each piece of a file, with its length, bytes. */
  readonly onRead: (bytes: number) => void;
}

/** A file that was read. */
export interface InputFile extends FileHash {
  /** Path, relative to the input. */
  readonly path: string;
}

/** Read the rows of one source into `sink`. */
export async function readRows(
  source: CtsSource,
  { at, sink }: { readonly at: number; readonly sink: RowSink },
): Promise<void> {
  const decode = source.layout === "cctf" ? decodeOlder : PROC_METRIC.decode;
  for (const path of rowFiles(source)) {
    for await (const { lines, isTorn } of readLines(path)) {
      let length = 0;
      for (const line of lines) {
        length += line.length + 1;
        if (line === "") continue;
        const row = parseRow(line, { path, decode });
        if (row !== null) addRow(row, { at, sink });
        else if (isTorn && line === lines.at(-1)) sink.counts.torn++;
        else sink.counts.malformed++;
      }
      sink.onRead(length);
    }
  }
}

/** The row in `line`, or null when it is none. */
function parseRow(
  line: string,
  { path, decode }: {
    readonly path: string;
    readonly decode: (value: unknown, where: string) => ProcMetric;
  },
): ProcMetric | null {
  try {
    return decode(JSON.parse(line), path);
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return null;
    throw error;
  }
}

/** The older layout has CPU time and memory in two files: what one lacks is nothing there. */
function decodeOlder(value: unknown, where: string): ProcMetric {
  if (typeof value !== "object" || value === null) return PROC_METRIC.decode(value, where);
  return PROC_METRIC.decode({ dt_ms: 0, cpu_ms: 0, source: "reading", ...value }, where);
}

function addRow(
  { ts_ms, pid, dt_ms, cpu_ms, rss_kb, trace_id, span_id }: ProcMetric,
  { at, sink }: { readonly at: number; readonly sink: RowSink },
): void {
  sink.counts.read++;
  const task = sink.index.find({
    spanId: span_id,
    traceId: trace_id,
    pid,
    tsMs: ts_ms,
    source: at,
  });
  if (task < 0) {
    if (task === FOREIGN) sink.counts.foreign++;
    else sink.counts.left_out++;
    return;
  }
  sink.counts.kept++;
  if (rss_kb !== null && rss_kb > (sink.peakRssKb[task] as number)) sink.peakRssKb[task] = rss_kb;
  if (dt_ms > 0 || cpu_ms > 0) {
    sink.store.add(task, { endMs: ts_ms, dtMs: dt_ms, cpuMs: cpu_ms, pid: pid ?? 0 });
  }
}

/** Size and hash of a file, named from the folder `base`. */
export async function describeFile(path: string, base: string): Promise<InputFile> {
  return { path: relative(base, path), ...await hashFile(path) };
}

/** Bytes of all of these files together. */
export async function sizeOf(paths: readonly string[]): Promise<number> {
  const sizes = await Promise.all(paths.map(async (path) => (await Deno.stat(path)).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}
