/** A process that burns CPU time until the block that holds it is left. */

import { signalProcess } from "../../trace/linux/processes.ts";
import { boundCommand } from "./bound_command.ts";

/** A running process. */
export interface BusyProcess extends AsyncDisposable {
  /** Its pid. */
  readonly pid: number;
}

/**
 * Start `script` in a shell and a process group of its own, by default an endless loop. What a killed
 * test leaves behind ends after 20 s of CPU time.
 */
export function busyProcess(script = "while :; do :; done"): BusyProcess {
  const child = boundCommand("sh", {
    args: ["-c", `ulimit -t 20; ${script}`],
    stdin: "null",
    stdout: "null",
    stderr: "null",
    detached: true,
  }).spawn();
  return {
    pid: child.pid,
    async [Symbol.asyncDispose](): Promise<void> {
      signalProcess(-child.pid, "SIGKILL");
      await child.status;
    },
  };
}
