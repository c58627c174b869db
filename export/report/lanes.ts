/**
 * Lanes of a Gantt chart: intervals that overlap get different lanes, and each takes the lowest that
 * is free.
 *
 * @module
 */

/** Intervals to pack. */
export interface Intervals {
  /** Begin of each; NaN: it is left out. */
  readonly begin: Float64Array;
  /** End of each, not before its begin. */
  readonly end: Float64Array;
}

/** A heap of numbers, the smallest at its top, ordered by `keyOf`. */
class Heap {
  readonly #items: number[] = [];
  readonly #keyOf: (item: number) => number;

  constructor(keyOf: (item: number) => number) {
    this.#keyOf = keyOf;
  }

  get top(): number | undefined {
    return this.#items[0];
  }

  push(item: number): void {
    const items = this.#items;
    let at = items.push(item) - 1;
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (this.#keyOf(items[above] as number) <= this.#keyOf(item)) break;
      items[at] = items[above] as number;
      at = above;
    }
    items[at] = item;
  }

  pop(): number | undefined {
    const items = this.#items;
    const top = items[0];
    const last = items.pop();
    if (items.length === 0 || last === undefined) return top;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= items.length) break;
      const right = below + 1;
      if (
        right < items.length &&
        this.#keyOf(items[right] as number) < this.#keyOf(items[below] as number)
      ) below = right;
      if (this.#keyOf(items[below] as number) >= this.#keyOf(last)) break;
      items[at] = items[below] as number;
      at = below;
    }
    items[at] = last;
    return top;
  }
}

/** Rows of a chart, each with intervals that do not overlap; arrays in the order of rows, then time. */
export interface PackedRows {
  /** Number of rows. */
  readonly rows: number;
  /** Place of the first interval of each row, and behind the last row their number. */
  readonly first: Uint32Array;
  /** The interval, as it was given. */
  readonly item: Uint32Array;
  /** Its begin. */
  readonly begin: Float64Array;
  /** Its end. */
  readonly end: Float64Array;
  /** First row of each group, and behind the last group the number of rows. */
  readonly groupFirst: Uint32Array;
}

/** How intervals are grouped. */
export interface PackOptions {
  /** Group of each interval; each has rows of its own. */
  readonly group: ArrayLike<number>;
  /** Number of groups. */
  readonly groups: number;
}

/** Pack `intervals` into as few rows per group as possible. */
export function packRows(intervals: Intervals, { group, groups }: PackOptions): PackedRows {
  const { begin, end } = intervals;
  const order = orderOf(begin);
  const lane = new Uint32Array(begin.length);
  const lanes = new Uint32Array(groups);
  const busy = Array.from({ length: groups }, () => new Heap((item) => end[item] as number));
  const free = Array.from({ length: groups }, () => new Heap((item) => item));
  for (const item of order) {
    const own = group[item] as number;
    const [running, idle] = [busy[own] as Heap, free[own] as Heap];
    for (
      let over = running.top;
      over !== undefined && (end[over] as number) <= (begin[item] as number);
      over = running.top
    ) {
      idle.push(lane[over] as number);
      running.pop();
    }
    const chosen = idle.pop() ?? (lanes[own] as number);
    lanes[own] = Math.max(lanes[own] as number, chosen + 1);
    lane[item] = chosen;
    running.push(item);
  }
  return arranged(intervals, { order, lane, lanes, group });
}

/** Items with a begin, by begin. */
function orderOf(begin: Float64Array): Uint32Array {
  const known = new Uint32Array(begin.length);
  let count = 0;
  let isSorted = true;
  let before = -Infinity;
  for (let item = 0; item < begin.length; item++) {
    const at = begin[item] as number;
    if (Number.isNaN(at)) continue;
    if (at < before) isSorted = false;
    before = at;
    known[count++] = item;
  }
  const order = known.subarray(0, count);
  // Sorting a million takes most of a second; what comes from a run is nearly always sorted.
  return isSorted ? order : order.sort((a, b) => (begin[a] as number) - (begin[b] as number));
}

function arranged(
  { begin, end }: Intervals,
  { order, lane, lanes, group }: {
    readonly order: Uint32Array;
    readonly lane: Uint32Array;
    readonly lanes: Uint32Array;
    readonly group: ArrayLike<number>;
  },
): PackedRows {
  const groupFirst = new Uint32Array(lanes.length + 1);
  lanes.forEach((count, at) => groupFirst[at + 1] = (groupFirst[at] as number) + count);
  const rows = groupFirst[lanes.length] as number;
  const rowOf = (item: number) =>
    (groupFirst[group[item] as number] as number) + (lane[item] as number);
  const first = new Uint32Array(rows + 1);
  for (const item of order) (first[rowOf(item) + 1] as number)++;
  for (let row = 0; row < rows; row++) {
    first[row + 1] = (first[row + 1] as number) + (first[row] as number);
  }
  const next = first.slice();
  const packed = {
    item: new Uint32Array(order.length),
    begin: new Float64Array(order.length),
    end: new Float64Array(order.length),
  };
  for (const item of order) {
    const row = rowOf(item);
    const place = next[row] as number;
    next[row] = place + 1;
    packed.item[place] = item;
    packed.begin[place] = begin[item] as number;
    packed.end[place] = end[item] as number;
  }
  return { rows, first, groupFirst, ...packed };
}

/**
 * Place of the first interval of `row` that ends after `time`: where a view of the row begins.
 * Intervals of a row do not overlap, so ends are sorted as begins are.
 */
export function firstEndingAfter(
  { first, end }: PackedRows,
  { row, time }: { readonly row: number; readonly time: number },
): number {
  let low = first[row] as number;
  let high = first[row + 1] as number;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((end[middle] as number) > time) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Where a person points at. */
export interface HitQuery {
  readonly row: number;
  readonly time: number;
  /** Time that a pixel or two stand for: as near as that is a hit. */
  readonly tolerance: number;
}

/** The interval of a row at a time, or the nearest one within the tolerance; null: none. */
export function hitRow(packed: PackedRows, { row, time, tolerance }: HitQuery): number | null {
  if (row < 0 || row >= packed.rows) return null;
  const stop = packed.first[row + 1] as number;
  let best: number | null = null;
  let nearest = tolerance;
  for (
    let at = firstEndingAfter(packed, { row, time: time - tolerance });
    at < stop && (packed.begin[at] as number) <= time + tolerance;
    at++
  ) {
    const distance = Math.max(
      0,
      (packed.begin[at] as number) - time,
      time - (packed.end[at] as number),
    );
    if (distance > nearest || (best !== null && distance === nearest)) continue;
    best = packed.item[at] as number;
    nearest = distance;
  }
  return best;
}
