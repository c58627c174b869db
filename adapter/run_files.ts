/**
 * What the adapter writes into a run directory: events, sentinels, and the logs of tasks.
 *
 * @module
 */

import { join } from "@std/path";
import { JsonLinesWriter } from "../trace/json_lines.ts";
import type { CpuShare, InvocationEvent, Sentinel } from "../trace/records.ts";
import type { RunDir } from "../trace/run_dir.ts";
import { RegularFile } from "./regular_file.ts";
import type { Task } from "../trace/task.ts";
import { errnoOf } from "../trace/linux/errno.ts";
import type { DiskRoom } from "./disk_room.ts";
import type { FileRights } from "./file_rights.ts";

/** Last lines of a failed process that go into its event, bytes: a screenful. */
const TAIL_BYTES = 2048;

/** The files of one node's run, written with the worker's rights. */
export class RunFiles implements Disposable {
  readonly #runDir: RunDir;
  readonly #rights: FileRights;
  readonly #room: DiskRoom;
  readonly #events = new Map<string, JsonLinesWriter>();
  #shares: JsonLinesWriter | null = null;

  constructor(runDir: RunDir, { rights, room }: {
    readonly rights: FileRights;
    /** Writes what nobody waits for. */
    readonly room: DiskRoom;
  }) {
    this.#runDir = runDir;
    this.#rights = rights;
    this.#room = room;
    rights.asUser(() => {
      for (const folder of [runDir.path, runDir.pids, runDir.taskLogs, runDir.adapters]) {
        Deno.mkdirSync(folder, { recursive: true });
      }
    });
  }

  /** Append a line to the events of its module. */
  appendEvent(event: InvocationEvent): void {
    let writer = this.#events.get(event.module_id);
    if (writer === undefined) {
      const path = this.#runDir.events(event.module_id);
      writer = this.#rights.asUser(() => JsonLinesWriter.open(path));
      this.#events.set(event.module_id, writer);
    }
    writer.append([event]);
  }

  /** Write down the limits of an attempt, as {@linkcode DiskRoom.write} does. */
  appendShare(share: CpuShare): Promise<void> | null {
    return this.#room.write(() => {
      this.#shares ??= this.#rights.asUser(() => JsonLinesWriter.open(this.#runDir.shares));
      this.#shares.append([share]);
    });
  }

  /** Say which process runs; whole from the first instant that its name exists. */
  writeSentinel(pid: number, sentinel: Sentinel): void {
    const beside = join(this.#runDir.pids, `.${pid}`);
    this.#rights.asUser(() => {
      Deno.writeTextFileSync(beside, JSON.stringify(sentinel));
      Deno.renameSync(beside, join(this.#runDir.pids, String(pid)));
    });
  }

  /** Say that it ended. */
  removeSentinel(pid: number): void {
    this.#rights.asUser(() => removeFile(join(this.#runDir.pids, String(pid))));
  }

  /** Where the output of an attempt goes. */
  taskLog({ task_id, attempt }: Pick<Task, "task_id" | "attempt">): string {
    return join(this.#runDir.taskLogs, `${task_id}.${attempt}.log`);
  }

  /** Make the log of an attempt, empty: on a full disk this fails before the attempt does. */
  makeTaskLog(task: Pick<Task, "task_id" | "attempt">): void {
    const options = { append: true, create: true };
    this.#rights.asUser(() => Deno.openSync(this.taskLog(task), options).close());
  }

  /** The last lines of a log, or null when it is empty or cannot be read. */
  tail(path: string): string | null {
    return this.#rights.asUser(() => readTail(path));
  }

  /** The beginning of a log, or null when it cannot be read. */
  head(path: string): string | null {
    return this.#rights.asUser(() => readHead(path));
  }

  [Symbol.dispose](): void {
    for (const writer of this.#events.values()) writer[Symbol.dispose]();
    this.#shares?.[Symbol.dispose]();
  }
}

/** Remove a file; nothing happens when it is not there. */
export function removeFile(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** Size of a task's file, bytes; null when the kernel does not tell it, for whatever reason. */
export function fileSize(path: string): number | null {
  try {
    return Deno.statSync(path).size;
  } catch (error) {
    if (errnoOf(error) !== null) return null;
    throw error;
  }
}

/** Most of a log that is searched, bytes: ffmpeg's own lines of hours are some 100 kB. */
const HEAD_BYTES = 4 * 1024 * 1024;

function readHead(path: string): string | null {
  try {
    using file = RegularFile.open(path);
    return new TextDecoder().decode(file.read(0, Math.min(file.bytes, HEAD_BYTES)));
  } catch (error) {
    if (errnoOf(error) !== null) return null;
    throw error;
  }
}

function readTail(path: string): string | null {
  let size: number;
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    using file = RegularFile.open(path);
    size = file.bytes;
    bytes = file.read(Math.max(0, size - TAIL_BYTES), TAIL_BYTES);
  } catch (error) {
    if (errnoOf(error) !== null) return null;
    throw error;
  }
  if (size === 0) return null;
  const text = new TextDecoder().decode(bytes);
  // A cut first line says nothing; a log of one endless line is kept as it is.
  const start = size > TAIL_BYTES ? text.indexOf("\n") + 1 : 0;
  return text.slice(start).trimEnd();
}
