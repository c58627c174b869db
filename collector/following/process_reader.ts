/**
 * Readings of one process. There are two ways: by its CPU clock (FFI, nanoseconds), and by
 * `/proc/<pid>/stat` (clock ticks) where FFI is not available. Both keep a descriptor below
 * `/proc/<pid>/` open: it belongs to this one process forever, so that a reading can never be of
 * another process that was given the same pid.
 *
 * @module
 */

import { ERRNO, isErrno } from "../../trace/linux/errno.ts";
import type { Clock } from "../../trace/clock.ts";
import type { Alarm } from "../sampling/alarm.ts";
import { DescriptorBudget } from "./descriptor_budget.ts";
import { READ_BYTES, type SamplingCalls } from "../sampling_calls.ts";
import { parsePageBytes } from "../proc/auxv.ts";
import { ProcessDeniedError, ProcessGoneError } from "../proc/errors.ts";
import { parsePidStat, type PidStat } from "../../trace/linux/pid_stat.ts";
import { residentPages } from "../proc/pid_statm.ts";
import { parseVmHwm } from "../../trace/linux/pid_status.ts";
import { accessProcess, KeptFile, type Procfs } from "../proc/procfs.ts";

/** One reading of the counters of a process. Whoever reads thousands a second fills the same one again. */
export class Reading {
  /** Wall clock at this reading, epoch ms. */
  tsMs: number = NaN;
  /** Boot clock at this reading, ms. */
  bootMs: number = NaN;
  /** CPU time since the start of the process, ns; null where it is read in ticks. */
  cpuNs: number | null = null;
  /** User time since the start, ticks; null where the CPU clock is read. */
  utime: number | null = null;
  /** System time since the start, ticks; null where the CPU clock is read. */
  stime: number | null = null;
  /** Resident memory, kB; null for a zombie and where the page size is not known. */
  rssKb: number | null = null;
}

/** One process, held open. Dispose of it to close its descriptor. */
export interface ProcessHandle extends Disposable {
  /** Process id. */
  readonly pid: number;
  /** What `/proc/<pid>/stat` said when it was opened; its starttime completes the identity. */
  readonly stat: PidStat;
  /** Read the counters now into `reading`; false when the process is gone. */
  read(reading: Reading): boolean;
}

/** Opens processes in one way of reading. */
export interface ProcessReader {
  /** What CPU time is read from. */
  readonly cpuSource: "cpu_clock" | "stat";
  /**
   * Hold `pid` open.
   *
   * @throws {ProcessGoneError} when there is no such process.
   * @throws {ProcessDeniedError} when it may not be read, or no descriptor is free for it.
   */
  open(pid: number): ProcessHandle;
}

/** What a reader needs. */
export interface ReaderOptions {
  /** Where processes are read. */
  readonly procfs: Procfs;
  /** Stamps the readings. */
  readonly clock: Clock;
  /** The C library; null reads clock ticks. */
  readonly libc: SamplingCalls | null;
  /** Told of each process that is held open, to watch for its end. */
  readonly alarm: Pick<Alarm, "watchEnd">;
}

/** The best reader that the options allow. */
export function openProcessReader({ procfs, clock, libc, alarm }: ReaderOptions): ProcessReader {
  const pageKb = readPageKb(procfs);
  const budget = DescriptorBudget.read(procfs);
  if (libc !== null && pageKb !== null && isOwnNamespace(procfs)) {
    const buffer = new Uint8Array(READ_BYTES);
    return new ClockReader({ procfs, clock, libc, pageKb, alarm, budget, buffer });
  }
  return new StatReader(procfs, { clock, pageKb, budget });
}

function readPageKb(procfs: Procfs): number | null {
  try {
    const bytes = parsePageBytes(Deno.readFileSync(procfs.path("self/auxv")));
    return bytes === null ? null : bytes / 1024;
  } catch (error) {
    if (
      error instanceof Deno.errors.NotFound || error instanceof Deno.errors.PermissionDenied ||
      error instanceof Deno.errors.NotCapable
    ) return null;
    throw error;
  }
}

function requireRoom(budget: DescriptorBudget, path: string): void {
  if (budget.hasRoom) return;
  throw new ProcessDeniedError(
    `Cannot open "${path}": a free file descriptor (ulimit -n) is required`,
  );
}

/** A CPU clock is addressed by pid: the mount must number processes as this process does. */
function isOwnNamespace(procfs: Procfs): boolean {
  try {
    return Deno.readLinkSync(procfs.path("self")) === String(Deno.pid);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.InvalidData) {
      return false;
    }
    // A fixture has a folder of this name.
    if (isErrno(error, ERRNO.EINVAL)) return false;
    throw error;
  }
}

/** Peak resident memory of `handle`'s process, kB; null for a zombie and when it is gone. */
export function readHwmKb(procfs: Procfs, pid: number): number | null {
  try {
    const text = procfs.readProcess(pid, "status");
    return procfs.problems.try("PID/status", () => parseVmHwm(text));
  } catch (error) {
    if (error instanceof ProcessGoneError || error instanceof ProcessDeniedError) return null;
    throw error;
  }
}

interface ClockTools {
  readonly procfs: Procfs;
  readonly clock: Clock;
  readonly libc: SamplingCalls;
  readonly pageKb: number;
  readonly alarm: Pick<Alarm, "watchEnd">;
  readonly budget: DescriptorBudget;
  /** Holds the statm that is being read. */
  readonly buffer: Uint8Array<ArrayBuffer>;
}

class ClockReader implements ProcessReader {
  readonly cpuSource = "cpu_clock";
  readonly #tools: ClockTools;

