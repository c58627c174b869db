/**
 * Starts processes by Deno's own means, where FFI is not available. The totals are less exact: without
 * a cgroup CPU time has steps of clock ticks, and what the shell does before it becomes the program counts
 * as the program's.
 *
 * @module
 */

import { formatCpuList } from "../../trace/cpu_list.ts";
import type { Clock } from "../../trace/clock.ts";
import { messageOf } from "../../trace/atomic_file.ts";
import { join } from "@std/path";
import { readChildrenTicks, readProcessStat } from "../../trace/linux/processes.ts";
import { ChildrenCounters } from "./children_counters.ts";
import { SpawnError, type SpawnPlan } from "./spawn_plan.ts";
import type { Started, Starter } from "./starter.ts";

/** Enters cgroups, opens the log, becomes the program: `COUNT CGROUP_FILE… LOG PROGRAM ARGUMENT…`. */
const SHELL_SCRIPT = `
count=$1; shift
while [ "$count" -gt 0 ]; do echo 0 >"$1" || exit 126; shift; count=$((count - 1)); done
if [ -n "$1" ]; then exec >>"$1" 2>&1 </dev/null || exit 126; fi
shift
exec "$@"
`;

/** How often a tree without its first process is looked at, ms: its end is late by at most this. */
const ORPHAN_PAUSE_MS = 20;

/** Starts processes through a shell. */
export class CommandStarter implements Starter {
  readonly kind = "deno_command";
  readonly #clock: Clock;
  readonly #running = new Set<number>();
  readonly #counters = new ChildrenCounters({
    readTicks: readChildrenTicks,
    isThere: (pid) => readProcessStat(pid) !== null,
  });

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  start(plan: SpawnPlan): Started {
    if (plan.rights !== null) {
      throw new SpawnError(`Cannot start "${plan.program}" as another user: FFI is required`);
    }
    const cgroups = [
      ...(plan.cgroup === null ? [] : [join(plan.cgroup, "cgroup.procs")]),
      ...plan.cgroupTasksFiles,
    ];
    const affinity = plan.cpus === null ? [] : ["taskset", "-c", formatCpuList(plan.cpus)];
    const program = [...affinity, plan.program, ...plan.argv.slice(1)];
    const stdio = plan.logFile === null ? "inherit" : "null";
    const command = new Deno.Command("/bin/sh", {
      args: [
        "-c",
        SHELL_SCRIPT,
        "sh",
        `${cgroups.length}`,
        ...cgroups,
        plan.logFile ?? "",
        ...program,
      ],
      clearEnv: true,
      env: { ...plan.env },
      ...(plan.cwd === null ? {} : { cwd: plan.cwd }),
      stdin: stdio,
      stdout: stdio,
      stderr: stdio,
      detached: plan.logFile !== null,
    });
    const at = this.#clock.now();
    const child = spawnOf(command, plan.program);
    this.#running.add(child.pid);
    const exit = child.status.then(({ code, signal }) => {
      const at = this.#clock.now();
      this.#running.delete(child.pid);
      const childCpu = this.#counters.take(child.pid, this.#running);
      return { status: code, signal, rusage: null, childCpu, at };
    });
    return { pid: child.pid, at, exit };
  }

  /** Orphans are not this process's children here: nobody tells of their end. */
  descendantEnded(): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, ORPHAN_PAUSE_MS));
  }

  /** Nobody tells of them, so any may have ended. */
  hasLostOrphan(): boolean {
    return true;
  }
}

function spawnOf(command: Deno.Command, program: string): Deno.ChildProcess {
  try {
    return command.spawn();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw new SpawnError(`Cannot start "${program}": ${messageOf(error)}`, { cause: error });
  }
}
