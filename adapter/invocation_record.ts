/**
 * The record of one invocation while it happens: event lines, sentinel and journal, in the order that a
 * crash at any point leaves understandable.
 *
 * @module
 */

import { asRecord, type DiskRoom } from "./disk_room.ts";
import type { InvocationEvent } from "../trace/records.ts";
import { timesOf } from "./invocation_events.ts";
import type { Journal, JournalLine } from "./journal.ts";
import { readProcessStat } from "../trace/linux/processes.ts";
import type { RunFiles } from "./run_files.ts";
import type { Started } from "./start/starter.ts";

/** Where an invocation is written down. */
export interface RecordPlace {
  /** Its events and sentinels. */
  readonly files: RunFiles;
  /** What a crash may leave. */
  readonly journal: Journal;
  /** Writes both, and waits while the disk is full. */
  readonly room: DiskRoom;
}

/**
 * The record of one invocation. Each method writes at once and returns null, or, when the disk is full,
 * resolves when there was room; it throws or rejects with a RecordError when the run directory fails.
 */
export class InvocationRecord {
  /** What is known so far: each line says it all. */
  readonly event: InvocationEvent;
  readonly #place: RecordPlace;
  #partFiles: readonly string[] = [];
  #isAnnounced = false;

  /** @param event What is known from the start. */
  constructor(event: InvocationEvent, place: RecordPlace) {
    this.event = event;
    this.#place = place;
  }

  /** Before anything is started. `partFiles` are the unfinished outputs that a crash would leave. */
  announce(
    known: Partial<InvocationEvent>,
    partFiles: readonly string[],
  ): Promise<void> | null {
    this.#partFiles = partFiles;
    this.#isAnnounced = true;
    return this.#place.room.write(this.#append("launch", known), this.#note("launching"));
  }

  /** Its process runs: tell the collector and the journal which. */
  introduce(
    { pid, at }: Started,
    { program, cgroup }: { readonly program: string; readonly cgroup: string | null },
  ): Promise<void> | null {
    const startTicks = readProcessStat(pid)?.startTicks ?? null;
    Object.assign(this.event, timesOf(at, null), { pid, start_ticks: startTicks });
    const { trace_id, task_id } = this.event;
    const steps = [this.#note("running")];
    if (startTicks !== null) {
      const comm = commOf(program);
      const sentinel = { trace_id, task_id, start_ticks: startTicks, cgroup, comm };
      steps.unshift(() => this.#place.files.writeSentinel(pid, sentinel));
    }
    return this.#place.room.write(...steps);
  }

  /** It did not run, for `reason`. */
  refuse(reason: string): Promise<void> | null {
    const steps = [this.#append("refused", { reason })];
    if (this.#isAnnounced) steps.push(this.#note("ended"));
    return this.#place.room.write(...steps);
  }

  /** It is over. */
  conclude(known: Partial<InvocationEvent>): Promise<void> | null {
    const append = this.#append("exit", known);
    const { pid } = this.event;
    // Nobody samples a process that is gone, whether or not the event can be written yet.
    if (pid !== null) asRecord(() => this.#place.files.removeSentinel(pid));
    return this.#place.room.write(append, this.#note("ended"));
  }

  #append(kind: InvocationEvent["event"], known: Partial<InvocationEvent>): () => void {
    Object.assign(this.event, known, { event: kind });
    const line = { ...this.event };
    return () => this.#place.files.appendEvent(line);
  }

  #note(state: JournalLine["state"]): () => void {
    const { span_id, pid, start_ticks } = this.event;
    const line = { state, span_id, pid, start_ticks, part_files: this.#partFiles };
    return () => this.#place.journal.append(line);
  }
}

/** Bytes that the kernel keeps of a program's name: TASK_COMM_LEN less the terminating zero. */
const COMM_BYTES = 15;

function commOf(program: string): string {
  return program.slice(program.lastIndexOf("/") + 1).slice(0, COMM_BYTES);
}
