/**
 * The processes under observation: each is held open, read at every tick, and let go when it is gone
 * or its subject ends.
 *
 * @module
 */

import type { Clock } from "../../trace/clock.ts";
import { type Container, containerName, containerOfProcess } from "../../trace/container.ts";
import type { Process } from "../../trace/records.ts";
import { ProcessDeniedError, ProcessGoneError } from "../proc/errors.ts";
import { type ProcessHandle, type ProcessReader, readHwmKb, Reading } from "./process_reader.ts";
import type { PidStat } from "../../trace/linux/pid_stat.ts";
import type { Procfs } from "../proc/procfs.ts";
import { identityPart, SampleBuffer } from "./sample_buffer.ts";

/** What processes are followed for: a task, a process tree, a cgroup, or one process that matched. */
export interface Subject {
  /** Trace that its samples carry. */
  readonly traceId: string | null;
  /** Directory of the cgroup that holds its processes; null: its descendants are found by parent. */
  readonly cgroup: string | null;
  /** True when processes that it starts are followed too. */
  readonly hasDescendants: boolean;
}

/** What became of a wish to follow a process. */
export type FollowOutcome =
  | { readonly kind: "followed" }
  /** There is no such process. */
  | { readonly kind: "gone" }
  /** It may not be read; tell the user once. */
  | { readonly kind: "denied"; readonly reason: string }
  /** The process that has this pid is not the one that was meant. */
  | { readonly kind: "refused"; readonly stat: PidStat };

/** Counts since they were taken last. */
export interface FollowCounts {
  /** Readings taken. */
  samples: number;
  /** Processes that vanished. */
  gone: number;
  /** Processes that could not be read. */
  denied: number;
  /** Processes that came under observation. */
  births: number;
}

interface Followed {
  readonly handle: ProcessHandle;
  subject: Subject;
  identity: Uint8Array;
  /** Readings so far. */
  readings: number;
  /** Peak memory as last read, kB. */
  hwmKb: number;
  /** Resident memory at the last reading, kB. */
  rssKb: number;
}

/**
 * A status file costs several times what a reading costs, and VmHWM keeps what was missed in between:
 * it is read with readings 1, 2, 4, 8, 16, 32 and then with every 64th (12.8 s at 200 ms), and as soon as
 * resident memory has grown by an eighth over it. Worst outcome: a process that lives for seconds
 * reaches its peak, gives it back and ends between two of these readings; the exit total of its
 * launcher then still has the peak.
 */
const HWM_PERIOD = 64;
const HWM_GROWTH_RATIO = 1 + 1 / 8;

/** Processes under observation. Dispose of it to close their descriptors. */
export class FollowedSet implements Disposable {
  readonly #procfs: Procfs;
  readonly #reader: ProcessReader;
  readonly #clock: Clock;
  readonly #byPid = new Map<number, Followed>();
  /** The pids of each subject that has any: to look through all for them costs more the more there are. */
  readonly #pidsOf = new Map<Subject, Set<number>>();
  /** Why processes could not be read, until the counts are taken: each is tried and counted once. */
  readonly #denied = new Map<number, string>();
  #counts: Omit<FollowCounts, "denied"> = { samples: 0, gone: 0, births: 0 };
  readonly #lines = new SampleBuffer();
  /** Filled by each reading in turn. */
  readonly #reading = new Reading();
  #processes: Process[] = [];

  constructor(
    { procfs, reader, clock }: {
      readonly procfs: Procfs;
      readonly reader: ProcessReader;
      readonly clock: Clock;
    },
  ) {
    this.#procfs = procfs;
    this.#reader = reader;
    this.#clock = clock;
  }

  /** How many are followed now. */
  get size(): number {
    return this.#byPid.size;
  }

  /** True when `pid` is followed. */
  has(pid: number): boolean {
    return this.#byPid.has(pid);
  }

  /** What `pid` is followed for; undefined when it is not followed. */
  subjectOf(pid: number): Subject | undefined {
    return this.#byPid.get(pid)?.subject;
  }

  /** What `pid` is, as it was read when it came under observation; null when it is not followed. */
  statOf(pid: number): PidStat | null {
    return this.#byPid.get(pid)?.handle.stat ?? null;
  }

  /** Start time of `pid`, ticks; undefined when it is not followed. */
  startTicksOf(pid: number): number | undefined {
    return this.#byPid.get(pid)?.handle.stat.startTicks;
  }

