/**
 * Whom tasks run as. An adapter that root runs for somebody else must not take that person's word for it.
 *
 * @module
 */

import type { AdapterHello } from "../trace/adapter_protocol.ts";
import type { Rights } from "./start/spawn_plan.ts";
import { parseUser, parseUserGroups } from "./user_database.ts";

/** The worker asked for what this adapter cannot do. */
export class AdapterError extends Error {
  override readonly name = "AdapterError";
}

/** A user and the variables that say who it is. */
export interface TasksUser {
  /** Its rights. */
  readonly rights: Rights;
  /** USER, LOGNAME and HOME. */
  readonly env: Readonly<Record<string, string>>;
}

/** A user and its group. */
interface Caller {
  readonly uid: number;
  readonly gid: number;
}

/** Variables by which other programs that lend root's rights say who called them, and no gid. */
const OTHER_LENDERS = ["DOAS_USER", "PKEXEC_UID"];

/** What the choice depends on. */
export interface CallerFacts {
  /** User that the adapter runs as. */
  readonly ownUid: number;
  /** Its environment: sudo(8) sets SUDO_UID and SUDO_GID, whatever its caller wants. */
  readonly env: Readonly<Record<string, string>>;
}

/**
 * Who asked root for this adapter, by sudo's word alone; null when root did.
 *
 * @throws {AdapterError} when it cannot be known.
 */
export function callerOf({ env }: Pick<CallerFacts, "env">): Caller | null {
  const { SUDO_UID: uid, SUDO_GID: gid } = env;
  if (uid === undefined && gid === undefined) {
    const lender = OTHER_LENDERS.find((name) => env[name] !== undefined);
    if (lender === undefined) return null;
    throw new AdapterError(
      `Cannot serve as root: sudo is required, which names its caller, got ${lender}`,
    );
  }
  if (!isId(uid) || !isId(gid)) {
    throw new AdapterError(
      `Cannot serve as root: SUDO_UID and SUDO_GID must be numbers, got "${uid}" and "${gid}"`,
    );
  }
  return Number(uid) === 0 ? null : { uid: Number(uid), gid: Number(gid) };
}

function isId(text: string | undefined): boolean {
  return /^\d{1,10}$/.test(text ?? "") && Number(text) < 2 ** 32 - 1;
}

/**
 * User and group that tasks run as, and the adapter's own file accesses with them; null: the adapter's own.
 *
 * @throws {AdapterError} when the worker asks for a user that it is not.
 */
export function userOfTasks(
  { uid, gid }: Pick<AdapterHello, "uid" | "gid">,
  { ownUid, env }: CallerFacts,
): Caller | null {
  if (ownUid !== 0) {
    if (uid === null || uid === ownUid) return null;
    throw new AdapterError(`Cannot run tasks as user ${uid}: the adapter is user ${ownUid}`);
  }
  const caller = callerOf({ env });
  if (caller === null) return uid === null || gid === null || uid === 0 ? null : { uid, gid };
  if (uid === null || uid === caller.uid) return caller;
  throw new AdapterError(
    `Cannot run tasks as user ${uid}: the caller of sudo is user ${caller.uid}`,
  );
}

/** The same with its groups and its names, from the files of this machine. */
export function readTasksUser({ uid, gid }: Caller): TasksUser {
  const user = parseUser(Deno.readTextFileSync("/etc/passwd"), uid);
  const group = Deno.readTextFileSync("/etc/group");
  const groups = parseUserGroups(group, { name: user?.name ?? null, gid });
  const names = user === null ? {} : { USER: user.name, LOGNAME: user.name, HOME: user.home };
  return { rights: { uid, gid, groups }, env: names };
}
