/**
 * End every role that was started on this node, by what each wrote down of itself: pid, start time and
 * boot. Other processes are never touched, whatever they are called.
 */

import type { RoleIdentity } from "../trace/records.ts";
import type { Parsed } from "./command/parse.ts";
import { type Io, runMain } from "./command/main.ts";
import {
  findRoles,
  type FoundRole,
  isAlive,
  type StopOptions,
  stopRole,
} from "./command/process.ts";
import { STOP } from "./flags/stop.ts";

/** Against the flow of tasks: nothing is handed to a role that is gone; collectors see the last task. */
const STOP_ORDER = ["dispatch", "scheduler", "worker"];

/** `deno task stop`. */
export async function main({ options }: Parsed<typeof STOP.flags>, io: Io): Promise<number> {
  const found = (await findRoles(options.logs)).filter(({ identity }) =>
    options["run-id"] === null || identity.run_id === options["run-id"]
  );
  const alive = found.filter(({ identity }) => isAlive(identity));
  if (alive.length === 0) io.say("Nothing to stop");
  const limits = { graceMs: options["grace-s"] * 1000, forceMs: options["force-s"] * 1000 };
  const byRank = Map.groupBy(found, ({ identity }) => rankOf(identity));
  for (const rank of [...byRank.keys()].sort((a, b) => a - b)) {
    await Promise.all((byRank.get(rank) ?? []).map((role) => endRole(role, { io, limits })));
  }
  return 0;
}

function rankOf({ role }: RoleIdentity): number {
  const place = STOP_ORDER.indexOf(role);
  return place === -1 ? STOP_ORDER.length : place;
}

/** The first SIGTERM lets tasks finish, the second ends them, SIGKILL ends the role itself. */
async function endRole(
  found: FoundRole,
  { io, limits }: { readonly io: Io; readonly limits: StopOptions },
): Promise<void> {
  const outcome = await stopRole(found, limits);
  if (outcome === "gone") return;
  const name = describe(found.identity);
  io.say(outcome === "killed" ? `Killed ${name}: it did not stop` : `Stopped ${name}`);
}

function describe({ role, run_id, node_id, pid }: RoleIdentity): string {
  const where = node_id === null ? "" : ` of ${node_id}`;
  return `${role}${where} (run ${run_id}, pid ${pid})`;
}

if (import.meta.main) await runMain(STOP, main);
