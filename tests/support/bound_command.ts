/** Processes that do not outlive the test that started them, also when it is killed. */

/** By its path: the command may have another PATH. Of util-linux, as every distribution has it. */
const SETPRIV = "/usr/bin/setpriv";

/**
 * A command whose process the kernel kills when the thread that started it ends (PR_SET_PDEATHSIG of
 * prctl(2)): with its test file, or with a test process that was killed and could clean up nothing.
 */
export function boundCommand(program: string | URL, options: Deno.CommandOptions): Deno.Command {
  return new Deno.Command(SETPRIV, {
    ...options,
    args: ["--pdeathsig", "KILL", String(program), ...options.args ?? []],
  });
}
