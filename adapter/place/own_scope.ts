/**
 * Puts this process into a scope of its own, where only in one of a user's manager may it start
 * processes in other scopes of that manager, and where it may make groups.
 *
 * @module
 */

import { readHierarchies } from "./cgroup_base.ts";
import { instanceId, type Owner } from "../owner.ts";
import type { SystemdAccess } from "./scope_place.ts";
import { adoptArguments, scopeName } from "./systemd.ts";

/** How long systemd may take to move this process, ms: beyond that it is as if it did not run. */
const MOVE_LIMIT_MS = 5000;
/** Polls for the group of this process, ms apart. */
const MOVE_PAUSE_MS = 5;

/**
 * Have a user's manager take this process; root needs nothing of the kind. Nothing else may be waiting
 * for children meanwhile.
 *
 * @returns False when the manager does not.
 */
export async function enterOwnScope(
  { manager, busctl, env }: SystemdAccess,
  owner: Owner,
): Promise<boolean> {
  if (manager === "system") return true;
  const unit = `tracekit-${instanceId(owner)}`;
  const { success } = new Deno.Command(busctl, {
    args: adoptArguments(unit, owner.pid).slice(1),
    clearEnv: true,
    env: { ...env },
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).outputSync();
  if (!success) return false;
  const deadline = performance.now() + MOVE_LIMIT_MS;
  while (!isIn(scopeName(unit))) {
    if (performance.now() > deadline) return false;
    await new Promise((resolve) => setTimeout(resolve, MOVE_PAUSE_MS));
  }
  return true;
}

function isIn(scope: string): boolean {
  return readHierarchies().some(({ ownDirectory }) => ownDirectory.endsWith(`/${scope}`));
}
