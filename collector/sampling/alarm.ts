/**
 * Wakes the sampler at its deadlines, and before them when a sentinel changes.
 *
 * @module
 */

import { setImmediate } from "node:timers";
import { basename } from "@std/path";
import { type Clock, CLOCK_BOOTTIME } from "../../trace/clock.ts";
import { messageOf } from "../../trace/atomic_file.ts";
import { startTimer } from "../../trace/timer.ts";
import { NS_PER_MS } from "../../trace/units.ts";
import type { SamplingCalls } from "../sampling_calls.ts";

/** What happened while the sampler waited. */
export interface AlarmEvents {
  /** Watched processes that ended; their parents may not have reaped them so far. */
  readonly ended: readonly number[];
  /** Names of files in the watched folder that were written or removed. */
  readonly names: readonly string[];
  /** True when more happened than can be told: the folder must be listed. */
  readonly isOverflow: boolean;
}

/** Nothing happened. */
export const NO_EVENTS: AlarmEvents = { ended: [], names: [], isOverflow: false };

/** Wakes the sampler. Dispose of it to end its watch. */
export interface Alarm extends Disposable {
  /**
   * Wake too when process `pid` ends.
   *
   * @returns Ends this watch; null where there is none, and the end is noticed at the next tick.
   */
  watchEnd(pid: number): Disposable | null;
  /**
   * Resolves when the boot clock reaches `untilBootMs`, when something happened in the watched folder,
   * or when the signal was aborted, whichever is first.
   */
  wait(untilBootMs: number): Promise<AlarmEvents>;
}

/** What an alarm needs. */
export interface AlarmOptions {
  /** Folder to watch; null: none. */
  readonly folder: string | null;
  /** The boot clock of the deadlines. */
  readonly clock: Clock;
  /** The C library; null: the runtime's timers and watches. */
  readonly libc: SamplingCalls | null;
  /** Ends any wait. */
  readonly signal: AbortSignal;
}

/** The best alarm that the options allow. */
export function openAlarm(options: AlarmOptions): Alarm {
  const { libc } = options;
  return libc === null ? new RuntimeAlarm(options) : new KernelAlarm(options, libc);
}

const NS_PER_S = 1_000_000_000n;
const TFD_NONBLOCK_CLOEXEC = 0o2004000;
const TFD_TIMER_ABSTIME = 1;
const EPOLL_CLOEXEC = 0o2000000;
const EPOLL_CTL_ADD = 1;
const EPOLLIN = 1;
const IN_NONBLOCK_CLOEXEC = 0o2004000;
const IN_MOVED_FROM = 0x40;
const IN_CLOSE_WRITE = 0x8;
const IN_MOVED_TO = 0x80;
const IN_DELETE = 0x200;
const IN_Q_OVERFLOW = 0x4000;
const INOTIFY_EVENT_HEADER_BYTES = 16;

/** pidfd_open(2), Linux 5.3: the same number on all architectures. glibc has no function for it before 2.36. */
const SYS_PIDFD_OPEN = 434n;

/** `struct epoll_event` is packed on x86-64 only; its 64 bits of data say what is ready: a pid, or these. */
const [EPOLL_EVENT_BYTES, EPOLL_DATA_OFFSET] = Deno.build.arch === "x86_64" ? [12, 4] : [16, 8];
const TIMER = 0;
const SENTINELS = -1;

/** Events taken from the kernel at once; more wait for the next call. */
const EVENT_LIMIT = 256;

/**
 * The thread blocks in epoll_wait, so that nothing is between the kernel's timer and the reading: no
 * timer wheel in whole milliseconds, no second thread without our priority. A signal interrupts the wait;
 * where the kernel hands it to another thread, it is noticed after one slice, ms, or at the next turn.
 */
const SLICE_MS = 250;

