/**
 * Reading, writing, making and removing cgroups, where the answer may be that this process may not.
 *
 * @module
 */

import { join } from "@std/path";
import { ERRNO, isErrno } from "../../trace/linux/errno.ts";

/** Processes of a group. */
export function readPids(group: string): number[] {
  const lines = (readText(join(group, "cgroup.procs")) ?? "").split("\n");
  return lines.filter((line) => line !== "").map(Number);
}

/** Make a group; false where this process may not. */
export function makeGroup(directory: string): boolean {
  try {
    Deno.mkdirSync(directory);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return true;
    // systemd removed the group that this process was in, and moved it up, a moment ago.
    if (error instanceof Deno.errors.NotFound) return false;
    // A read-only cgroup file system, as containers have it, is EROFS.
    if (isErrno(error, ERRNO.EACCES, ERRNO.EPERM, ERRNO.EROFS)) return false;
    throw error;
  }
}

/** Remove an empty group; false when it is not empty yet. */
export function removeGroup(directory: string): boolean {
  try {
    Deno.removeSync(directory);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return true;
    // EBUSY: a process is in it.
    if (isErrno(error, ERRNO.EBUSY)) return false;
    throw error;
  }
}

/** The text of a cgroup's file, or null when it is not there: or no more, when the group was removed. */
export function readText(path: string): string | null {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (isErrno(error, ERRNO.ENOENT, ERRNO.ENODEV)) return null;
    throw error;
  }
}

/** Errors by which the kernel refuses a value. */
const REFUSED = [
  ERRNO.EPERM,
  ERRNO.ENOENT,
  ERRNO.ESRCH,
  ERRNO.EACCES,
  ERRNO.EBUSY,
  ERRNO.EINVAL,
  ERRNO.EROFS,
  ERRNO.EOPNOTSUPP,
];

/** Write a value to a cgroup's file; false when it is not there, or the kernel refuses. */
export function writeValue(path: string, value: string): boolean {
  try {
    Deno.writeTextFileSync(path, value, { create: false });
    return true;
  } catch (error) {
    if (isErrno(error, ...REFUSED)) return false;
    throw error;
  }
}
