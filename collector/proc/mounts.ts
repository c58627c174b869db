/**
 * `/proc/self/mounts`, proc_pid_mounts(5).
 *
 * @module
 */

/** Which cgroup hierarchies are mounted, cgroups(7): v2 alone, v1 alone or both; null for none. */
export function parseCgroupVersion(text: string): "v1" | "v2" | "hybrid" | null {
  const types = text.split("\n").map((line) => line.split(" ")[2]);
  const hasV1 = types.includes("cgroup");
  if (types.includes("cgroup2")) return hasV1 ? "hybrid" : "v2";
  return hasV1 ? "v1" : null;
}
