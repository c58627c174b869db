/**
 * A {@linkcode SpawnPlan} as the list of system calls that makes it true, in the order in which the
 * kernel needs them: while it still has the adapter's rights, the child enters its cgroups; then it
 * gives the rights up, and opens its files with what is left.
 *
 * @module
 */

import { errorText } from "../../trace/linux/errno.ts";
import { addressOf, bytesOf } from "./start_calls.ts";
import {
  AT_FDCWD,
  CLONE_CLEAR_SIGHAND,
  CLONE_INTO_CGROUP,
  CLONE_VFORK,
  CLONE_VM,
  O_APPEND,
  O_CREAT,
  O_RDONLY,
  O_WRONLY,
  PR_SET_PDEATHSIG,
  SIG_SETMASK,
  signalNumber,
  SYSTEM_CALL,
} from "../../trace/linux/abi.ts";
import { callWords, SYSTEM_CALL_WORDS } from "./machine_code.ts";
import type { SpawnPlan } from "./spawn_plan.ts";
import { START_STAMP_WORDS, startStampCalls } from "./stamp.ts";

/** Descriptors that the child needs before it has files of its own; the launcher opens and closes them. */
export interface SpawnDescriptors {
  /** The v2 cgroup's directory; null: none. */
  readonly cgroup: number | null;
  /** The v1 `tasks` files, and the v2 `cgroup.procs` of a child that is not born there, writable. */
  readonly tasksFiles: readonly number[];
}

/** A list of system calls with the memory that they point to. */
export interface SpawnCalls {
  /** The list, {@linkcode SYSTEM_CALL_WORDS} words a call. */
  readonly words: BigUint64Array<ArrayBuffer>;
  /** What each call is for, for the error. */
  readonly purposes: readonly string[];
  /** The child's first act is to stamp its start there. */
  readonly stamp: Uint32Array<ArrayBuffer>;
  /** Keeps what the words point to alive: hold it until the calls were made. */
  readonly memory: readonly Uint8Array<ArrayBuffer>[];
}

/** The kernel's sigset_t, bytes. */
const KERNEL_SIGSET_BYTES = 8;
/** struct clone_args with its field `cgroup`, clone(2): 11 words. */
const CLONE_ARGS_WORDS = 11;
/** struct sigaction of the kernel: handler, flags, restorer, mask; all zero is SIG_DFL. */
const KERNEL_SIGACTION_BYTES = 32;
/** The handler that ignores. */
const SIG_IGN = 1;
/** Permissions of a task's log: the run directory decides who gets there. */
const LOG_MODE = 0o644;
/** Highest descriptor number, for close_range(2). */
const LAST_DESCRIPTOR = 0xffff_ffff;
/** Room for an affinity mask of 8192 CPUs, the most that Linux supports. */
const AFFINITY_BYTES = 1024;

/**
 * The calls of `plan`. `clone` makes the child by clone(2) where clone3(2) is filtered away; it has to
 * enter its v2 cgroup by a file, too.
 */
export function spawnCalls(
  plan: SpawnPlan,
  descriptors: SpawnDescriptors & { readonly by: "clone3" | "clone" },
): SpawnCalls {
  const list = new CallList();
  if (descriptors.by === "clone3") list.clone3(descriptors.cgroup);
  else list.clone();
  list.stamp();
  for (const file of descriptors.tasksFiles) {
    // "0" is the writer itself: a single thread, for which the kernel takes no global lock.
    list.add("enter its cgroup", SYSTEM_CALL.write, file, list.bytes("0"), 1);
  }
  if (plan.cpus !== null) {
    const mask = list.keep(affinityMask(plan.cpus));
    list.add("set its affinity", SYSTEM_CALL.schedSetaffinity, 0, AFFINITY_BYTES, mask);
  }
  if (plan.rights !== null) {
    const { uid, gid, groups } = plan.rights;
    const ids = list.keep(new Uint8Array(Uint32Array.from(groups).buffer));
    list.add("set its groups", SYSTEM_CALL.setgroups, groups.length, ids);
    list.add("set its group", SYSTEM_CALL.setresgid, gid, gid, gid);
    list.add("set its user", SYSTEM_CALL.setresuid, uid, uid, uid);
  }
  // After the change of user, which clears it, prctl(2).
  const death = plan.outlivesAdapter ? 0 : signalNumber("SIGKILL");
  list.add("follow the adapter", SYSTEM_CALL.prctl, PR_SET_PDEATHSIG, death);
  if (plan.logFile !== null) list.ownSessionAndFiles(plan.logFile);
  if (plan.stdin !== null) list.add("take its stdin", SYSTEM_CALL.dup2, plan.stdin, 0);
  if (plan.cwd !== null) {
    list.add(`enter "${plan.cwd}"`, SYSTEM_CALL.chdir, list.text(plan.cwd));
  }
  // Files of the adapter close by themselves; an interactive command keeps those of its caller.
  if (plan.logFile !== null) {
    list.add("close files", SYSTEM_CALL.closeRange, 3, LAST_DESCRIPTOR, 0);
  }
  list.setSignals(plan.ignoredSignals);
  list.add(
    "execute it",
    SYSTEM_CALL.execve,
    list.text(plan.program),
    list.vector(plan.argv),
    list.vector(Object.entries(plan.env).map(([name, value]) => `${name}=${value}`)),
  );
  return list.finish();
}

