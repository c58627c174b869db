/** What every user of a machine can see: the command lines of all its processes. */

/** How often the command lines of all processes are read, ms: ssh's live for 100 ms and more. */
const WATCH_INTERVAL_MS = 50;

/** Every command line that this machine, which all hosts are part of, shows from now on. */
export function watchCommandLines(): Disposable & { readonly lines: ReadonlySet<string> } {
  const lines = new Set<string>();
  const timer = setInterval(() => {
    for (const { name } of Deno.readDirSync("/proc")) {
      if (/^\d+$/.test(name)) lines.add(commandLineOf(name));
    }
  }, WATCH_INTERVAL_MS);
  return {
    lines,
    [Symbol.dispose]: () => clearInterval(timer),
  };
}

function commandLineOf(pid: string): string {
  try {
    return Deno.readTextFileSync(`/proc/${pid}/cmdline`).replaceAll("\0", " ");
  } catch (error) {
    // It ended between the listing of the folder and this reading: ENOENT, or ESRCH once it is open.
    if (error instanceof Deno.errors.NotFound || /os error 3\)/.test(String(error))) return "";
    throw error;
  }
}
