/** A cgroup of a test in one hierarchy, removed when the test leaves its block. */

import { join } from "@std/path";
import { readHierarchies } from "../../adapter/place/cgroup_base.ts";
import { has } from "./left_out.ts";

/** A hierarchy that accounts for CPU time and lets this user make groups. */
export interface WritableHierarchy {
  /** 1: the controller cpuacct. */
  readonly version: 1 | 2;
  /** Where this process's own group is. */
  readonly directory: string;
}

/** The hierarchies that a test can use; none where the user may not make groups. */
export const WRITABLE_HIERARCHIES: readonly WritableHierarchy[] = readHierarchies()
  .filter(({ version, controllers }) => version === 2 || controllers.includes("cpuacct"))
  .map(({ version, ownDirectory }) => ({ version, directory: ownDirectory }))
  .filter(({ directory }) => isWritable(directory));

/** True where an adapter can put tasks into cgroups, which know also what has left its parents. */
export const CAN_GROUP: boolean = has({
  "the right to make cgroups": WRITABLE_HIERARCHIES.length > 0,
});

function isWritable(directory: string): boolean {
  const probe = join(directory, `tracekit-probe-${crypto.randomUUID()}`);
  try {
    Deno.mkdirSync(probe);
    Deno.removeSync(probe);
    return true;
  } catch (error) {
    if (error instanceof Error) return false;
    throw error;
  }
}

/** A cgroup. */
export interface TestCgroup extends AsyncDisposable {
  /** Its directory. */
  readonly directory: string;
  /** Move a process into it. */
  add(pid: number): void;
  /** Remove it; its processes must be gone. */
  remove(): Promise<void>;
}

/** Make a cgroup. */
export function testCgroup({ directory: parent }: WritableHierarchy): TestCgroup {
  const directory = join(parent, `tracekit-test-${crypto.randomUUID()}`);
  Deno.mkdirSync(directory);
  let isThere = true;
  async function remove(): Promise<void> {
    if (!isThere) return;
    // The kernel needs a moment after the last process was reaped (EBUSY).
    for (let tries = 0;; tries++) {
      try {
        Deno.removeSync(directory);
        break;
      } catch (error) {
        if (!(error instanceof Deno.errors.Busy) || tries === 100) throw error;
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    }
    isThere = false;
  }
  return {
    directory,
    add: (pid) => Deno.writeTextFileSync(join(directory, "cgroup.procs"), String(pid)),
    remove,
    [Symbol.asyncDispose]: remove,
  };
}
