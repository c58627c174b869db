/** A process that burns CPU time until the block that holds it is left. */

/** A running process. */
export interface BusyProcess extends AsyncDisposable {
  /** Its pid. */
  readonly pid: number;
}

/** Start `script` in a shell of its own, by default an endless loop; it dies with the test. */
export function busyProcess(script = "while :; do :; done"): BusyProcess {
  const child = new Deno.Command("setpriv", {
    args: ["--pdeathsig", "KILL", "sh", "-c", script],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  return {
    pid: child.pid,
    async [Symbol.asyncDispose](): Promise<void> {
      child.kill("SIGKILL");
      await child.status;
    },
  };
}
