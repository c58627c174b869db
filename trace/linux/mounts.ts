/**
 * What is mounted: `/proc/<pid>/mounts`, proc_pid_mounts(5), and `/proc/<pid>/mountinfo`,
 * proc_pid_mountinfo(5).
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

/** A line of mountinfo. */
export interface MountPoint {
  /** The folder of the file system that is at the mount point. */
  readonly root: string;
  /** Where it is mounted. */
  readonly path: string;
  /** Type of the file system. */
  readonly type: string;
  /** Options of the file system, such as v1's controllers. */
  readonly superOptions: readonly string[];
}

/** The mounts of a mountinfo text, in its order: a later one hides an earlier one at the same place. */
export function parseMountinfo(text: string): MountPoint[] {
  return text.split("\n").filter((line) => line !== "").map((line) => {
    // "id parent major:minor root path options optional… - type source superOptions"
    const [left = "", right = ""] = line.split(" - ");
    const [, , , root = "/", path = ""] = left.split(" ").map(unescapeOctal);
    const [type = "", , options = ""] = right.split(" ");
    return { root, path, type, superOptions: options.split(",") };
  });
}

/** Blanks and backslashes in mountinfo are octal escapes. */
function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, code) => String.fromCharCode(parseInt(code, 8)));
}
