/** Processes that do not outlive the test that started them, also when it is killed. */

/**
 * A command whose process the kernel kills when the thread that started it ends (PR_SET_PDEATHSIG of
 * prctl(2)): with its test file, or with a test process that was killed and could clean up nothing.
 */
export function boundCommand(program: string | URL, options: Deno.CommandOptions): Deno.Command {
  return new Deno.Command("setpriv", {
    ...options,
    args: ["--pdeathsig", "KILL", String(program), ...options.args ?? []],
  });
}
