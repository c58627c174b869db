/**
 * Keeps which cores of a node are given to which task.
 *
 * @module
 */

import { formatCpuList, parseCpuList } from "../trace/cpu_list.ts";
import type { Task } from "../trace/task.ts";
import { chooseCores } from "./core_allocator.ts";
import { JobRefusedError } from "./job.ts";

/** CPUs that a task may run on, given back on disposal. */
export interface CoreLease extends Disposable {
  /** Null: not bound. */
  readonly cpus: readonly number[] | null;
  /** Null when not bound. */
  readonly isShared: boolean | null;
}

/** The cores of one node. */
export class CoreBook {
  readonly #cpus: readonly number[];
  readonly #mode: "exclusive" | "shared";
  readonly #isShareOfMachine: boolean;
  readonly #loads = new Map<number, number>();

  /** @param isShareOfMachine True when the node has a part of the machine's CPUs only. */
  constructor(
    cpus: readonly number[],
    options: { readonly mode: "exclusive" | "shared"; readonly isShareOfMachine: boolean },
  ) {
    this.#cpus = cpus;
    this.#mode = options.mode;
    this.#isShareOfMachine = options.isShareOfMachine;
  }

  /**
   * Give cores to a task.
   *
   * @throws {JobRefusedError} when it names CPUs that the node does not have.
   */
  take(task: Task): CoreLease {
    if (this.#mode === "shared") {
      const cpus = this.#isShareOfMachine ? this.#cpus : null;
      return { cpus, isShared: cpus && true, [Symbol.dispose]: () => {} };
    }
    const request = { units: task.cpu_units, explicit: this.#explicit(task) };
    const { cpus, isShared } = chooseCores(request, { cpus: this.#cpus, loads: this.#loads });
    this.#count(cpus, 1);
    return { cpus, isShared, [Symbol.dispose]: () => this.#count(cpus, -1) };
  }

  #explicit({ cpuset }: Task): number[] | null {
    if (cpuset === null) return null;
    let cpus: number[];
    try {
      cpus = parseCpuList(cpuset);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw new JobRefusedError(error.message);
    }
    if (cpus.every((cpu) => this.#cpus.includes(cpu))) return cpus;
    const own = formatCpuList(this.#cpus);
    throw new JobRefusedError(`cpuset "${cpuset}" must lie inside this node's CPUs ${own}`);
  }

  #count(cpus: readonly number[], change: number): void {
    for (const cpu of cpus) this.#loads.set(cpu, (this.#loads.get(cpu) ?? 0) + change);
  }
}
