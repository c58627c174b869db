/**
 * Reads what processes used and finds the task of each row.
 *
 * @module
 */

import { PROC_METRIC, type ProcMetric } from "../../trace/cts.ts";
import { NEWLINE, readLineBlocks } from "../line_blocks.ts";
import { RowLine } from "./row_line.ts";
import { type CtsSource, rowFiles, type SourcedInvocation } from "./input.ts";

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
  /** Lines that are not a record. */
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
  /** The attempt and the invocation. */
  readonly tail: { readonly traceId: string | null; readonly spanId: string | null };
  /** The process; 0: none can be named. */
  readonly pid: number;
  /** End of its interval, epoch ms. */
  readonly tsMs: number;
}

/**
 * Finds the task of a row: by span_id, which is the attempt; else by trace_id, and by time where several
 * attempts share one; else by pid and time within the row's source.
 */
export class TaskIndex {
  readonly #bySpan = new Map<string, Span>();
  readonly #byTrace = new Map<string, Span[]>();
  readonly #byPid: Map<number, Span[]>[] = [];
  // Rows of one process share their tail.
  #lastTail: RowIdentity["tail"] | null = null;
  #lastSpans: readonly Span[] | null = null;

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

  /** Task of a row that is in the source with this index; negative: none that is exported. */
  find({ tail, pid, tsMs }: RowIdentity, source: number): number {
    if (tail !== this.#lastTail) {
      this.#lastTail = tail;
      this.#lastSpans = this.#spansOf(tail);
    }
    const spans = this.#lastSpans;
    if (spans === null) {
      return this.#byPid[source]?.get(pid)?.find((span) => isInside(span, tsMs))?.task ?? FOREIGN;
    }
    if (spans.length === 0) return FOREIGN;
    return spans.length === 1 ? (spans[0] as Span).task : nearest(spans, tsMs).task;
  }

  /** The attempts that a row can belong to; null where it names none. */
  #spansOf({ traceId, spanId }: RowIdentity["tail"]): readonly Span[] | null {
    const attempt = spanId === null ? undefined : this.#bySpan.get(spanId);
    if (attempt !== undefined) return [attempt];
    return traceId === null ? null : this.#byTrace.get(traceId) ?? [];
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
      readonly tsMs: number;
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
  /** Called with each piece of a file, in order. */
  readonly onRead: (bytes: Uint8Array, path: string) => void;
}

/** Read the rows of one source into `sink`. */
export async function readRows(
  source: CtsSource,
  { at, sink }: { readonly at: number; readonly sink: RowSink },
): Promise<void> {
  for (const path of rowFiles(source)) {
    const line = new RowLine(source.layout === "cctf" ? decodeOlder : PROC_METRIC.decode);
    for await (const { bytes, isTorn } of readLineBlocks(path)) {
      line.useBlock(bytes);
      for (let from = 0; from < bytes.length;) {
        const newline = bytes.indexOf(NEWLINE, from);
        const to = newline < 0 ? bytes.length : newline;
        if (to > from) {
          if (line.parse(from, to)) addRow(line, { at, sink });
          else if (isTorn && newline < 0) sink.counts.torn++;
          else sink.counts.malformed++;
        }
        from = to + 1;
      }
      sink.onRead(bytes, path);
    }
  }
}

/** The older layout has CPU time and memory in two files: what one lacks is nothing there. */
function decodeOlder(value: unknown, where: string): ProcMetric {
  if (typeof value !== "object" || value === null) return PROC_METRIC.decode(value, where);
  return PROC_METRIC.decode({ dt_ms: 0, cpu_ms: 0, source: "reading", ...value }, where);
}

function addRow(
  line: RowLine,
  { at, sink }: { readonly at: number; readonly sink: RowSink },
): void {
  sink.counts.read++;
  const task = sink.index.find(line, at);
  if (task < 0) {
    if (task === FOREIGN) sink.counts.foreign++;
    else sink.counts.left_out++;
    return;
  }
  sink.counts.kept++;
  if (line.rssKb > (sink.peakRssKb[task] as number)) sink.peakRssKb[task] = line.rssKb;
  if (line.dtMs > 0 || line.cpuMs > 0) sink.store.add(task, line);
}

/** Bytes of all of these files together. */
export async function sizeOf(paths: readonly string[]): Promise<number> {
  const sizes = await Promise.all(paths.map(async (path) => (await Deno.stat(path)).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}
