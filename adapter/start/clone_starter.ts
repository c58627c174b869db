/**
 * Starts processes by one FFI call, and reaps them with their exact resource usage.
 *
 * @module
 */

import type { Clock } from "../../trace/clock.ts";
import { Libc } from "./libc.ts";
import {
  ENOSYS,
  errorText,
  O_CLOEXEC,
  O_DIRECTORY,
  O_RDONLY,
  O_WRONLY,
  PR_SET_CHILD_SUBREAPER,
  signalNumber,
} from "./linux.ts";
import { failureText, spawnCalls } from "./spawn_calls.ts";
import { SpawnError, type SpawnPlan } from "./spawn_plan.ts";
import type { Exit, Started, Starter } from "./starter.ts";

/**
 * Starts and reaps every child of this process: nothing else here may make children.
 *
 * One nonblocking wait for any child serves all of them. A blocking wait per child would take a thread
 * of Deno's pool each, about 32 that file I/O shares: 35 of them held up everything else for seconds.
 */
export class CloneStarter implements Starter {
  readonly kind = "clone";
  readonly #libc: Libc;
  readonly #clock: Clock;
  readonly #running = new Map<number, (exit: Exit) => void>();
  #orphan = Promise.withResolvers<void>();
  #isWaiting = false;
  #hasClone3 = true;

  constructor(libc: Libc, clock: Clock) {
    this.#libc = libc;
    this.#clock = clock;
    // Descendants that lose their parent become children of this process, so that their end shows.
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1);
    // A caller that ignores SIGCHLD would have the kernel reap our children before we can.
    libc.resetSignal(signalNumber("SIGCHLD"));
  }

  start(plan: SpawnPlan): Started {
    const at = this.#clock.now();
    const pid = this.#hasClone3 ? this.#spawn(plan, "clone3") : this.#spawn(plan, "clone");
    const { promise, resolve } = Promise.withResolvers<Exit>();
    this.#running.set(pid, resolve);
    this.#waitForAll();
    return { pid, at, exit: promise };
  }

  descendantEnded(): Promise<void> {
    return this.#orphan.promise;
  }

  #spawn(plan: SpawnPlan, by: "clone3" | "clone"): number {
    using descriptors = new Descriptors(this.#libc);
    const calls = spawnCalls(plan, {
      by,
      cgroup: plan.cgroup === null ? null : descriptors.open(plan.cgroup, O_RDONLY | O_DIRECTORY),
      tasksFiles: plan.cgroupTasksFiles.map((path) => descriptors.open(path, O_WRONLY)),
    });
    const failure = new BigInt64Array(2);
    const pid = this.#libc.spawn(calls.words, failure);
    if (pid === -ENOSYS && by === "clone3") {
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
    return pid;
  }

  async #waitForAll(): Promise<void> {
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    // False, "no child", may be the answer from just before one was started.
    while (await this.#libc.waitForExit() || this.#running.size > 0) {
      for (let pid = this.#libc.endedChild(); pid !== null; pid = this.#libc.endedChild()) {
        this.#reap(pid);
      }
    }
    this.#isWaiting = false;
  }

  #reap(pid: number): void {
    const at = this.#clock.now();
    const result = this.#libc.reap(pid);
    const resolve = this.#running.get(pid);
    if (result !== null && resolve !== undefined) {
      this.#running.delete(pid);
      resolve({ ...result, at });
    } else {
      this.#orphan.resolve();
      this.#orphan = Promise.withResolvers();
    }
  }
}

/** Descriptors that live as long as one spawn. */
class Descriptors implements Disposable {
  readonly #libc: Libc;
  readonly #open: number[] = [];

  constructor(libc: Libc) {
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
