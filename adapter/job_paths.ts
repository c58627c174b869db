/**
 * Paths that a task names, held inside the folders that it may use.
 *
 * @module
 */

import { basename, dirname, isAbsolute, join, resolve } from "@std/path";
import { messageOf } from "../trace/atomic_file.ts";
import { errnoOf } from "../trace/linux/errno.ts";
import { JobRefusedError, NotExecutableError } from "./job.ts";

/**
 * `path` of a task's output as an absolute one inside `outputsDir`, symbolic links resolved. A relative
 * path counts from `root`, the worker's working directory, as the dispatcher names outputs
 * (`outputs/x.mp4`); where that is not inside, from `outputsDir` itself.
 *
 * @throws {JobRefusedError} when it leads out of `outputsDir`, or names the folder itself.
 */
export function resolveOutput(
  path: string,
  { outputsDir, root }: { readonly outputsDir: string; readonly root: string },
): string {
  refuseNul(path);
  const fromRoot = resolve(root, path);
  const isInside = isAbsolute(path) || isBelow(fromRoot, outputsDir);
  const wanted = isInside ? fromRoot : resolve(outputsDir, path);
  const real = join(realPath(dirname(wanted)), basename(wanted));
  if (isBelow(real, realPath(outputsDir))) return real;
  throw new JobRefusedError(`path "${path}" must be inside the outputs folder "${outputsDir}"`);
}

/** True when `path` is below `folder`; both absolute and normal. */
function isBelow(path: string, folder: string): boolean {
  return path.startsWith(folder.endsWith("/") ? folder : `${folder}/`);
}

/** `path` with the symbolic links of the part that exists resolved. */
function realPath(path: string): string {
  try {
    return Deno.realPathSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound) || path === dirname(path)) throw error;
    return join(realPath(dirname(path)), basename(path));
  }
}

/**
 * Refuse a text with a NUL in it: the kernel would cut it there.
 *
 * @throws {JobRefusedError}
 */
export function refuseNul(text: string): void {
  if (text.includes("\0")) throw new JobRefusedError("a NUL character cannot be passed on");
}

/**
 * The program called `name`: a path as it is, a bare name from the folders of `searchPath`.
 *
 * @throws {JobRefusedError} when there is none, or it is not an executable file.
 */
export function findProgram(
  name: string,
  { searchPath, cwd }: { readonly searchPath: string; readonly cwd: string },
): string {
  if (name.includes("/")) {
    const path = resolve(cwd, name);
    const problem = executionProblem(path);
    if (problem === null) return path;
    const Refusal = problem === ABSENT ? JobRefusedError : NotExecutableError;
    throw new Refusal(`program "${name}" ${problem}`);
  }
  // A relative folder would be one that tasks may write to.
  const folders = searchPath.split(":").filter(isAbsolute);
  const found = folders.map((folder) => join(folder, name))
    .find((path) => executionProblem(path) === null);
  if (found !== undefined) return found;
  throw new JobRefusedError(`program "${name}" is not in PATH (${searchPath})`);
}

const ABSENT = "does not exist";

function executionProblem(path: string): string | null {
  try {
    const { isFile, isDirectory, mode } = Deno.statSync(path);
    if (isDirectory) return "is a directory";
    return isFile && ((mode ?? 0) & 0o111) !== 0 ? null : "is not executable";
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return ABSENT;
    }
    if (errnoOf(error) === null) throw error;
    return `cannot be read: ${messageOf(error)}`;
  }
}

/** True when there is a folder at `path`. */
export function isFolder(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
