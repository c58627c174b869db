/**
 * Finds the processes that followed processes have started: by the subject's cgroup where it has one,
 * which holds re-parented ones too, else by parent.
 *
 * @module
 */

import { join } from "@std/path";
import { parseCgroupProcs } from "../proc/cgroup_procs.ts";
import type { FollowedSet, Subject } from "../following/followed_set.ts";
import type { ProcessTable } from "./process_table.ts";
import { readTextIfThere } from "../proc/procfs.ts";

/** The processes in `cgroup` (a directory); null when it cannot be listed. */
function cgroupMembers(cgroup: string): number[] | null {
  const text = readTextIfThere(join(cgroup, "cgroup.procs"));
  return text === null ? null : parseCgroupProcs(text);
}

/** Follow the processes in `cgroup` for `subject`; false when it cannot be listed. */
export function followCgroup(followed: FollowedSet, cgroup: string, subject: Subject): boolean {
  const members = cgroupMembers(cgroup);
  for (const pid of members ?? []) if (!followed.has(pid)) followed.follow(pid, { subject });
  return members !== null;
}

/** Follow the processes in the cgroups of `subjects`; those whose cgroup cannot be listed come back. */
export function followCgroups(followed: FollowedSet, subjects: Iterable<Subject>): Subject[] {
  const unlisted: Subject[] = [];
  for (const subject of subjects) {
    const isListed = subject.cgroup !== null && followCgroup(followed, subject.cgroup, subject);
    if (!isListed) unlisted.push(subject);
  }
  return unlisted;
}

/** Follow every process of `table` whose parent is followed, and theirs in turn. */
export function followChildren(followed: FollowedSet, table: ProcessTable): void {
  let isSettled = false;
  while (!isSettled) {
    isSettled = true;
    for (const { pid, ppid, startTicks } of table.entries) {
      const subject = followed.subjectOf(ppid);
      if (subject === undefined || !subject.hasDescendants || followed.has(pid)) continue;
      // A parent's pid may have been given to another process since: that one is younger than the child.
      if ((followed.startTicksOf(ppid) ?? Infinity) > startTicks) continue;
      const isMeant = (stat: { readonly startTicks: number }) => stat.startTicks === startTicks;
      const { kind } = followed.follow(pid, { subject, isMeant });
      if (kind === "followed") isSettled = false;
      else if (kind === "gone" || kind === "refused") table.forget(pid);
    }
  }
}