  constructor(tools: ClockTools) {
    this.#tools = tools;
  }

  open(pid: number): ProcessHandle {
    const { alarm, budget, libc, procfs } = this.#tools;
    const path = procfs.path(`${pid}/statm`);
    requireRoom(budget, path);
    using rollback = new DisposableStack();
    const descriptor = libc.openFile(path);
    if (descriptor >= 0) rollback.defer(() => libc.symbols.close(descriptor));
    // The descriptor first and its use last: while it can still be read, no other process can have
    // been given the pid, so that what is in between is of this process.
    const stat = parseStat(procfs.readProcess(pid, "stat"), procfs);
    if (descriptor < 0) throw new ProcessDeniedError(`Cannot read "${path}": permission denied`);
    const end = budget.isAmple ? alarm.watchEnd(pid) : null;
    if (end !== null) rollback.use(end);
    const handle = new ClockHandle(stat, { descriptor, end, tools: this.#tools });
    if (!handle.read(new Reading())) {
      throw new ProcessGoneError(`Cannot read "${path}": the process has ended`);
    }
    rollback.move();
    budget.take(handle.descriptorCount);
    return handle;
  }
}

/** Thousands of them stand for hours: each holds its own few values, and one reference to the rest. */
class ClockHandle implements ProcessHandle {
  readonly pid: number;
  readonly stat: PidStat;
  readonly #descriptor: number;
  readonly #end: Disposable | null;
  readonly #tools: ClockTools;

  constructor(
    stat: PidStat,
    { descriptor, end, tools }: {
      readonly descriptor: number;
      readonly end: Disposable | null;
      readonly tools: ClockTools;
    },
  ) {
    this.pid = stat.pid;
    this.stat = stat;
    this.#descriptor = descriptor;
    this.#end = end;
    this.#tools = tools;
  }

  get descriptorCount(): number {
    return this.#end === null ? 1 : 2;
  }

  read(reading: Reading): boolean {
    // The clock goes by bare pid, so the descriptor is read after it: if that still works, the clock
    // was the clock of this process.
    const { libc, clock, buffer, pageKb, procfs } = this.#tools;
    const cpuNs = libc.cpuClockNs(this.pid);
    const { tsMs, bootMs } = clock.now();
    const length = libc.readFromStart(this.#descriptor, buffer);
    if (cpuNs === null || length <= 0) return false;
    const pages = residentPages(buffer, length);
    reading.tsMs = tsMs;
    reading.bootMs = bootMs;
    reading.cpuNs = cpuNs;
    reading.rssKb = pages > 0 ? pages * pageKb : null;
    if (pages !== pages) procfs.problems.tell("PID/statm", "Cannot parse /proc/PID/statm");
    return true;
  }

  [Symbol.dispose](): void {
    const { libc, budget } = this.#tools;
    libc.symbols.close(this.#descriptor);
    this.#end?.[Symbol.dispose]();
    budget.giveBack(this.descriptorCount);
  }
}

/**
 * The content of a `stat` file.
 *
 * @throws {ProcessDeniedError} when it is malformed: this process cannot be followed, others can.
 */
function parseStat(text: string, { problems }: Procfs): PidStat {
  const stat = problems.try("PID/stat", () => parsePidStat(text));
  if (stat !== null) return stat;
  throw new ProcessDeniedError("Cannot follow a process: its /proc/PID/stat is malformed");
}

interface StatReaderOptions {
  readonly clock: Clock;
  readonly pageKb: number | null;
  readonly budget: DescriptorBudget;
}

class StatReader implements ProcessReader {
  readonly cpuSource = "stat";
  readonly #procfs: Procfs;
  readonly #options: StatReaderOptions;

  constructor(procfs: Procfs, options: StatReaderOptions) {
    this.#procfs = procfs;
    this.#options = options;
  }

  open(pid: number): ProcessHandle {
    const path = this.#procfs.path(`${pid}/stat`);
    requireRoom(this.#options.budget, path);
    return new StatHandle(path, { ...this.#options, procfs: this.#procfs });
  }
}

class StatHandle implements ProcessHandle {
  readonly pid: number;
  readonly stat: PidStat;
  readonly #file: KeptFile;
  readonly #path: string;
  readonly #options: StatReaderOptions & { readonly procfs: Procfs };

  constructor(path: string, options: StatReaderOptions & { readonly procfs: Procfs }) {
    using rollback = new DisposableStack();
    this.#file = rollback.use(accessProcess(path, () => new KeptFile(Deno.openSync(path))));
    this.#path = path;
    this.#options = options;
    this.stat = this.#readStat();
    this.pid = this.stat.pid;
    rollback.move();
    options.budget.take(1);
  }

  read(reading: Reading): boolean {
    let stat: PidStat;
    try {
      stat = this.#readStat();
    } catch (error) {
      if (error instanceof ProcessGoneError || error instanceof ProcessDeniedError) return false;
      throw error;
    }
    const { clock, pageKb } = this.#options;
    const { tsMs, bootMs } = clock.now();
    reading.tsMs = tsMs;
    reading.bootMs = bootMs;
    reading.utime = stat.utimeTicks;
    reading.stime = stat.stimeTicks;
    reading.rssKb = stat.rssPages === 0 || pageKb === null ? null : stat.rssPages * pageKb;
    return true;
  }

  [Symbol.dispose](): void {
    this.#file[Symbol.dispose]();
    this.#options.budget.giveBack(1);
  }

  #readStat(): PidStat {
    const text = accessProcess(this.#path, () => this.#file.read());
    if (text === "") throw new ProcessGoneError(`Cannot read "${this.#path}": it is empty`);
    return parseStat(text, this.#options.procfs);
  }
}
