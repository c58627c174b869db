/** A Python with the modules that a test needs. */

/** Where to look: PYTHON names one, as an environment with more than the system's packages. */
const CANDIDATES = [Deno.env.get("PYTHON"), "python3", "/usr/bin/python3"];

/** The first Python that imports all of `modules`; null: there is none, and the test is left out. */
export async function pythonWith(...modules: readonly string[]): Promise<string | null> {
  for (const python of CANDIDATES) {
    if (python === undefined || python === "") continue;
    try {
      const { success } = await new Deno.Command(python, {
        args: ["-c", modules.map((one) => `import ${one}`).join("\n")],
        stdout: "null",
        stderr: "null",
      }).output();
      if (success) return python;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return null;
}

/** What `python` prints. */
export async function runPython(
  python: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(python, {
    args: [...args],
    env: { PYTHONDONTWRITEBYTECODE: "1", ...env },
  }).output();
  const decoder = new TextDecoder();
  if (!success) throw new Error(`${args.join(" ")} failed: ${decoder.decode(stderr)}`);
  return decoder.decode(stdout);
}
