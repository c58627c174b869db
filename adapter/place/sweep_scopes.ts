/**
 * Ends systemd scopes: those that a crashed adapter left, and an adapter's own when it has to give up.
 *
 * @module
 */

import { INSTANCE_PATTERN, isAbandoned, type Owner, parseInstanceId } from "../owner.ts";
import type { SystemdAccess } from "./scope_place.ts";
import {
  listScopesArguments,
  parseScopeNames,
  scopePattern,
  stopScopesArguments,
} from "./systemd.ts";

/** Scopes of ours: `tracekit-<instance>[-<span>].scope`, the short one the adapter's own. */
const OWNED = new RegExp(`^tracekit-(${INSTANCE_PATTERN})(?:-[0-9a-f]+)?\\.scope$`);

/**
 * Stop every scope whose adapter is gone. One of another pid or time namespace is left alone: who owns it
 * cannot be known here, and it ends with that namespace. Nothing else may be waiting for children meanwhile.
 *
 * @param systemd Null where systemd does not run.
 * @returns How many there were.
 */
export function sweepScopes(systemd: SystemdAccess | null, self: Owner): number {
  if (systemd === null) return 0;
  const names = parseScopeNames(run(systemd, listScopesArguments(systemd.manager)));
  const leftOver = names.filter((name) => {
    const owner = parseInstanceId(OWNED.exec(name)?.[1] ?? "");
    return owner !== null && isAbandoned(owner, { file: null, self });
  });
  if (leftOver.length > 0) run(systemd, stopScopesArguments(systemd.manager, leftOver));
  return leftOver.length;
}

/** Stop every scope of the adapter `instanceId` with what is in it. */
export function endScopes(systemd: SystemdAccess, instanceId: string): void {
  run(systemd, stopScopesArguments(systemd.manager, [scopePattern(instanceId)]));
}

function run({ systemctl, env }: SystemdAccess, argv: readonly string[]): string {
  const command = new Deno.Command(systemctl, {
    args: argv.slice(1),
    clearEnv: true,
    env: { ...env },
    stdin: "null",
    stderr: "null",
  });
  return new TextDecoder().decode(command.outputSync().stdout);
}