  /**
   * Follow `pid` for `subject` and read it at once. A process that is followed already changes its
   * subject.
   *
   * @param isMeant Tells from its stat whether it is the process that is meant. Default: any.
   */
  follow(
    pid: number,
    { subject, isMeant }: {
      readonly subject: Subject;
      readonly isMeant?: (stat: PidStat) => boolean;
    },
  ): FollowOutcome {
    const present = this.#byPid.get(pid);
    if (present !== undefined && !present.handle.read(this.#reading)) this.#letGo(pid, present);
    else if (present !== undefined) {
      if (isMeant !== undefined && !isMeant(present.handle.stat)) {
        return { kind: "refused", stat: present.handle.stat };
      }
      this.#leaveSubject(pid, present);
      present.subject = subject;
      present.identity = identityOf(present.handle.stat, subject);
      this.#enterSubject(pid, present);
      return { kind: "followed" };
    }
    const reason = this.#denied.get(pid);
    if (reason !== undefined) return { kind: "denied", reason };
    let handle: ProcessHandle;
    try {
      handle = this.#reader.open(pid);
    } catch (error) {
      if (error instanceof ProcessGoneError) return { kind: "gone" };
      if (!(error instanceof ProcessDeniedError)) throw error;
      this.#denied.set(pid, error.message);
      return { kind: "denied", reason: error.message };
    }
    if (isMeant !== undefined && !isMeant(handle.stat)) {
      handle[Symbol.dispose]();
      return { kind: "refused", stat: handle.stat };
    }
    const identity = identityOf(handle.stat, subject);
    const followed = { handle, subject, identity, readings: 0, hwmKb: 0, rssKb: 0 };
    this.#byPid.set(pid, followed);
    this.#enterSubject(pid, followed);
    this.#counts.births++;
    this.#processes.push(this.#describe(handle, subject));
    this.#read(pid, followed);
    return { kind: "followed" };
  }

  /** Read every process once. */
  readAll(): void {
    // An iterator would leave an entry behind for each process.
    this.#byPid.forEach((followed, pid) => this.#read(pid, followed));
  }

  /** True when a process of `subject` is followed. */
  hasAnyOf(subject: Subject): boolean {
    return this.#pidsOf.has(subject);
  }

  /**
   * Read processes that have ended a last time and let them go. Until its parent has waited for it, the
   * CPU clock of a process still is at its exact total.
   */
  readEnded(pids: readonly number[]): void {
    for (const pid of pids) {
      const followed = this.#byPid.get(pid);
      if (followed === undefined) continue;
      this.#read(pid, followed);
      if (this.#byPid.has(pid)) this.#letGo(pid, followed);
    }
  }

  /** Read the processes of `subject` once more and let them go. */
  drop(subject: Subject): void {
    for (const pid of [...this.#pidsOf.get(subject) ?? []]) {
      const followed = this.#byPid.get(pid);
      if (followed === undefined) continue;
      this.#read(pid, followed);
      if (this.#byPid.has(pid)) this.#remove(pid, followed);
    }
  }

  /** What the processes are that came under observation since the last call. */
  takeProcesses(): Process[] {
    const processes = this.#processes;
    this.#processes = [];
    return processes;
  }

  /** The lines of the readings since the last call; the next reading overwrites them. */
  takeLines(): Uint8Array {
    return this.#lines.take();
  }

  /** The counts since the last call. */
  takeCounts(): FollowCounts {
    const counts = { ...this.#counts, denied: this.#denied.size };
    this.#denied.clear();
    this.#counts = { samples: 0, gone: 0, births: 0 };
    return counts;
  }

  [Symbol.dispose](): void {
    for (const { handle } of this.#byPid.values()) handle[Symbol.dispose]();
    this.#byPid.clear();
    this.#pidsOf.clear();
  }

  #describe({ pid, stat }: ProcessHandle, { traceId }: Subject): Process {
    const container = this.#containerOf(pid);
    return {
      ts_ms: this.#clock.now().tsMs,
      pid,
      start_ticks: stat.startTicks,
      trace_id: traceId,
      comm: stat.comm,
      container: container === null ? null : containerName(container),
      pod_uid: container?.podUid ?? null,
    };
  }

  #containerOf(pid: number): Container | null {
    try {
      return containerOfProcess(this.#procfs.readProcess(pid, "cgroup"));
    } catch (error) {
      if (error instanceof ProcessGoneError || error instanceof ProcessDeniedError) return null;
      throw error;
    }
  }

  #read(pid: number, followed: Followed): void {
    // Before the reading: when that still succeeds, the status was of the same process.
    const hwmKb = isHwmDue(pid, followed) ? readHwmKb(this.#procfs, pid) : null;
    const reading = this.#reading;
    if (!followed.handle.read(reading)) {
      this.#letGo(pid, followed);
      return;
    }
    followed.readings++;
    followed.rssKb = reading.rssKb ?? 0;
    followed.hwmKb = hwmKb ?? followed.hwmKb;
    this.#counts.samples++;
    this.#lines.append(followed.identity, reading, hwmKb);
  }

  #letGo(pid: number, followed: Followed): void {
    this.#counts.gone++;
    this.#remove(pid, followed);
  }

  #remove(pid: number, followed: Followed): void {
    this.#byPid.delete(pid);
    this.#leaveSubject(pid, followed);
    followed.handle[Symbol.dispose]();
  }

  #enterSubject(pid: number, { subject }: Followed): void {
    const pids = this.#pidsOf.get(subject);
    if (pids === undefined) this.#pidsOf.set(subject, new Set([pid]));
    else pids.add(pid);
  }

  #leaveSubject(pid: number, { subject }: Followed): void {
    const pids = this.#pidsOf.get(subject);
    pids?.delete(pid);
    if (pids?.size === 0) this.#pidsOf.delete(subject);
  }
}

function isHwmDue(pid: number, { readings, rssKb, hwmKb }: Followed): boolean {
  if (rssKb > hwmKb * HWM_GROWTH_RATIO) return true;
  const number = readings + 1;
  if (number <= HWM_PERIOD) return (number & (number - 1)) === 0;
  // The pid spreads processes that started together over the period.
  return (number + pid) % HWM_PERIOD === 0;
}

function identityOf({ pid, startTicks }: PidStat, { traceId }: Subject): Uint8Array {
  return identityPart({ pid, start_ticks: startTicks, trace_id: traceId });
}