/**
 * The event loop gets a turn of about 2 ms at least this often, ms, right after a tick, where the next one
 * is farthest: it costs a tenth of a millisecond of CPU each time. Worst outcome: a sentinel that comes in
 * such a turn is noticed 2 ms late, and a signal that did not interrupt the wait after a second.
 */
const TURN_INTERVAL_MS = 1000;

/** A pidfd in the epoll set; closing it takes it out. */
class EndWatch implements Disposable {
  readonly #libc: SamplingCalls;
  readonly #descriptor: number;

  constructor(libc: SamplingCalls, descriptor: number) {
    this.#libc = libc;
    this.#descriptor = descriptor;
  }

  [Symbol.dispose](): void {
    this.#libc.symbols.close(this.#descriptor);
  }
}

/** By epoll(7), timerfd_create(2) and inotify(7). */
class KernelAlarm implements Alarm {
  readonly #libc: SamplingCalls;
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  readonly #epoll: number;
  readonly #timer: number;
  readonly #inotify: number;
  readonly #timerSpec = new BigInt64Array(4);
  readonly #timerBytes = new Uint8Array(this.#timerSpec.buffer);
  readonly #events = new Uint8Array(EVENT_LIMIT * EPOLL_EVENT_BYTES);
  readonly #eventView = new DataView(this.#events.buffer);
  readonly #buffer = new Uint8Array(64 * 1024);
  readonly #decoder = new TextDecoder();
  #nextTurnMs = 0;

