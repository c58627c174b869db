/** Programs that `setup` unpacked for a user who may not install any. */

/** Where they are. */
export interface ProgramFolder {
  /** The folder of everything. */
  readonly path: string;
  /** Content of the packages. */
  readonly root: string;
  /** Scripts that start the programs: a folder for PATH. */
  readonly bin: string;
}

/** The folder of this user; null when no variable names a cache. */
export function userPrograms(): ProgramFolder | null {
  const home = Deno.env.get("HOME");
  const cache = Deno.env.get("XDG_CACHE_HOME") || (home ? `${home}/.cache` : "");
  if (cache === "") return null;
  const path = `${cache}/tracekit/packages`;
  return { path, root: `${path}/root`, bin: `${path}/bin` };
}

/**
 * Have this process, and what it starts, find the programs that were unpacked for this user, after those
 * of the system. A role under a narrow grant has the PATH of its launcher.
 */
export function findUserPrograms(): void {
  if (Deno.permissions.querySync({ name: "env" }).state !== "granted") return;
  const bin = userPrograms()?.bin;
  const path = Deno.env.get("PATH") ?? "";
  if (bin === undefined || path.split(":").includes(bin)) return;
  Deno.env.set("PATH", path === "" ? bin : `${path}:${bin}`);
}
