/**
 * Keeps the rows of all tasks by task, in memory up to a bound and beyond it in a file: what must be
 * sorted and does not fit is sorted in runs and spilled.
 *
 * @module
 */

import { messageOf } from "../../trace/atomic_file.ts";
import type { UsageRows } from "./fragments.ts";

/** Bytes of one row: end, length and CPU time as doubles, process as an int32. */
const ROW_BYTES = 3 * 8 + 4;

/**
 * Rows held before they are sorted by task and spilled: twice 56 MB with the sorted copy. Half as many
 * would double the number of runs, each of which costs one read per task.
 */
const ROWS_IN_MEMORY = 2 * 1024 * 1024;

/** Rows that the arrays start with: what a small run needs. */
const FIRST_CAPACITY = 64 * 1024;

/** How rows are kept. */
export interface RowStoreOptions {
  /** Number of tasks: rows carry the index of theirs. */
  readonly tasks: number;
  /** File to spill to; made when the first run is spilled. */
  readonly spillPath: string;
  /** Rows held in memory. Default: 2 Mi. */
  readonly rowsInMemory?: number;
}

/** A sorted run of rows: those of task `t` are the rows from `first[t]` to `first[t + 1]`. */
interface Run {
  readonly first: Uint32Array;
  readonly read: (from: number, to: number) => UsageRows;
}

/** Rows of all tasks, added in any order and given back by task. Dispose of it to remove the spill. */
export class RowStore implements Disposable {
  readonly #tasks: number;
  readonly #spillPath: string;
  readonly #limit: number;
  readonly #runs: Run[] = [];
  #spill: Deno.FsFile | null = null;
  #spilledBytes = 0;
  #rows: Columns;
  #task: Uint32Array;
  #length = 0;

  /** A store for this many tasks. */
  constructor({ tasks, spillPath, rowsInMemory = ROWS_IN_MEMORY }: RowStoreOptions) {
    this.#tasks = tasks;
    this.#spillPath = spillPath;
    this.#limit = rowsInMemory;
    this.#rows = columnsOf(Math.min(FIRST_CAPACITY, rowsInMemory));
    this.#task = new Uint32Array(this.#rows.pid.length);
  }

