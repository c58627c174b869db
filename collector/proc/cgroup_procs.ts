/**
 * `cgroup.procs`, cgroups(7).
 *
 * @module
 */

/** The process ids in `cgroup.procs`; 0 stands for processes of another pid namespace and is left out. */
export function parseCgroupProcs(text: string): number[] {
  return text.split("\n").map(Number).filter((pid) => Number.isSafeInteger(pid) && pid > 0);
}
