/**
 * Who owns what an adapter leaves: its groups, scopes and journal carry its identity in their names, and
 * are locked while it lives.
 *
 * A pid and a start time say nothing outside their pid namespace, and a start time nothing outside its time
 * namespace: an adapter that is pid 1 of a container would look dead from the host. A lock of flock(2) is
 * the kernel's own word on whether somebody holds a file open, in every namespace.
 *
 * @module
 */

import { errnoOf } from "../trace/linux/errno.ts";
import { isSameProcess, readSelf } from "../trace/linux/processes.ts";

/** An adapter process. */
export interface Owner {
  /** Its process id, in its own namespace. */
  readonly pid: number;
  /** Its start time, clock ticks, in its own namespace. */
  readonly startTicks: number;
  /** The boot in which both are valid. */
  readonly bootId: string;
  /** Where they are valid: inodes of its pid and time namespaces. */
  readonly namespaces: string;
}

/** This process. */
export function readOwner(): Owner {
  const namespaces = `${inodeOf("/proc/self/ns/pid")}.${inodeOf("/proc/self/ns/time")}`;
  return { ...readSelf(), namespaces };
}

/** Inode of a namespace; 0 on a kernel that does not have this kind (time: Linux 5.6). */
function inodeOf(path: string): number {
  try {
    return Deno.statSync(path).ino ?? 0;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return 0;
    throw error;
  }
}

/** Identity of an adapter process on its machine, as events and names have it. */
export function instanceId({ pid, startTicks, namespaces }: Omit<Owner, "bootId">): string {
  return `${pid}-${startTicks}-${namespaces}`;
}

/** An identity in a name; {@linkcode parseInstanceId} reads it. */
export const INSTANCE_PATTERN = String.raw`(\d+)-(\d+)-(\d+\.\d+)`;

const INSTANCE = new RegExp(`^${INSTANCE_PATTERN}$`);

/** Parts of an {@linkcode instanceId}; null when `text` is none. */
export function parseInstanceId(text: string): Omit<Owner, "bootId"> | null {
  const [, pid, startTicks, namespaces] = INSTANCE.exec(text) ?? [];
  if (namespaces === undefined) return null;
  return { pid: Number(pid), startTicks: Number(startTicks), namespaces };
}

/** True when `owner` counts processes as this one does: the same boot and the same namespaces. */
export function isOfOurs(owner: Omit<Owner, "bootId"> & Partial<Owner>, self: Owner): boolean {
  return owner.namespaces === self.namespaces &&
    (owner.bootId === undefined || self.bootId.startsWith(owner.bootId));
}

/** Mark an open file or folder as held by this process, until it is closed. */
export function hold(file: Deno.FsFile): void {
  tryLock(file);
}

/** Whether the owner of something is gone. `file` is what it would hold. */
export function isAbandoned(
  owner: Omit<Owner, "bootId"> & Partial<Owner>,
  { file, self }: { readonly file: Deno.FsFile | null; readonly self: Owner },
): boolean {
  const lock = file === null ? "unknown" : tryLock(file);
  if (lock === "held") return false;
  // One that has only just made it may not hold it yet.
  if (isOfOurs(owner, self)) return !isSameProcess(owner.pid, owner.startTicks);
  return lock === "taken";
}

/** Lock a file; unknown where the file system has no locks. */
function tryLock(file: Deno.FsFile): "taken" | "held" | "unknown" {
  try {
    return file.tryLockSync(true) ? "taken" : "held";
  } catch (error) {
    if (errnoOf(error) === null) throw error;
    return "unknown";
  }
}
