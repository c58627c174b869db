/**
 * Who a user is and which groups it has, in the texts of passwd(5) and group(5). Pure.
 *
 * Users of a directory service (LDAP) are in neither file: they keep their own group alone, and the
 * worst outcome is that a task cannot read a file which only a supplementary group may read.
 *
 * @module
 */

/** Name and home of a user. */
export interface User {
  /** Its login name. */
  readonly name: string;
  /** Its home folder. */
  readonly home: string;
}

/** The user with this id, or null. */
export function parseUser(passwd: string, uid: number): User | null {
  const [name, , , , , home] = rowsOf(passwd).find((fields) => fields[2] === String(uid)) ?? [];
  return name === undefined || home === undefined ? null : { name, home };
}

/** The groups that a user belongs to, its own group `gid` first, as initgroups(3) finds them. */
export function parseUserGroups(
  group: string,
  { name, gid }: { readonly name: string | null; readonly gid: number },
): number[] {
  if (name === null) return [gid];
  const groups = rowsOf(group).filter((fields) => fields[3]?.split(",").includes(name))
    .map((fields) => Number(fields[2]));
  return [...new Set([gid, ...groups])];
}

function rowsOf(text: string): string[][] {
  return text.split("\n").map((line) => line.split(":"));
}
