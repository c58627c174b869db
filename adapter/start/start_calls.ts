/**
 * The C library by FFI: what Deno has no call for. Every call here is synchronous and on the calling
 * thread, but {@linkcode StartCalls.callElsewhere}.
 *
 * @module
 */

import {
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
  O_CLOEXEC,
  P_ALL,
  SI_PID_WORD,
  SIG_SETMASK,
  SIGINFO_BYTES,
  WEXITED,
  WNOHANG,
  WNOWAIT,
} from "../../trace/linux/abi.ts";
import { LibcUnavailableError, openLibc } from "../../trace/linux/libc.ts";
import { CALL_CODE, CODE_ARCHITECTURE, SPAWN_CODE, SYSTEM_CALL_WORDS } from "./machine_code.ts";
import { parseWaitResult, RUSAGE_WORDS, type WaitResult } from "./wait_result.ts";

const SYMBOLS = {
  mmap: { parameters: ["usize", "usize", "i32", "i32", "i32", "i64"], result: "pointer" },
  mprotect: { parameters: ["pointer", "usize", "i32"], result: "i32" },
  pthread_sigmask: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  pipe2: { parameters: ["buffer", "i32"], result: "i32" },
  open: { parameters: ["buffer", "i32", "i32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  fallocate: { parameters: ["i32", "i32", "i64", "i64"], result: "i32" },
  waitid: { parameters: ["i32", "i32", "buffer", "i32"], result: "i32" },
  wait4: { parameters: ["i32", "buffer", "i32", "buffer"], result: "i32" },
  signal: { parameters: ["i32", "pointer"], result: "pointer" },
  prctl: { parameters: ["i32", "u64", "u64", "u64", "u64"], result: "i32" },
  setfsuid: { parameters: ["u32"], result: "i32" },
  setfsgid: { parameters: ["u32"], result: "i32" },
  getxattr: { parameters: ["buffer", "buffer", "pointer", "usize"], result: "isize" },
} as const satisfies Deno.ForeignLibraryInterface;

const SPAWN_FUNCTION = { parameters: ["buffer", "buffer"], result: "i64" } as const;
const CALL_FUNCTION = {
  parameters: ["buffer", "usize", "buffer"],
  result: "void",
  nonblocking: true,
} as const;

/** mmap(2): one page, readable and writable, later executable instead of writable. */
const PAGE_BYTES = 4096;
/** Where the second piece of code begins in it. */
const CALL_CODE_OFFSET = 256;
const PROT_READ_WRITE = 3;
const PROT_READ_EXEC = 5;
const MAP_PRIVATE_ANONYMOUS = 0x22;

/** The kernel's sigset_t is 8 bytes, glibc's 128; all set is every signal. */
const SIGSET_BYTES = 128;

/** The C library, opened once for the life of the process. */
export class StartCalls implements Disposable {
  readonly #library: Deno.DynamicLibrary<typeof SYMBOLS>;
  readonly #spawn: Deno.UnsafeFnPointer<typeof SPAWN_FUNCTION>;
  readonly #call: Deno.UnsafeFnPointer<typeof CALL_FUNCTION>;
  readonly #allSignals = new Uint8Array(SIGSET_BYTES).fill(0xff);
  readonly #savedSignals = new Uint8Array(SIGSET_BYTES);
  readonly #info = new Int32Array(SIGINFO_BYTES / 4);
  readonly #status = new Int32Array(1);
  readonly #rusage = new BigInt64Array(RUSAGE_WORDS);

  private constructor(library: Deno.DynamicLibrary<typeof SYMBOLS>) {
    this.#library = library;
    const page = this.#placeCode();
    const spawn = page as Deno.PointerObject<typeof SPAWN_FUNCTION>;
    this.#spawn = new Deno.UnsafeFnPointer(spawn, SPAWN_FUNCTION);
    const call = Deno.UnsafePointer.offset(page, CALL_CODE_OFFSET);
    this.#call = new Deno.UnsafeFnPointer(
      call as Deno.PointerObject<typeof CALL_FUNCTION>,
      CALL_FUNCTION,
    );
  }

  /** The library, or in words why it cannot be used here. */
  static open(): StartCalls | { readonly missing: string } {
    if (Deno.build.target !== CODE_ARCHITECTURE) {
      return { missing: `processes are started by FFI on ${CODE_ARCHITECTURE} only` };
    }
    try {
      return new StartCalls(openLibc(SYMBOLS));
    } catch (error) {
      if (error instanceof LibcUnavailableError || error instanceof UnmappableError) {
        return { missing: error.message };
      }
      throw error;
    }
  }

  /** Run a list of system calls, the first of which makes the child; its result. */
  spawn(calls: BigUint64Array<ArrayBuffer>, failure: BigInt64Array<ArrayBuffer>): number {
    // A handler of this process must not run in the child, which shares its memory.
    this.#library.symbols.pthread_sigmask(SIG_SETMASK, this.#allSignals, this.#savedSignals);
    try {
      return Number(this.#spawn.call(bytesOf(calls), bytesOf(failure)));
    } finally {
      this.#library.symbols.pthread_sigmask(SIG_SETMASK, this.#savedSignals, null);
    }
  }

  /**
   * Run a list of system calls on another thread, one of Deno's pool. The caller keeps what they point to
   * alive, and touches neither it nor `results` until this resolves.
   */
  callElsewhere(
    calls: BigUint64Array<ArrayBuffer>,
    results: BigInt64Array<ArrayBuffer>,
  ): Promise<void> {
    const count = BigInt(calls.length / SYSTEM_CALL_WORDS);
    return this.#call.call(bytesOf(calls), count, bytesOf(results));
  }

  /** Pid of a child that has ended and is not reaped yet, or null. */
  endedChild(): number | null {
    this.#info.fill(0);
    const options = WEXITED | WNOWAIT | WNOHANG;
    const result = this.#library.symbols.waitid(P_ALL, 0, bytesOf(this.#info), options);
    const pid = this.#info[SI_PID_WORD] ?? 0;
    return result === 0 && pid > 0 ? pid : null;
  }

  /** Reap a child that has ended, wait4(2); null when there is no such child. */
  reap(pid: number): WaitResult | null {
    const { wait4 } = this.#library.symbols;
    const reaped = wait4(pid, bytesOf(this.#status), WNOHANG, bytesOf(this.#rusage));
    return reaped === pid ? parseWaitResult(this.#status[0] ?? 0, this.#rusage) : null;
  }

  /** Give a signal its default action, signal(2). */
  resetSignal(signal: number): void {
    this.#library.symbols.signal(signal, null);
  }

  /** prctl(2) with one argument; false when the kernel refuses. */
  prctl(option: number, argument: number): boolean {
    return this.#library.symbols.prctl(option, BigInt(argument), 0n, 0n, 0n) === 0;
  }

  /** open(2): a descriptor, or -1. The caller closes it. */
  openDescriptor(path: string, flags: number): number {
    return this.#library.symbols.open(new TextEncoder().encode(`${path}\0`), flags, 0);
  }

  /** A pipe's two ends, closed in every program that is executed; null when there are too many. */
  openPipe(): { readonly reader: number; readonly writer: number } | null {
    const ends = new Int32Array(2);
    if (this.#library.symbols.pipe2(bytesOf(ends), O_CLOEXEC) !== 0) return null;
    return { reader: ends[0] ?? -1, writer: ends[1] ?? -1 };
  }

  /** Give the disk back a part of an open file, which reads as zeros then; false when it cannot. */
  punchHole(
    descriptor: number,
    { offset, bytes }: { readonly offset: number; readonly bytes: number },
  ): boolean {
    const mode = FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE;
    return this.#library.symbols.fallocate(descriptor, mode, BigInt(offset), BigInt(bytes)) === 0;
  }

  /** close(2). */
  closeDescriptor(descriptor: number): void {
    this.#library.symbols.close(descriptor);
  }

  /** True when the file at `path` has the extended attribute `name`, xattr(7). */
  hasAttribute(path: string, name: string): boolean {
    const [file, attribute] = [path, name].map((text) => new TextEncoder().encode(`${text}\0`));
    if (file === undefined || attribute === undefined) return false;
    return this.#library.symbols.getxattr(file, attribute, null, 0n) >= 0n;
  }

  /** The user and group whose rights this thread's file accesses have, setfsuid(2). */
  setFileRights({ uid, gid }: { readonly uid: number; readonly gid: number }): void {
    this.#library.symbols.setfsgid(gid);
    this.#library.symbols.setfsuid(uid);
  }

  [Symbol.dispose](): void {
    this.#library.close();
  }

  #placeCode(): NonNullable<Deno.PointerValue> {
    const { mmap, mprotect } = this.#library.symbols;
    const size = BigInt(PAGE_BYTES);
    const page = mmap(0n, size, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0n);
    // MAP_FAILED is the address -1.
    if (page === null || Deno.UnsafePointer.value(page) === 0xffff_ffff_ffff_ffffn) {
      throw new UnmappableError("memory for machine code cannot be mapped");
    }
    const bytes = new Uint8Array(Deno.UnsafePointerView.getArrayBuffer(page, PAGE_BYTES));
    bytes.set(SPAWN_CODE);
    bytes.set(CALL_CODE, CALL_CODE_OFFSET);
    if (mprotect(page, size, PROT_READ_EXEC) !== 0) {
      throw new UnmappableError("memory for machine code cannot be made executable");
    }
    return page;
  }
}

/** The kernel's policy forbids executable memory. */
class UnmappableError extends Error {
  override readonly name = "UnmappableError";
}

/** The same memory as bytes, which is what FFI takes. */
export function bytesOf(words: { readonly buffer: ArrayBuffer }): Uint8Array<ArrayBuffer> {
  return new Uint8Array(words.buffer);
}

/** Address of a buffer for a system call; the caller keeps the buffer alive. */
export function addressOf(buffer: Uint8Array<ArrayBuffer>): bigint {
  return BigInt(Deno.UnsafePointer.value(Deno.UnsafePointer.of(buffer)));
}
