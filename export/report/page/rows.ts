/**
 * Tasks of a run in rows: those on a node by node, those that wait by when they came. Pure.
 *
 * @module
 */

import { type PackedRows, packRows } from "../lanes.ts";
import type { ReadRun } from "../run_columns.ts";

/** A block of rows on the canvas, CSS pixels. */
export interface Band {
  readonly kind: "waiting" | "nodes";
  readonly title: string;
  readonly packed: PackedRows;
  readonly firstRow: number;
  readonly lastRow: number;
  readonly rowHeight: number;
  /** Top of its first row. */
  readonly top: number;
  readonly height: number;
}

/** Waiting tasks drawn one by one; a longer queue is a curve, below. */
const WAITING_ROWS = 3000;

/** Tasks of a run, packed into rows once. */
export interface Packed {
  readonly nodes: PackedRows;
  /** Null: too many wait at once. */
  readonly waiting: PackedRows | null;
  /** Node names by group. */
  readonly names: readonly string[];
}

/** Pack the tasks of `run`: those on a node by node, those that wait in the order in which they came. */
export function packRun({ tasks }: ReadRun): Packed {
  const { codes, names } = tasks.codes("node");
  const nodes = packRows({ begin: tasks.begin, end: tasks.end }, {
    group: codes,
    groups: names.length,
  });
  const attempts = tasks.numbers("attempts");
  // An attempt that does not count has waited as a part of the task that does.
  const enqueue = tasks.enqueue.map((one, at) => Number.isNaN(attempts[at] as number) ? NaN : one);
  const end = tasks.begin.map((one, at) => Number.isNaN(one) ? tasks.end[at] as number : one);
  const known = enqueue.map((one, at) => Number.isNaN(end[at] as number) ? NaN : one);
  const waiting = packRows({ begin: known, end }, {
    group: new Uint8Array(tasks.count),
    groups: 1,
  });
  return { nodes, names, waiting: waiting.rows > WAITING_ROWS ? null : waiting };
}

/** Row of `task`; null: it is not among them. */
export function rowOf(packed: PackedRows, task: number): number | null {
  const place = packed.item.indexOf(task);
  if (place < 0) return null;
  let low = 0;
  let high = packed.rows;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((packed.first[middle] as number) <= place) low = middle;
    else high = middle;
  }
  return low;
}

/** Letters that all of `names` begin with, up to the last sign that is neither letter nor digit. */
export function commonPrefix(names: readonly string[]): number {
  const [first = ""] = names;
  let shared = first.length;
  for (const name of names) {
    let at = 0;
    while (at < shared && name.charCodeAt(at) === first.charCodeAt(at)) at++;
    shared = at;
    if (shared === 0) return 0;
  }
  // Not within a number: of 1001 and 1002 the whole differs, not its last digit.
  while (shared > 0 && /[A-Za-z0-9]/.test(first.charAt(shared - 1))) shared--;
  return names.length < 2 ? 0 : shared;
}
