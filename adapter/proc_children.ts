/**
 * The children of a process: `/proc/<pid>/task/<tid>/children`, proc_pid_task(5).
 *
 * @module
 */

/** Pids of the children of `pid`, whichever of its threads started them; none when it is gone. */
export function childrenOf(pid: number): number[] {
  const folder = `/proc/${pid}/task`;
  try {
    return [...Deno.readDirSync(folder)].flatMap(({ name }) =>
      childrenOfThread(`${folder}/${name}`)
    );
  } catch (error) {
    if (isGone(error)) return [];
    throw error;
  }
}

function childrenOfThread(folder: string): number[] {
  try {
    return Deno.readTextFileSync(`${folder}/children`).split(" ").filter((pid) => pid !== "")
      .map(Number);
  } catch (error) {
    if (isGone(error)) return [];
    throw error;
  }
}

/** ENOENT before the open, ESRCH behind it; Deno has no class for the second. */
function isGone(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound ||
    (error instanceof Error && /os error 3\)/.test(error.message));
}