  /** Add one row of the task with this index. */
  add(task: number, row: { tsMs: number; dtMs: number; cpuMs: number; pid: number }): void {
    if (this.#length === this.#task.length) this.#makeRoom();
    const at = this.#length++;
    this.#task[at] = task;
    this.#rows.endMs[at] = row.tsMs;
    this.#rows.dtMs[at] = row.dtMs;
    this.#rows.cpuMs[at] = row.cpuMs;
    this.#rows.pid[at] = row.pid;
  }

  /** Sort what is left; no row may be added afterwards. */
  seal(): void {
    const sorted = this.#sort();
    this.#runs.push({ first: sorted.first, read: (from, to) => slice(sorted.rows, from, to) });
    this.#rows = columnsOf(0);
    this.#task = new Uint32Array(0);
  }

  /** The rows of the task with this index, in the order in which they were added. */
  rowsOf(task: number): UsageRows {
    const parts: UsageRows[] = [];
    for (const { first, read } of this.#runs) {
      const from = first[task] as number;
      const to = first[task + 1] as number;
      if (to > from) parts.push(read(from, to));
    }
    return parts.length === 1 ? parts[0] as UsageRows : concatenate(parts);
  }

  /** True when the task with this index has rows. */
  hasRows(task: number): boolean {
    return this.#runs.some(({ first }) => (first[task + 1] as number) > (first[task] as number));
  }

  /** Bytes written to the spill file. */
  get spilledBytes(): number {
    return this.#spilledBytes;
  }

  /** Remove the spill file. */
  [Symbol.dispose](): void {
    if (this.#spill === null) return;
    this.#spill.close();
    this.#spill = null;
    Deno.removeSync(this.#spillPath);
  }

  #makeRoom(): void {
    if (this.#task.length >= this.#limit) {
      this.#spillRun();
      return;
    }
    const capacity = Math.min(2 * this.#task.length, this.#limit);
    const rows = columnsOf(capacity);
    rows.endMs.set(this.#rows.endMs);
    rows.dtMs.set(this.#rows.dtMs);
    rows.cpuMs.set(this.#rows.cpuMs);
    rows.pid.set(this.#rows.pid);
    const task = new Uint32Array(capacity);
    task.set(this.#task);
    this.#rows = rows;
    this.#task = task;
  }

  /** Counting sort by task: stable, and linear in rows and tasks. */
  #sort(): { first: Uint32Array; rows: Columns } {
    const length = this.#length;
    const first = new Uint32Array(this.#tasks + 1);
    for (let at = 0; at < length; at++) {
      const next = (this.#task[at] as number) + 1;
      first[next] = (first[next] as number) + 1;
    }
    for (let task = 0; task < this.#tasks; task++) {
      first[task + 1] = (first[task + 1] as number) + (first[task] as number);
    }
    const rows = columnsOf(length);
    const place = first.slice();
    for (let at = 0; at < length; at++) {
      const task = this.#task[at] as number;
      const to = place[task] as number;
      place[task] = to + 1;
      rows.endMs[to] = this.#rows.endMs[at] as number;
      rows.dtMs[to] = this.#rows.dtMs[at] as number;
      rows.cpuMs[to] = this.#rows.cpuMs[at] as number;
      rows.pid[to] = this.#rows.pid[at] as number;
    }
    return { first, rows };
  }

  #spillRun(): void {
    const { first, rows } = this.#sort();
    this.#spill ??= Deno.openSync(this.#spillPath, { read: true, write: true, createNew: true });
    const spill = this.#spill;
    const start = this.#spilledBytes;
    const length = this.#length;
    try {
      for (const column of [rows.endMs, rows.dtMs, rows.cpuMs, rows.pid]) writeAll(spill, column);
    } catch (error) {
      throw new Error(`Cannot write "${this.#spillPath}": ${messageOf(error)}`, { cause: error });
    }
    this.#spilledBytes += length * ROW_BYTES;
    this.#runs.push({ first, read: (from, to) => readRun(spill, { start, length, from, to }) });
    this.#length = 0;
    spill.seekSync(this.#spilledBytes, Deno.SeekMode.Start);
  }
}

interface Columns {
  readonly endMs: Float64Array<ArrayBuffer>;
  readonly dtMs: Float64Array<ArrayBuffer>;
  readonly cpuMs: Float64Array<ArrayBuffer>;
  readonly pid: Int32Array<ArrayBuffer>;
}

function columnsOf(capacity: number): Columns {
  return {
    endMs: new Float64Array(capacity),
    dtMs: new Float64Array(capacity),
    cpuMs: new Float64Array(capacity),
    pid: new Int32Array(capacity),
  };
}

function slice({ endMs, dtMs, cpuMs, pid }: Columns, from: number, to: number): UsageRows {
  return {
    length: to - from,
    endMs: endMs.subarray(from, to),
    dtMs: dtMs.subarray(from, to),
    cpuMs: cpuMs.subarray(from, to),
    pid: pid.subarray(from, to),
  };
}

function concatenate(parts: readonly UsageRows[]): UsageRows {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const rows = columnsOf(length);
  let at = 0;
  for (const part of parts) {
    rows.endMs.set(part.endMs, at);
    rows.dtMs.set(part.dtMs, at);
    rows.cpuMs.set(part.cpuMs, at);
    rows.pid.set(part.pid, at);
    at += part.length;
  }
  return { length, ...rows };
}

function writeAll(
  file: Deno.FsFile,
  column: Float64Array<ArrayBuffer> | Int32Array<ArrayBuffer>,
): void {
  const bytes = new Uint8Array(column.buffer, column.byteOffset, column.byteLength);
  for (let written = 0; written < bytes.length;) {
    written += file.writeSync(bytes.subarray(written));
  }
}

interface RunPart {
  readonly start: number;
  readonly length: number;
  readonly from: number;
  readonly to: number;
}

function readRun(file: Deno.FsFile, { start, length, from, to }: RunPart): UsageRows {
  const rows = columnsOf(to - from);
  let columnStart = start;
  for (const column of [rows.endMs, rows.dtMs, rows.cpuMs, rows.pid]) {
    const width = column.BYTES_PER_ELEMENT;
    file.seekSync(columnStart + from * width, Deno.SeekMode.Start);
    readAll(file, new Uint8Array(column.buffer));
    columnStart += length * width;
  }
  return { length: to - from, ...rows };
}

function readAll(file: Deno.FsFile, bytes: Uint8Array): void {
  for (let read = 0; read < bytes.length;) {
    const count = file.readSync(bytes.subarray(read));
    if (count === null) throw new Error("Cannot read back spilled rows: the file ends too early");
    read += count;
  }
}
