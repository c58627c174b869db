/**
 * Supplementary groups of a user, as initgroups(3) finds them in /etc/passwd and /etc/group.
 *
 * Users of a directory service (LDAP) are in neither file: they keep their own group alone, and the
 * worst outcome is that a task cannot read a file which only a supplementary group may read.
 *
 * @module
 */

/** The groups in the texts of passwd(5) and group(5) that `uid` belongs to, its own group `gid` first. */
export function parseUserGroups(
  { passwd, group }: { readonly passwd: string; readonly group: string },
  { uid, gid }: { readonly uid: number; readonly gid: number },
): number[] {
  const rows = (text: string): string[][] => text.split("\n").map((line) => line.split(":"));
  const name = rows(passwd).find((fields) => fields[2] === String(uid))?.[0];
  const groups = rows(group).filter((fields) => fields[3]?.split(",").includes(name ?? ":"))
    .map((fields) => Number(fields[2]));
  return [...new Set([gid, ...groups])];
}
