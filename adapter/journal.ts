/**
 * The adapter's journal: what a crashed adapter may have left running, and how its successor ends it.
 *
 * @module
 */

import { join } from "@std/path";
import { JsonLinesWriter, readRecords } from "../trace/json_lines.ts";
import type { RunDir } from "../trace/run_dir.ts";
import { integer, list, nullable, oneOf, record, type RecordOf, string } from "../trace/schema.ts";
import { isSameProcess } from "../trace/linux/processes.ts";
import { SessionTree } from "./process_tree.ts";

/** One line of `adapter_journal.jsonl`. */
export const JOURNAL_LINE = record("journal line", {
  state: oneOf(["launching", "running", "ended"], { doc: "What happened to the attempt." }),
  span_id: string({ doc: "The attempt." }),
  boot_id: string({ doc: "Boot in which pids are valid." }),
  adapter_pid: integer({ doc: "The adapter that writes.", min: 1 }),
  adapter_start_ticks: integer({ doc: "Its start time.", unit: "ticks", min: 0 }),
  pid: nullable(integer({ doc: "First process of the attempt, once it runs.", min: 1 })),
  start_ticks: nullable(integer({ doc: "Its start time.", unit: "ticks", min: 0 })),
  part_files: list(string({ doc: "One path." }), { doc: "Unfinished outputs, absolute." }),
});
/** One line of the journal, {@linkcode JOURNAL_LINE}. */
export type JournalLine = RecordOf<typeof JOURNAL_LINE>;

/** Who writes a journal. */
export interface JournalOwner {
  /** The adapter's process id. */
  readonly pid: number;
  /** Its start time, clock ticks. */
  readonly startTicks: number;
  /** The boot in which both are valid. */
  readonly bootId: string;
}

/** Appends to the journal of a run directory. */
export class Journal implements Disposable {
  readonly #writer: JsonLinesWriter;
  readonly #owner: JournalOwner;

  /** Open the journal of `runDir`. */
  constructor(runDir: RunDir, owner: JournalOwner) {
    this.#writer = JsonLinesWriter.open(runDir.adapterJournal);
    this.#owner = owner;
  }

  /** Write down what happens to an attempt. */
  append(
    line: Pick<JournalLine, "state" | "span_id" | "pid" | "start_ticks" | "part_files">,
  ): void {
    const { pid, startTicks, bootId } = this.#owner;
    const whole: JournalLine = {
      ...line,
      boot_id: bootId,
      adapter_pid: pid,
      adapter_start_ticks: startTicks,
    };
    this.#writer.append([whole]);
  }

  [Symbol.dispose](): void {
    this.#writer[Symbol.dispose]();
  }
}

/**
 * End the processes and remove the unfinished outputs and sentinels that a crashed adapter of this
 * run directory left.
 *
 * @returns How many attempts were left over.
 */
export async function sweepJournal(runDir: RunDir, bootId: string): Promise<number> {
  let swept = 0;
  for (const line of await unended(runDir)) {
    if (
      line.boot_id === bootId && isSameProcess(line.adapter_pid, line.adapter_start_ticks)
    ) continue;
    swept++;
    for (const path of line.part_files) removeIfThere(path);
    if (line.pid === null || line.start_ticks === null) continue;
    removeIfThere(join(runDir.pids, String(line.pid)));
    if (line.boot_id === bootId && isSameProcess(line.pid, line.start_ticks)) {
      new SessionTree(line.pid).kill();
    }
  }
  return swept;
}

async function unended(runDir: RunDir): Promise<JournalLine[]> {
  const open = new Map<string, JournalLine>();
  try {
    // A torn line is the one that the crash cut off: the "launching" line before it names the attempt.
    const options = { decode: JOURNAL_LINE.decode, onBadLine: () => {} };
    for await (const line of readRecords(runDir.adapterJournal, options)) {
      if (line.state === "ended") open.delete(line.span_id);
      else open.set(line.span_id, line);
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return [...open.values()];
}

function removeIfThere(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
