/**
 * The adapter's journal: what a crashed adapter may have left running, and how another one ends it. Each
 * adapter has a file of its own, which it holds while it lives and removes at its end.
 *
 * @module
 */

import { join } from "@std/path";
import { JsonLinesWriter } from "../trace/json_lines.ts";
import { ERRNO, isErrno } from "../trace/linux/errno.ts";
import { isSameProcess } from "../trace/linux/processes.ts";
import type { RunDir } from "../trace/run_dir.ts";
import { integer, list, nullable, oneOf, record, type RecordOf, string } from "../trace/schema.ts";
import type { FileRights } from "./file_rights.ts";
import { hold, instanceId, isAbandoned, isOfOurs, type Owner, parseInstanceId } from "./owner.ts";
import { SessionTree } from "./process_tree.ts";
import { RegularFile } from "./regular_file.ts";
import { removeFile } from "./run_files.ts";
import type { Sweep } from "./sweep.ts";

/** One line of a journal. */
export const JOURNAL_LINE = record("journal line", {
  state: oneOf(["launching", "running", "ended"], { doc: "What happened to the attempt." }),
  span_id: string({ doc: "The attempt." }),
  pid: nullable(integer({ doc: "First process of the attempt, once it runs.", min: 1 })),
  start_ticks: nullable(integer({ doc: "Its start time.", unit: "ticks", min: 0 })),
  part_files: list(string({ doc: "One path." }), { doc: "Unfinished outputs, absolute." }),
});
/** One line of the journal, {@linkcode JOURNAL_LINE}. */
export type JournalLine = RecordOf<typeof JOURNAL_LINE>;

/** A longer journal is rewritten with its open attempts alone: reading it stays cheap. */
const REWRITE_BYTES = 1024 * 1024;

/** Digits of a boot's id in a name: enough to tell the machines of a shared folder apart. */
const BOOT_DIGITS = 8;

/** Writes the journal of one adapter. Dispose of it when nothing runs any more: it is removed. */
export class Journal implements Disposable {
  readonly #path: string;
  readonly #rights: FileRights;
  readonly #writer: JsonLinesWriter;
  readonly #open = new Map<string, JournalLine>();

  /** Open the journal of `owner` in `runDir`. */
  constructor(runDir: RunDir, { owner, rights }: {
    readonly owner: Owner;
    readonly rights: FileRights;
  }) {
    const name = `${instanceId(owner)}.${owner.bootId.slice(0, BOOT_DIGITS)}.jsonl`;
    this.#path = join(runDir.adapters, name);
    this.#rights = rights;
    this.#writer = rights.asUser(() => JsonLinesWriter.open(this.#path));
    this.#writer.use(hold);
  }

  /** Write down what happens to an attempt. */
  append(line: JournalLine): void {
    if (this.#writer.bytes > REWRITE_BYTES) this.#rewrite();
    this.#writer.append([line]);
    if (line.state === "ended") this.#open.delete(line.span_id);
    else this.#open.set(line.span_id, line);
  }

  [Symbol.dispose](): void {
    this.#writer[Symbol.dispose]();
    if (this.#open.size === 0) this.#rights.asUser(() => removeFile(this.#path));
  }

  #rewrite(): void {
    this.#writer.clear();
    this.#writer.append([...this.#open.values()]);
  }
}

/**
 * End the processes and remove the unfinished outputs and sentinels that adapters of this run directory
 * left which are gone.
 */
export function sweepJournals(
  runDir: RunDir,
  { self, rights, sweep }: {
    readonly self: Owner;
    readonly rights: FileRights;
    readonly sweep: Sweep;
  },
): void {
  const entries = sweep.try(() => rights.asUser(() => [...Deno.readDirSync(runDir.adapters)])) ??
    [];
  for (const { name, isFile } of entries) {
    const [id = "", bootId] = name.split(/\.(?=[0-9a-f]+\.jsonl$)|\.jsonl$/);
    const instance = parseInstanceId(id);
    if (!isFile || instance === null || bootId === undefined) continue;
    const owner = { ...instance, bootId };
    const path = join(runDir.adapters, name);
    const left = sweep.try(() => readAbandoned(path, owner, { self, rights }));
    if (left === null) continue;
    for (const line of left) {
      sweepLine(line, { runDir, rights, isHere: isOfOurs(owner, self), sweep });
    }
    sweep.count += left.length;
    sweep.try(() => rights.asUser(() => removeFile(path)));
  }
}

/** What did not end in the journal at `path`; null when its adapter lives. */
function readAbandoned(
  path: string,
  owner: Owner,
  { self, rights }: { readonly self: Owner; readonly rights: FileRights },
): JournalLine[] | null {
  using file = rights.asUser(() => Deno.openSync(path, { read: true, write: true }));
  if (!isAbandoned(owner, { file, self })) return null;
  using journal = rights.asUser(() => RegularFile.open(path));
  const text = new TextDecoder().decode(journal.read(0, Math.min(journal.bytes, MAX_BYTES)));
  const open = new Map<string, JournalLine>();
  for (const line of text.split("\n").map(decodeLine)) {
    if (line?.state === "ended") open.delete(line.span_id);
    else if (line !== null) open.set(line.span_id, line);
  }
  return [...open.values()];
}

/** Longest journal that is read, bytes: one that is honest is rewritten long before. */
const MAX_BYTES = 64 * REWRITE_BYTES;

/** A line; null for one that a crash cut off: the "launching" line before it names the attempt. */
function decodeLine(text: string): JournalLine | null {
  try {
    return JOURNAL_LINE.decode(JSON.parse(text), "a journal");
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return null;
    throw error;
  }
}

function sweepLine(
  { part_files, pid, start_ticks }: JournalLine,
  { runDir, rights, isHere, sweep }: {
    readonly runDir: RunDir;
    readonly rights: FileRights;
    /** True when pids of the journal are pids here. */
    readonly isHere: boolean;
    readonly sweep: Sweep;
  },
): void {
  for (const path of part_files) sweep.try(() => rights.asUser(() => removeFile(path)));
  if (pid === null || start_ticks === null) return;
  const sentinel = join(runDir.pids, String(pid));
  sweep.try(() => rights.asUser(() => removeSentinel(sentinel, start_ticks)));
  if (!isHere || !isSameProcess(pid, start_ticks)) return;
  // A journal is its user's to write: what is another user's process, it cannot have started.
  sweep.try(() => new SessionTree(pid, rights.uid).kill());
}

/** Longest sentinel that is read, bytes: ours have some hundred. */
const SENTINEL_BYTES = 4096;

/** Remove a sentinel unless it speaks of another process that has the same pid. */
function removeSentinel(path: string, startTicks: number): void {
  const text = sentinelText(path);
  if (text === null) return;
  const [, found] = /"start_ticks":(\d+)/.exec(text) ?? [];
  if (found === undefined || Number(found) === startTicks) removeFile(path);
}

function sentinelText(path: string): string | null {
  try {
    using file = RegularFile.open(path);
    return new TextDecoder().decode(file.read(0, SENTINEL_BYTES));
  } catch (error) {
    if (isErrno(error, ERRNO.ENOENT)) return null;
    throw error;
  }
}
