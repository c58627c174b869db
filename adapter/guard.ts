/**
 * Ends all tasks with all their descendants when the adapter is killed.
 *
 * The death signal of prctl(2) reaches a task's first process only: what that one started would continue,
 * beside the same task started again elsewhere. So a shell of 1 MB waits for the end of a pipe whose
 * other end the adapter alone holds, and then empties the adapter's cgroups.
 *
 * @module
 */

import type { CgroupBase } from "./place/cgroup_base.ts";
import type { StartCalls } from "./start/start_calls.ts";
import { signalProcess } from "../trace/linux/processes.ts";
import { PLAIN_PLAN } from "./start/spawn_plan.ts";
import type { SystemdAccess } from "./place/scope_place.ts";
import type { Starter } from "./start/starter.ts";
import { scopePattern, stopScopesArguments } from "./place/systemd.ts";

/**
 * `FOLDERS…`: the adapter's groups, the one that knows all processes first. END_SCOPES is the command
 * that ends its scopes, empty without systemd. A thousand rounds of 10 ms
 * are for processes that the kernel cannot end at once, as in a hanging network file system; what is
 * left then, the next adapter sweeps.
 */
const SHELL_SCRIPT = `
read -r _
$END_SCOPES
round=0
while [ $round -lt 1000 ]; do
  if [ -e "$1/cgroup.kill" ]; then echo 1 >"$1/cgroup.kill"; fi
  pids=$(cat "$1"/*/cgroup.procs 2>/dev/null)
  if [ -z "$pids" ]; then break; fi
  kill -KILL $pids 2>/dev/null
  sleep 0.01
  round=$((round + 1))
done
for group in "$@"; do rmdir "$group"/*/ "$group" 2>/dev/null; done
`;

/** Waits for the adapter's death. */
export class Guard implements Disposable {
  readonly #libc: StartCalls;
  readonly #pid: number;
  readonly #writer: number;

  private constructor(
    libc: StartCalls,
    { pid, writer }: { readonly pid: number; readonly writer: number },
  ) {
    this.#libc = libc;
    this.#pid = pid;
    this.#writer = writer;
  }

  /** Start it; null when it cannot be. */
  static start(
    { libc, starter, cgroups, systemd, instanceId }: {
      readonly libc: StartCalls;
      readonly starter: Starter;
      readonly cgroups: CgroupBase;
      readonly systemd: SystemdAccess | null;
      readonly instanceId: string;
    },
  ): Guard | null {
    const pipe = libc.openPipe();
    if (pipe === null) return null;
    const endScopes = systemd === null
      ? []
      : stopScopesArguments(systemd.manager, [scopePattern(instanceId)]);
    const { pid } = starter.start({
      ...PLAIN_PLAN,
      program: "/bin/sh",
      argv: ["tracekit-guard", "-c", SHELL_SCRIPT, "sh", ...cgroups.directories],
      env: { PATH: "/usr/bin:/bin", ...systemd?.env, END_SCOPES: endScopes.join(" ") },
      // Not in the adapter's session: a Ctrl-C there is not its business.
      logFile: "/dev/null",
      stdin: pipe.reader,
      outlivesAdapter: true,
    });
    libc.closeDescriptor(pipe.reader);
    return new Guard(libc, { pid, writer: pipe.writer });
  }

  /** Ends it: there is nothing left to guard. */
  [Symbol.dispose](): void {
    signalProcess(this.#pid, "SIGKILL");
    this.#libc.closeDescriptor(this.#writer);
  }
}
