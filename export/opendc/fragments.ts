/**
 * From what a task used in intervals to OpenDC's fragments, which run back to back: pure.
 *
 * Laws: the fragments of a task tile its whole milliseconds without gap or overlap, none is empty, idle
 * time is a fragment without usage, and their CPU time sums to that of the rows.
 *
 * @module
 */

/** What the processes of one task used, row by row, as parallel arrays. */
export interface UsageRows {
  /** Number of rows. */
  readonly length: number;
  /** End of each interval, epoch ms. */
  readonly endMs: Float64Array;
  /** Length of each interval, ms. */
  readonly dtMs: Float64Array;
  /** CPU time used in each interval, ms. */
  readonly cpuMs: Float64Array;
  /** Process of each row; 0 where none can be named. */
  readonly pid: Int32Array;
}

/** When a task ran, epoch ms with decimals. */
export interface TaskSpan {
  /** Spawned. */
  readonly startMs: number;
  /** Reaped. */
  readonly endMs: number;
}

/** When a task ran in OpenDC's whole milliseconds. */
export interface WholeSpan {
  /** First millisecond, epoch ms. */
  readonly startMs: number;
  /** Length, at least 1 ms. */
  readonly durationMs: number;
}

/** The fragments of one task. */
export interface Fragments {
  /** Number of fragments, at least 1. */
  readonly length: number;
  /** Length of each, whole ms, at least 1. */
  readonly durationMs: Float64Array;
  /** Cores in use during each: CPU ms per ms, summed over processes. */
  readonly cores: Float64Array;
  /** Rows that were there twice and count once. */
  readonly duplicates: number;
  /** Rows that reach beyond the task's span by more than rounding; their CPU time is kept. */
  readonly outside: number;
}

/**
 * Two instants closer than this are the same one: the end of a row and the start of the next row of the
 * same process, which was found by subtraction from a rounded time. Recorded times have 1 µs, a double
 * near the present holds 0.24 µs. Worst outcome of a larger value: an idle gap of that length is closed.
 */
const SAME_INSTANT_MS = 0.01;

/** Rounding moves an instant by half a millisecond; only what is off by more is told. */
const ROUNDING_MS = 1;

/** `span` in whole milliseconds; the shortest job still takes one. */
export function wholeSpan({ startMs, endMs }: TaskSpan): WholeSpan {
  const first = Math.round(startMs);
  return { startMs: first, durationMs: Math.max(1, Math.round(endMs) - first) };
}

/** A row in whole milliseconds from the task's start: [from, to). */
interface Pieces {
  readonly length: number;
  readonly from: Float64Array;
  readonly to: Float64Array;
  readonly cpuMs: Float64Array;
  readonly isChain: boolean;
  readonly duplicates: number;
  readonly outside: number;
}

/**
 * The fragments of one task. Rows of several processes that overlap are summed; a row shorter than a
 * millisecond counts in the millisecond that it falls into.
 */
export function fragmentsOf(rows: UsageRows, span: TaskSpan): Fragments {
  const pieces = piecesOf(rows, span);
  const { durationMs } = wholeSpan(span);
  const series = pieces.isChain ? chainOf(pieces, durationMs) : sumOf(pieces, durationMs);
  const { length, durationMs: lengthsMs, cores } = series;
  return {
    length,
    durationMs: lengthsMs,
    cores,
    duplicates: pieces.duplicates,
    outside: pieces.outside,
  };
}

/** One fragment of constant use over the whole span. */
export function constantFragment(cpuMs: number, span: TaskSpan): Fragments {
  const { durationMs } = wholeSpan(span);
  return {
    length: 1,
    durationMs: Float64Array.of(durationMs),
    cores: Float64Array.of(cpuMs / durationMs),
    duplicates: 0,
    outside: 0,
  };
}

function piecesOf(rows: UsageRows, span: TaskSpan): Pieces {
  const { startMs, durationMs } = wholeSpan(span);
  const order = orderOf(rows);
  const from = new Float64Array(rows.length);
  const to = new Float64Array(rows.length);
  const cpuMs = new Float64Array(rows.length);
  // End of the latest row of each process: as read, and as rounded.
  const lastOf = new Map<number, { endMs: number; at: number }>();
  let length = 0;
  let duplicates = 0;
  let outside = 0;
  let isChain = true;
  let previous = -1;
  for (let place = 0; place < rows.length; place++) {
    const row = order === null ? place : order[place] as number;
    if (previous >= 0 && isSameRow(rows, previous, row)) {
      duplicates++;
      continue;
    }
    previous = row;
    const endMs = rows.endMs[row] as number;
    const beginMs = endMs - (rows.dtMs[row] as number);
    const pid = rows.pid[row] as number;
    const last = lastOf.get(pid);
    const isNext = last !== undefined && Math.abs(beginMs - last.endMs) <= SAME_INSTANT_MS;
    const begin = isNext ? last.at : clamp(Math.round(beginMs) - startMs, durationMs);
    const end = clamp(Math.round(endMs) - startMs, durationMs);
    if (last === undefined) lastOf.set(pid, { endMs, at: end });
    else {
      last.endMs = endMs;
      last.at = end;
    }
    if (beginMs < span.startMs - ROUNDING_MS || endMs > span.endMs + ROUNDING_MS) outside++;
    const first = Math.min(begin, durationMs - 1);
    from[length] = first;
    to[length] = Math.max(end, first + 1);
    cpuMs[length] = rows.cpuMs[row] as number;
    if (length > 0 && first < (to[length - 1] as number)) isChain = false;
    length++;
  }
  return { length, from, to, cpuMs, isChain, duplicates, outside };
}

