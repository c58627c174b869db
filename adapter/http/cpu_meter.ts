/**
 * All the CPU time that a service has used, read often: of its cgroup, or of a process and its
 * descendants.
 *
 * @module
 */

import { join } from "@std/path";
import { ERRNO, isErrno } from "../../trace/linux/errno.ts";
import { NS_PER_US } from "../../trace/units.ts";

/** Reads the CPU time of one service. */
export interface CpuMeter extends Disposable {
  /** What it reads. */
  readonly source: "cgroup_v2" | "cgroup_v1" | "proc";
  /** CPU time since the service started, ns, whole; null when the service is gone. */
  readNs(): number | null;
  /** Look for processes that the service has started; called now and then. */
  refresh(): void;
}

/** A service that cannot be measured, with what to do about it. */
export class MeterError extends Error {
  override readonly name = "MeterError";
}

/** Large enough for cpuacct.usage and for the first lines of cpu.stat. */
const BUFFER_BYTES = 512;

const DIGIT_0 = 0x30;

/**
 * The CPU time of the cgroup `directory` and those below it: `usage_usec` of cpu.stat (cgroup-v2.rst),
 * or `cpuacct.usage` in ns (cgroup-v1/cpuacct.rst).
 *
 * A running thread is counted at its clock tick, up to 4 ms late; one that waits is counted exactly.
 *
 * @throws {MeterError} when the directory has neither.
 */
export class CgroupMeter implements CpuMeter {
  readonly source: "cgroup_v2" | "cgroup_v1";
  readonly #file: Deno.FsFile;
  readonly #buffer = new Uint8Array(BUFFER_BYTES);
  readonly #scale: number;
  /** Place of the number's first digit in the file. */
  readonly #at: number;

  constructor(directory: string) {
    const v1 = openIfThere(join(directory, "cpuacct.usage"));
    const file = v1 ?? openIfThere(join(directory, "cpu.stat"));
    this.source = v1 === null ? "cgroup_v2" : "cgroup_v1";
    this.#scale = v1 === null ? NS_PER_US : 1;
    const prefix = v1 === null ? "usage_usec " : "";
    const count = file?.readSync(this.#buffer) ?? 0;
    const text = new TextDecoder().decode(this.#buffer.subarray(0, count));
    if (file === null || !text.startsWith(prefix)) {
      file?.close();
      throw new MeterError(
        `Cannot read the CPU time of the cgroup "${directory}": a directory of the v2 hierarchy or ` +
          `of the v1 controller cpuacct is required`,
      );
    }
    this.#file = file;
    this.#at = prefix.length;
  }

  readNs(): number | null {
    let count: number;
    try {
      this.#file.seekSync(0, Deno.SeekMode.Start);
      count = this.#file.readSync(this.#buffer) ?? 0;
    } catch (error) {
      // ENODEV: the cgroup was removed under the open descriptor.
      if (isErrno(error, ERRNO.ENODEV)) return null;
      throw error;
    }
    let value = 0;
    for (let at = this.#at; at < count; at++) {
      const digit = this.#buffer[at] as number - DIGIT_0;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
    }
    return value * this.#scale;
  }

  refresh(): void {}

  [Symbol.dispose](): void {
    this.#file.close();
  }
}

function openIfThere(path: string): Deno.FsFile | null {
  try {
    return Deno.openSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}