/** Signals whose action can be set: all but SIGKILL and SIGSTOP. */
const SETTABLE_SIGNALS: readonly number[] = Array.from({ length: 64 }, (_, index) => index + 1)
  .filter((signal) => signal !== signalNumber("SIGKILL") && signal !== signalNumber("SIGSTOP"));

/** A cpu_set_t. */
function affinityMask(cpus: readonly number[]): Uint8Array<ArrayBuffer> {
  const mask = new Uint8Array(AFFINITY_BYTES);
  for (const cpu of cpus) {
    const index = cpu >> 3;
    mask[index] = (mask[index] ?? 0) | (1 << (cpu & 7));
  }
  return mask;
}

/**
 * What went wrong in the child, in words.
 *
 * @param failure What the spawn code stored: the address of the call that failed and its result.
 */
export function failureText(calls: SpawnCalls, failure: BigInt64Array): string {
  const start = addressOf(new Uint8Array(calls.words.buffer));
  const offset = Number((failure[0] ?? 0n) - start);
  const purpose = calls.purposes[offset / (SYSTEM_CALL_WORDS * 8)] ?? "start it";
  return `cannot ${purpose}: ${errorText(-Number(failure[1]))}`;
}

class CallList {
  readonly #words: bigint[] = [];
  readonly #purposes: string[] = [];
  readonly #memory: Uint8Array<ArrayBuffer>[] = [];
  readonly #stamp = new Uint32Array(START_STAMP_WORDS);

  finish(): SpawnCalls {
    const words = BigUint64Array.from(this.#words);
    return { words, purposes: this.#purposes, stamp: this.#stamp, memory: this.#memory };
  }

  add(purpose: string, call: number, ...args: readonly (number | bigint)[]): void {
    this.#purposes.push(purpose);
    this.#words.push(...callWords([call, ...args]));
  }

  clone3(cgroup: number | null): void {
    const args = new BigUint64Array(CLONE_ARGS_WORDS);
    const into = cgroup === null ? 0 : CLONE_INTO_CGROUP;
    args[0] = BigInt(CLONE_VM + CLONE_VFORK + CLONE_CLEAR_SIGHAND + into);
    args[4] = BigInt(signalNumber("SIGCHLD"));
    args[10] = BigInt(cgroup ?? 0);
    const bytes = this.keep(new Uint8Array(args.buffer));
    this.add("make a process", SYSTEM_CALL.clone3, bytes, args.byteLength);
  }

  clone(): void {
    const flags = CLONE_VM | CLONE_VFORK | signalNumber("SIGCHLD");
    this.add("make a process", SYSTEM_CALL.clone, flags);
  }

  stamp(): void {
    for (const call of startStampCalls(addressOf(bytesOf(this.#stamp)))) {
      this.add("read the clock", ...call);
    }
  }

  ownSessionAndFiles(logFile: string): void {
    this.add("make a session", SYSTEM_CALL.setsid);
    // A closed number is the one that openat gives next.
    this.add("close stdin", SYSTEM_CALL.close, 0);
    this.add("open /dev/null", SYSTEM_CALL.openat, AT_FDCWD, this.text("/dev/null"), O_RDONLY);
    this.add("close stdout", SYSTEM_CALL.close, 1);
    const flags = O_WRONLY | O_CREAT | O_APPEND;
    const path = this.text(logFile);
    this.add(`open "${logFile}"`, SYSTEM_CALL.openat, AT_FDCWD, path, flags, LOG_MODE);
    this.add("share stdout as stderr", SYSTEM_CALL.dup2, 1, 2);
  }

  /** Every signal's action, whatever this process and its runtime made of it, and nothing blocked. */
  setSignals(ignored: readonly number[]): void {
    const byDefault = this.keep(new Uint8Array(KERNEL_SIGACTION_BYTES));
    const ignore = this.keep(new Uint8Array(KERNEL_SIGACTION_BYTES).fill(SIG_IGN, 0, 1));
    for (const signal of SETTABLE_SIGNALS) {
      const action = ignored.includes(signal) ? ignore : byDefault;
      this.add("set a signal", SYSTEM_CALL.rtSigaction, signal, action, 0, KERNEL_SIGSET_BYTES);
    }
    const none = this.keep(new Uint8Array(KERNEL_SIGSET_BYTES));
    this.add("unblock", SYSTEM_CALL.rtSigprocmask, SIG_SETMASK, none, 0, KERNEL_SIGSET_BYTES);
  }

  keep(bytes: Uint8Array<ArrayBuffer>): bigint {
    this.#memory.push(bytes);
    return addressOf(bytes);
  }

  bytes(text: string): bigint {
    return this.keep(new TextEncoder().encode(text));
  }

  text(text: string): bigint {
    return this.bytes(`${text}\0`);
  }

  vector(texts: readonly string[]): bigint {
    const pointers = BigUint64Array.from([...texts.map((one) => this.text(one)), 0n]);
    return this.keep(new Uint8Array(pointers.buffer));
  }
}