/** Row numbers by end and process, equal rows side by side, or null when they are in that order. */
function orderOf({ length, endMs, dtMs, cpuMs, pid }: UsageRows): Uint32Array | null {
  const before = (a: number, b: number) =>
    (endMs[a] as number) - (endMs[b] as number) || (pid[a] as number) - (pid[b] as number) ||
    (dtMs[a] as number) - (dtMs[b] as number) || (cpuMs[a] as number) - (cpuMs[b] as number);
  let row = 1;
  while (row < length && before(row - 1, row) <= 0) row++;
  return row >= length ? null : Uint32Array.from({ length }, (_, one) => one).sort(before);
}

function isSameRow({ endMs, dtMs, cpuMs, pid }: UsageRows, a: number, b: number): boolean {
  return endMs[a] === endMs[b] && dtMs[a] === dtMs[b] && cpuMs[a] === cpuMs[b] &&
    pid[a] === pid[b];
}

function clamp(value: number, max: number): number {
  return Math.min(Math.max(value, 0), max);
}

/** Fragments in the making. */
class Series {
  length = 0;
  readonly durationMs: Float64Array;
  readonly cores: Float64Array;

  constructor(capacity: number) {
    this.durationMs = new Float64Array(capacity);
    this.cores = new Float64Array(capacity);
  }

  append(durationMs: number, cores: number): void {
    this.durationMs[this.length] = durationMs;
    this.cores[this.length] = cores;
    this.length++;
  }
}

/** Pieces that follow one another, as those of a single process do. */
function chainOf({ length, from, to, cpuMs }: Pieces, durationMs: number): Series {
  const series = new Series(2 * length + 1);
  let at = 0;
  for (let one = 0; one < length; one++) {
    const begin = from[one] as number;
    const end = to[one] as number;
    if (begin > at) series.append(begin - at, 0);
    series.append(end - begin, (cpuMs[one] as number) / (end - begin));
    at = end;
  }
  if (at < durationMs) series.append(durationMs - at, 0);
  return series;
}

/** Pieces that overlap: between two neighbouring bounds the use is the sum of those that cover it. */
function sumOf({ length, from, to, cpuMs }: Pieces, durationMs: number): Series {
  const bounds = new Float64Array(2 * length + 2);
  bounds.set(from.subarray(0, length));
  bounds.set(to.subarray(0, length), length);
  bounds[2 * length + 1] = durationMs;
  bounds.sort();
  let count = 0;
  for (const bound of bounds) {
    if (count === 0 || bound !== bounds[count - 1]) bounds[count++] = bound;
  }
  const distinct = bounds.subarray(0, count);
  const change = new Float64Array(count);
  const covering = new Int32Array(count);
  for (let one = 0; one < length; one++) {
    const begin = from[one] as number;
    const end = to[one] as number;
    const rate = (cpuMs[one] as number) / (end - begin);
    const first = indexOf(distinct, begin);
    const last = indexOf(distinct, end);
    change[first] = (change[first] as number) + rate;
    change[last] = (change[last] as number) - rate;
    covering[first] = (covering[first] as number) + 1;
    covering[last] = (covering[last] as number) - 1;
  }
  const series = new Series(count - 1);
  let cores = 0;
  let active = 0;
  for (let bound = 0; bound < count - 1; bound++) {
    active += covering[bound] as number;
    // Idle is exactly 0: what adding and subtracting left over is rounding, not use.
    cores = active === 0 ? 0 : Math.max(0, cores + (change[bound] as number));
    series.append((distinct[bound + 1] as number) - (distinct[bound] as number), cores);
  }
  return series;
}

/** Place of `value` in the sorted `bounds`, which have it. */
function indexOf(bounds: Float64Array, value: number): number {
  let low = 0;
  let high = bounds.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((bounds[middle] as number) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