  constructor({ folder, clock, signal }: AlarmOptions, libc: SamplingCalls) {
    this.#libc = libc;
    this.#clock = clock;
    this.#signal = signal;
    const { symbols } = libc;
    this.#epoll = opened(symbols.epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
    this.#timer = opened(
      symbols.timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK_CLOEXEC),
      "timerfd_create",
    );
    this.#inotify = opened(symbols.inotify_init1(IN_NONBLOCK_CLOEXEC), "inotify_init1");
    if (folder !== null) {
      const mask = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE;
      opened(symbols.inotify_add_watch(this.#inotify, libc.cString(folder), mask), "inotify");
    }
    this.#add(this.#timer, TIMER);
    this.#add(this.#inotify, SENTINELS);
  }

  async wait(untilBootMs: number): Promise<AlarmEvents> {
    const { symbols } = this.#libc;
    // 0 would disarm the timer, and never wake.
    const untilNs = BigInt(Math.max(1, Math.ceil(untilBootMs * NS_PER_MS)));
    this.#timerSpec[2] = untilNs / NS_PER_S;
    this.#timerSpec[3] = untilNs % NS_PER_S;
    // Setting it takes back an expiry that nobody has read.
    symbols.timerfd_settime(this.#timer, TFD_TIMER_ABSTIME, this.#timerBytes, null);
    if (this.#clock.bootMs() >= this.#nextTurnMs) await this.#letSignalsIn();
    while (!this.#signal.aborted) {
      const ready = symbols.epoll_wait(this.#epoll, this.#events, EVENT_LIMIT, SLICE_MS);
      const sources = this.#readySources(ready);
      if (sources.length === 0) {
        await this.#letSignalsIn();
        continue;
      }
      const ended = sources.filter((source) => source > 0);
      const { names, isOverflow } = sources.includes(SENTINELS) ? this.#readNames() : NO_EVENTS;
      return { ended, names, isOverflow };
    }
    return NO_EVENTS;
  }

  watchEnd(pid: number): Disposable | null {
    const { symbols } = this.#libc;
    const descriptor = Number(symbols.syscall(SYS_PIDFD_OPEN, BigInt(pid), 0n));
    // An older kernel, or no free descriptor: the next tick finds the process gone.
    if (descriptor < 0) return null;
    this.#add(descriptor, pid);
    return new EndWatch(this.#libc, descriptor);
  }

  [Symbol.dispose](): void {
    for (const descriptor of [this.#inotify, this.#timer, this.#epoll]) {
      this.#libc.symbols.close(descriptor);
    }
  }

  /**
   * Let the event loop hear of a signal: it looks for one only when it sleeps, which a timer of 1 ms makes
   * it do, and calls the listeners in its next turn.
   */
  async #letSignalsIn(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, 1));
    await new Promise((resolve) => setImmediate(resolve));
    this.#nextTurnMs = this.#clock.bootMs() + TURN_INTERVAL_MS;
  }

  #add(descriptor: number, source: number): void {
    const event = new DataView(new ArrayBuffer(EPOLL_EVENT_BYTES));
    event.setUint32(0, EPOLLIN, true);
    event.setInt32(EPOLL_DATA_OFFSET, source, true);
    const bytes = new Uint8Array(event.buffer);
    opened(
      this.#libc.symbols.epoll_ctl(this.#epoll, EPOLL_CTL_ADD, descriptor, bytes),
      "epoll_ctl",
    );
  }

  #readySources(ready: number): number[] {
    const offsets = Array.from({ length: Math.max(0, ready) }, (_, at) => at * EPOLL_EVENT_BYTES);
    return offsets.map((at) => this.#eventView.getInt32(at + EPOLL_DATA_OFFSET, true));
  }

  #readNames(): Pick<AlarmEvents, "names" | "isOverflow"> {
    const size = BigInt(this.#buffer.length);
    const length = this.#libc.symbols.read(this.#inotify, this.#buffer, size);
    if (length <= 0) return NO_EVENTS;
    const names = new Set<string>();
    let isOverflow = false;
    const view = new DataView(this.#buffer.buffer, 0, length);
    for (let at = 0; at < length;) {
      const mask = view.getUint32(at + 4, true);
      const nameLength = view.getUint32(at + 12, true);
      if ((mask & IN_Q_OVERFLOW) !== 0) isOverflow = true;
      at += INOTIFY_EVENT_HEADER_BYTES;
      const name = this.#decoder.decode(this.#buffer.subarray(at, at + nameLength));
      if (nameLength > 0) names.add(name.slice(0, name.indexOf("\0")));
      at += nameLength;
    }
    return { names: [...names], isOverflow };
  }
}

function opened(result: number, call: string): number {
  if (result >= 0) return result;
  throw new Error(`Cannot set up the sampling timer: ${call} failed`);
}

/** By the runtime's timers and watches. */
class RuntimeAlarm implements Alarm {
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  readonly #watcher: Deno.FsWatcher | null;
  readonly #names = new Set<string>();
  #wake: () => void = () => {};
  #failure: unknown = null;

  constructor({ folder, clock, signal }: AlarmOptions) {
    this.#clock = clock;
    this.#signal = signal;
    this.#watcher = folder === null ? null : Deno.watchFs(folder, { recursive: false });
    if (this.#watcher !== null) this.#watch(this.#watcher);
    signal.addEventListener("abort", () => this.#wake(), { once: true });
  }

  watchEnd(): null {
    return null;
  }

  async wait(untilBootMs: number): Promise<AlarmEvents> {
    const delayMs = untilBootMs - this.#clock.bootMs();
    if (this.#names.size === 0 && !this.#signal.aborted && delayMs > 0) {
      const woken = Promise.withResolvers<void>();
      this.#wake = woken.resolve;
      const timer = startTimer(delayMs, woken.resolve);
      await woken.promise;
      timer.clear();
    }
    if (this.#failure !== null) throw this.#failure;
    const names = [...this.#names];
    this.#names.clear();
    return { ended: [], names, isOverflow: false };
  }

  [Symbol.dispose](): void {
    this.#watcher?.close();
  }

  async #watch(watcher: Deno.FsWatcher): Promise<void> {
    try {
      for await (const { paths } of watcher) {
        for (const path of paths) this.#names.add(basename(path));
        this.#wake();
      }
    } catch (error) {
      this.#failure = new Error(`Cannot watch the sentinels: ${messageOf(error)}`, {
        cause: error,
      });
      this.#wake();
    }
  }
}
