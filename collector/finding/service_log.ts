/**
 * Subjects that nobody launched under an adapter: a process tree, a cgroup or a process that matched is
 * an invocation of its own, from the beginning of its observation or its birth to its end or the end of
 * the observation.
 *
 * @module
 */

import type { Clock, ClockReading } from "../../trace/clock.ts";
import type { InvocationEvent } from "../../trace/records.ts";
import { roundToUs, ticksToMs } from "../../trace/units.ts";
import type { FollowedSet, Subject } from "../following/followed_set.ts";
import { type CgroupCpu, readCgroupCpu } from "../proc/cgroup_cpu.ts";
import { parseCmdline, redactArguments } from "../proc/cmdline.ts";
import { ProcessDeniedError, ProcessGoneError } from "../proc/errors.ts";
import type { Procfs } from "../proc/procfs.ts";

/** How the arguments of subjects are written down. */
export const ARGV_MODES = ["redacted", "full", "none"] as const;

/** Takes the events. */
export interface EventWriter {
  /** Append records, a line each. */
  append(records: readonly object[]): void;
}

/** What the log works with. */
export interface ServiceLogOptions {
  /** Where processes are read. */
  readonly procfs: Procfs;
  /** The processes under observation. */
  readonly followed: FollowedSet;
  /** Stamps events. */
  readonly clock: Clock;
  /** `events.service.jsonl`. */
  readonly events: EventWriter;
  /** NODE_ID. */
  readonly node: string;
  /** STAGE. */
  readonly stage: string;
  /** How arguments are written down. */
  readonly argv: typeof ARGV_MODES[number];
}

/** A subject that is being followed. */
interface Open {
  readonly subject: Subject;
  /** The fields that its launch and its exit share. */
  readonly event: Partial<InvocationEvent>;
  /** CPU time of its cgroup at the beginning; null: it has none, or it cannot be read. */
  readonly cpu: CgroupCpu | null;
}

/** The first process of a subject. */
export interface FirstProcess {
  /** Process id. */
  readonly pid: number;
  /** Start time, clock ticks. */
  readonly startTicks: number;
  /** Name, comm of proc_pid_stat(5). */
  readonly comm: string;
}

/** Writes the beginning and the end of each subject. */
export class ServiceLog {
  readonly #options: ServiceLogOptions;
  readonly #instance: string = hex(8);
  readonly #begin: ClockReading;
  readonly #open = new Map<Subject, Open>();

  /** A log whose observation begins now. */
  constructor(options: ServiceLogOptions) {
    this.#options = options;
    this.#begin = options.clock.now();
  }

  /** A subject of a trace of its own. */
  newSubject(given: Omit<Subject, "traceId">): Subject {
    return { ...given, traceId: hex(16) };
  }

  /** `subject` came under observation; its name is that of its first process unless one is given. */
  opened(
    subject: Subject,
    { first, name }: { readonly first: FirstProcess | null; readonly name?: string },
  ): void {
    const { events, node, stage } = this.#options;
    const start = this.#startOf(first);
    const label = name ?? first?.comm ?? null;
    const event: Partial<InvocationEvent> = {
      trace_id: subject.traceId ?? hex(16),
      span_id: hex(8),
      module_id: "service",
      instance_id: this.#instance,
      profile: label,
      path: label,
      ts_start: start.tsMs,
      boot_start_ms: start.bootMs,
      is_start_observed: start.isObserved,
      node,
      stage,
      method: "OBSERVED",
      pid: first?.pid ?? null,
      start_ticks: first?.startTicks ?? null,
      argv: first === null ? null : this.#argvOf(first.pid),
    };
    const cpu = subject.cgroup === null ? null : readCgroupCpu(subject.cgroup);
    this.#open.set(subject, { subject, event, cpu });
    events.append([{ event: "launch", ...event }]);
  }

  /** Write the ends of subjects of which no process is left; a cgroup may get new ones while it is there. */
  closeEnded(): void {
    for (const { subject } of this.#open.values()) {
      if (!this.#options.followed.hasAnyOf(subject) && subject.cgroup === null) {
        this.#close(subject, { isEndObserved: true });
      }
    }
  }

  /** The observation ends: what is left was alive then. */
  finish(): void {
    this.closeEnded();
    for (const subject of [...this.#open.keys()]) {
      this.#close(subject, { isEndObserved: !this.#options.followed.hasAnyOf(subject) });
    }
  }

  #close(subject: Subject, { isEndObserved }: { readonly isEndObserved: boolean }): void {
    const open = this.#open.get(subject);
    if (open === undefined) return;
    this.#open.delete(subject);
    const { tsMs, bootMs } = this.#options.clock.now();
    const now = subject.cgroup === null ? null : readCgroupCpu(subject.cgroup);
    const isCounted = now !== null && open.cpu?.source === now.source;
    this.#options.events.append([{
      event: "exit",
      ...open.event,
      ts_end: tsMs,
      boot_end_ms: bootMs,
      is_end_observed: isEndObserved,
      cpu_ms: isCounted ? roundToUs(now.cpuMs - (open.cpu?.cpuMs ?? 0)) : null,
      cpu_source: isCounted ? now.source : "none",
    }]);
  }

  /** Its birth where that was observed, else the beginning of the observation. */
  #startOf(first: FirstProcess | null): ClockReading & { readonly isObserved: boolean } {
    const { tsMs, bootMs } = this.#begin;
    const bornMs = first === null ? -Infinity : ticksToMs(first.startTicks);
    if (bornMs < bootMs) return { tsMs, bootMs, isObserved: false };
    const now = this.#options.clock.now();
    return { tsMs: now.tsMs - (now.bootMs - bornMs), bootMs: bornMs, isObserved: true };
  }

  #argvOf(pid: number): string[] | null {
    const { procfs, argv } = this.#options;
    if (argv === "none") return null;
    try {
      const words = parseCmdline(procfs.readProcess(pid, "cmdline"));
      return argv === "full" ? words : redactArguments(words);
    } catch (error) {
      if (error instanceof ProcessGoneError || error instanceof ProcessDeniedError) return null;
      throw error;
    }
  }
}

/** Random hex digits of `bytes` bytes. */
function hex(bytes: number): string {
  return crypto.getRandomValues(new Uint8Array(bytes)).toHex();
}
