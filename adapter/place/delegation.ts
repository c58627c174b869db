/**
 * Room in a v2 group: its controllers can be handed down only while no process is in it, which
 * cgroup-v2.rst calls the "No Internal Process Constraint". An adapter is in the group that it was
 * started in, and its worker beside it; so both are set aside, into a group below.
 *
 * @module
 */

import { basename, dirname, join } from "@std/path";
import { isFolder } from "../job_paths.ts";
import type { StartCalls } from "../start/start_calls.ts";
import { makeGroup, readPids, readText, removeGroup, writeValue } from "./group_files.ts";

/** Name of the group of those that were set aside. */
const ASIDE = "tracekit-aside";

/** Rounds of moving: each takes what was forked during the one before. */
const MOVE_ROUNDS = 20;

/** `group`, or the one above it when that is where we were set aside from. */
export function withoutAside(group: string): string {
  return basename(group) === ASIDE ? dirname(group) : group;
}

/** Where the processes of `group` are that belong to no task. */
export function standingPlace(group: string): string {
  const aside = join(group, ASIDE);
  return isFolder(aside) ? aside : group;
}

/**
 * True where systemd leaves what is below `group` to us: it gives the group of a unit with `Delegate=yes`
 * to the unit's user, and marks it (systemd's CGROUP_DELEGATION.md).
 *
 * @param libc Null: root cannot see the mark.
 */
export function isDelegated(group: string, libc: StartCalls | null): boolean {
  return Deno.statSync(group).uid !== 0 || libc?.hasAttribute(group, "user.delegate") === true;
}

/**
 * True where no process is in the way, and in the root. To ask the kernel is not enough: it lets cpu
 * and cpuset be handed down beside processes, and then takes none into the groups below.
 */
export function hasRoom(group: string): boolean {
  return readText(join(group, "cgroup.type")) === null || readPids(group).length === 0;
}

/** Set the processes in `group` aside; false when the kernel refuses. */
export function setAside(group: string): boolean {
  const aside = join(group, ASIDE);
  return makeGroup(aside) && moveAll(group, aside);
}

/** Take back what {@linkcode setAside} did, once nobody needs the room. */
export function takeBack(group: string): void {
  const aside = join(group, ASIDE);
  if (!isFolder(aside)) return;
  for (const change of ["-memory", "-cpuset", "-cpu"]) {
    writeValue(join(group, "cgroup.subtree_control"), change);
  }
  if (moveAll(aside, group)) removeGroup(aside);
}

function moveAll(from: string, to: string): boolean {
  for (let round = 0; round < MOVE_ROUNDS; round++) {
    const pids = readPids(from);
    if (pids.length === 0) return true;
    for (const pid of pids) writeValue(join(to, "cgroup.procs"), String(pid));
  }
  return false;
}
