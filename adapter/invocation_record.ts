/**
 * The record of one invocation while it happens: event lines, sentinel and journal, in the order that a
 * crash at any point leaves understandable.
 *
 * @module
 */

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
}

/** The record of one invocation. */
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
  announce(known: Partial<InvocationEvent>, partFiles: readonly string[]): void {
    this.#partFiles = partFiles;
    this.#append("launch", known);
    this.#isAnnounced = true;
    this.#note("launching");
  }

  /** Its process runs: tell the collector and the journal which. */
  introduce(
    { pid, at }: Started,
    { program, cgroup }: { readonly program: string; readonly cgroup: string | null },
  ): void {
    const startTicks = readProcessStat(pid)?.startTicks ?? null;
    Object.assign(this.event, timesOf(at, null), { pid, start_ticks: startTicks });
    const { trace_id, task_id } = this.event;
    if (startTicks !== null) {
      const comm = commOf(program);
      const sentinel = { trace_id, task_id, start_ticks: startTicks, cgroup, comm };
      this.#place.files.writeSentinel(pid, sentinel);
    }
    this.#note("running");
  }

  /** It did not run, for `reason`. */
  refuse(reason: string): InvocationEvent {
    this.#append("refused", { reason });
    if (this.#isAnnounced) this.#note("ended");
    return this.event;
  }

  /** It is over. */
  conclude(known: Partial<InvocationEvent>): InvocationEvent {
    this.#append("exit", known);
    if (this.event.pid !== null) this.#place.files.removeSentinel(this.event.pid);
    this.#note("ended");
    return this.event;
  }

  #append(kind: InvocationEvent["event"], known: Partial<InvocationEvent>): void {
    Object.assign(this.event, known, { event: kind });
    this.#place.files.appendEvent(this.event);
  }

  #note(state: JournalLine["state"]): void {
    const { span_id, pid, start_ticks } = this.event;
    this.#place.journal.append({ state, span_id, pid, start_ticks, part_files: this.#partFiles });
  }
}

/** Bytes that the kernel keeps of a program's name: TASK_COMM_LEN less the terminating zero. */
const COMM_BYTES = 15;

function commOf(program: string): string {
  return program.slice(program.lastIndexOf("/") + 1).slice(0, COMM_BYTES);
}
