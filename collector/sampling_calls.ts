/**
 * The C library by FFI: CPU clocks of other processes, reads of kept descriptors without a seek, and
 * the kernel's own timers and watches. Where FFI is not granted, or the library is another one (musl),
 * the collector does without: see the slower reader and alarm.
 *
 * @module
 */

import { CLOCK_PROCESS_CPUTIME_ID } from "../trace/clock.ts";
import { O_CLOEXEC, O_RDONLY } from "../trace/linux/abi.ts";
import { cpuClockId, TIMESPEC_WORDS, timespecNs } from "../trace/linux/cpu_clock.ts";
import { LibcUnavailableError, openLibc } from "../trace/linux/libc.ts";

/** The functions in use and their types. */
export const SYMBOLS = {
  clock_gettime: { parameters: ["i32", "buffer"], result: "i32" },
  open: { parameters: ["buffer", "i32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  // ssize_t, but never above the buffers used here: the low half is the value, and a number is cheaper
  // than a bigint.
  read: { parameters: ["i32", "buffer", "usize"], result: "i32" },
  pread: { parameters: ["i32", "buffer", "usize", "i64"], result: "i32" },
  epoll_create1: { parameters: ["i32"], result: "i32" },
  epoll_ctl: { parameters: ["i32", "i32", "i32", "buffer"], result: "i32" },
  epoll_wait: { parameters: ["i32", "buffer", "i32", "i32"], result: "i32" },
  timerfd_create: { parameters: ["i32", "i32"], result: "i32" },
  timerfd_settime: { parameters: ["i32", "i32", "buffer", "pointer"], result: "i32" },
  sched_setscheduler: { parameters: ["i32", "i32", "buffer"], result: "i32" },
  setrlimit: { parameters: ["i32", "buffer"], result: "i32" },
  syscall: { parameters: ["i64", "i64", "i64"], result: "i64" },
  inotify_init1: { parameters: ["i32"], result: "i32" },
  inotify_add_watch: { parameters: ["i32", "buffer", "u32"], result: "i32" },
} as const;

/** Bytes of a kept file that are read at most: a statm is 7 numbers of at most 20 digits. */
export const READ_BYTES = 256;
/** The same as the call takes it; made once, because each bigint is garbage. */
const READ_SIZE = BigInt(READ_BYTES);

const O_RDONLY_CLOEXEC = O_RDONLY | O_CLOEXEC;

/** The C library, opened. Dispose of it when nothing uses it any more. */
export class SamplingCalls implements Disposable {
  /** The functions, as the manual pages in section 2 have them. */
  readonly symbols: Deno.StaticForeignLibraryInterface<typeof SYMBOLS>;
  readonly #library: Deno.DynamicLibrary<typeof SYMBOLS>;
  readonly #timespec = new Uint32Array(TIMESPEC_WORDS);
  readonly #bytes = new Uint8Array(this.#timespec.buffer);
  readonly #encoder = new TextEncoder();

  private constructor(library: Deno.DynamicLibrary<typeof SYMBOLS>) {
    this.#library = library;
    this.symbols = library.symbols;
  }

  /** The C library, or null where FFI is not granted or glibc is not there. */
  static open(): SamplingCalls | null {
    // The structures below are those of the 64-bit Linux ABI, the only one that Deno runs on.
    if (Deno.permissions.querySync({ name: "ffi" }).state !== "granted") return null;
    try {
      return new SamplingCalls(openLibc(SYMBOLS));
    } catch (error) {
      if (error instanceof LibcUnavailableError) return null;
      throw error;
    }
  }

  /**
   * CPU time of process `pid` since its start, ns, all its threads, or null when there is none. A
   * process that has ended is counted until its parent has waited for it.
   *
   * The pid must be one of this pid namespace.
   */
  cpuClockNs(pid: number): number | null {
    if (this.symbols.clock_gettime(cpuClockId(pid), this.#bytes) !== 0) return null;
    return timespecNs(this.#timespec);
  }

  /** CPU time of this process, ms. */
  ownCpuMs(): number {
    this.symbols.clock_gettime(CLOCK_PROCESS_CPUTIME_ID, this.#bytes);
    return timespecNs(this.#timespec) / 1e6;
  }

  /** Open `path` for reading; a descriptor, or -1. */
  openFile(path: string): number {
    return this.symbols.open(this.cString(path), O_RDONLY_CLOEXEC);
  }

  /** Read an open file from its beginning into `buffer`, which has {@linkcode READ_BYTES}; how many, or -1. */
  readFromStart(descriptor: number, buffer: Uint8Array<ArrayBuffer>): number {
    return this.symbols.pread(descriptor, buffer, READ_SIZE, 0n);
  }

  /** `text` as a C string. */
  cString(text: string): Uint8Array<ArrayBuffer> {
    return this.#encoder.encode(`${text}\0`);
  }

  [Symbol.dispose](): void {
    this.#library.close();
  }
}
