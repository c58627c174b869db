/** What runs on this machine. */

/** Pid and command line of every process whose command line contains `text`. */
export async function processesNaming(text: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const command = await Deno.readTextFile(`/proc/${name}/cmdline`);
      if (command.includes(text)) found.push(`${name}: ${command.replaceAll("\0", " ")}`);
    } catch (error) {
      // The process ended during the check.
      if (!(error instanceof Deno.errors.NotFound || /os error 3/.test(String(error)))) throw error;
    }
  }
  return found;
}
