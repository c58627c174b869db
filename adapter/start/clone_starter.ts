/**
 * Starts processes by one FFI call, and reaps them with their exact resource usage.
 *
 * @module
 */

import { ERRNO, errorText } from "../../trace/linux/errno.ts";
import { join } from "@std/path";
import type { Clock } from "../../trace/clock.ts";
import { type EndedChild, ExitWait } from "./exit_wait.ts";
import { StartCalls } from "./start_calls.ts";
import {
  O_CLOEXEC,
  O_DIRECTORY,
  O_RDONLY,
  O_WRONLY,
  PR_SET_CHILD_SUBREAPER,
  PR_SET_PDEATHSIG,
  signalNumber,
} from "../../trace/linux/abi.ts";
import { failureText, spawnCalls } from "./spawn_calls.ts";
import { SpawnError, type SpawnPlan } from "./spawn_plan.ts";
import { readStartStamp } from "./stamp.ts";
import type { Exit, Started, Starter } from "./starter.ts";

/**
 * Starts and reaps every child of this process: nothing else here may make children.
 *
 * One nonblocking wait for any child serves all of them. A blocking wait per child would take a thread
 * of Deno's pool each, about 32 that file I/O shares: 35 of them held up everything else for seconds.
 */
export class CloneStarter implements Starter {
  readonly kind = "clone";
  readonly #libc: StartCalls;
  readonly #clock: Clock;
  readonly #running = new Map<number, (exit: Exit) => void>();
  readonly #exitWait: ExitWait;
  #orphan = Promise.withResolvers<void>();
  /** When the last one was reaped. */
  #orphanBootMs = -Infinity;
  #isWaiting = false;
  #hasClone3 = true;

  constructor(libc: StartCalls, clock: Clock) {
    this.#libc = libc;
    this.#clock = clock;
    this.#exitWait = new ExitWait(libc);
    // Descendants that lose their parent become children of this process, so that their end shows.
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1);
    // A stopped adapter whose worker dies continues, to end its tasks: others are about to start them.
    libc.prctl(PR_SET_PDEATHSIG, signalNumber("SIGCONT"));
    // A caller that ignores SIGCHLD would have the kernel reap our children before we can.
    libc.resetSignal(signalNumber("SIGCHLD"));
  }

  start(plan: SpawnPlan): Started {
    const { pid, at } = this.#spawn(plan, this.#hasClone3 ? "clone3" : "clone");
    const { promise, resolve } = Promise.withResolvers<Exit>();
    this.#running.set(pid, resolve);
    this.#waitForAll();
    return { pid, at, exit: promise };
  }

  descendantEnded(): Promise<void> {
    return this.#orphan.promise;
  }

  hasLostOrphan(bootMs: number): boolean {
    // What waits to be reaped may be one.
    return this.#orphanBootMs >= bootMs || this.#libc.endedChild() !== null;
  }

  #spawn(plan: SpawnPlan, by: "clone3" | "clone"): Omit<Started, "exit"> {
    using descriptors = new Descriptors(this.#libc);
    const { cgroup, cgroupTasksFiles } = plan;
    const isBorn = by === "clone3" && cgroup !== null;
    // Else it enters the v2 group as those of v1: later, and after a wait of 6 ms for the kernel.
    const toEnter = cgroup === null || isBorn ? [] : [join(cgroup, "cgroup.procs")];
    const calls = spawnCalls(plan, {
      by,
      cgroup: isBorn ? descriptors.open(cgroup, O_RDONLY | O_DIRECTORY) : null,
      tasksFiles: [...toEnter, ...cgroupTasksFiles].map((path) => descriptors.open(path, O_WRONLY)),
    });
    const failure = new BigInt64Array(2);
    const pid = this.#libc.spawn(calls.words, failure);
    if (by === "clone3" && (pid === -ERRNO.ENOSYS || pid === -ERRNO.EINVAL)) {
      this.#hasClone3 = false;
      return this.#spawn(plan, "clone");
    }
    if (pid < 0) {
      throw new SpawnError(`Cannot start "${plan.program}": ${errorText(-pid)}`);
    }
    if (failure[1] !== 0n) {
      this.#libc.reap(pid);
      throw new SpawnError(`Cannot start "${plan.program}": ${failureText(calls, failure)}`);
    }
    return { pid, at: readStartStamp(calls.stamp) };
  }

  async #waitForAll(): Promise<void> {
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    let ended = await this.#exitWait.next();
    // None, "no child", may be the answer from just before one was started.
    while (ended !== null || this.#running.size > 0) {
      if (ended !== null) this.#reapAll(ended);
      ended = await this.#exitWait.next();
    }
    this.#isWaiting = false;
  }

  /** Reap `first` and all others that have ended since. */
  #reapAll(first: EndedChild): void {
    this.#reap(first);
    for (let pid = this.#libc.endedChild(); pid !== null; pid = this.#libc.endedChild()) {
      this.#reap({ pid, at: this.#clock.now() });
    }
  }

  #reap({ pid, at }: EndedChild): void {
    const result = this.#libc.reap(pid);
    const resolve = this.#running.get(pid);
    if (result !== null && resolve !== undefined) {
      this.#running.delete(pid);
      resolve({ ...result, at, childCpu: null });
    } else {
      this.#orphanBootMs = this.#clock.bootMs();
      this.#orphan.resolve();
      this.#orphan = Promise.withResolvers();
    }
  }
}

/** Descriptors that live as long as one spawn. */
class Descriptors implements Disposable {
  readonly #libc: StartCalls;
  readonly #open: number[] = [];

  constructor(libc: StartCalls) {
    this.#libc = libc;
  }

  open(path: string, flags: number): number {
    const descriptor = this.#libc.openDescriptor(path, flags | O_CLOEXEC);
    if (descriptor < 0) throw new SpawnError(`Cannot open "${path}" for a new process`);
    this.#open.push(descriptor);
    return descriptor;
  }

  [Symbol.dispose](): void {
    for (const descriptor of this.#open) this.#libc.closeDescriptor(descriptor);
  }
}
