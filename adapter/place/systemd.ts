/**
 * systemd's commands for a task in a scope of its own. Pure.
 *
 * @module
 */

import { type CpuLimits, systemdProperties } from "../cpu/limits.ts";
import type { Rights } from "../start/spawn_plan.ts";

/** Which service manager: the machine's, or that of an ordinary user. */
export type SystemdManager = "system" | "user";

/** A task's scope. */
export interface Scope {
  /** Name of the unit, without its suffix. */
  readonly unit: string;
  /** Who runs it. */
  readonly manager: SystemdManager;
  /** Its limits. */
  readonly limits: CpuLimits;
  /** User that the task runs as; null: the caller. */
  readonly rights: Rights | null;
}

/** Name of a unit's file: a scope. */
export function scopeName(unit: string): string {
  return unit.endsWith(".scope") ? unit : `${unit}.scope`;
}

/**
 * `systemd-run --scope`, systemd-run(1), which asks for the scope and then becomes `argv` itself: pid and
 * parent stay. As another user through setpriv(1), because a change of user takes the death signal away.
 */
export function systemdRunArguments(scope: Scope, argv: readonly string[]): string[] {
  return [
    "systemd-run",
    ...(scope.manager === "user" ? ["--user"] : []),
    "--scope",
    "--quiet",
    "--collect",
    `--unit=${scope.unit}`,
    ...systemdProperties(scope.limits).map((property) => `--property=${property}`),
    "--",
    ...userArguments(scope.rights),
    ...argv,
  ];
}

function userArguments(rights: Rights | null): string[] {
  if (rights === null) return [];
  return [
    "setpriv",
    `--reuid=${rights.uid}`,
    `--regid=${rights.gid}`,
    `--groups=${rights.groups.join(",")}`,
    "--pdeathsig=KILL",
    "--",
  ];
}

/** `systemctl list-units` for the scopes of all adapters. */
export function listScopesArguments(manager: SystemdManager): string[] {
  const options = ["--quiet", "--plain", "--no-legend", "--full", "--all"];
  return [...systemctl(manager), ...options, "list-units", "tracekit-*.scope"];
}

/** Names of units in what list-units prints. */
export function parseScopeNames(output: string): string[] {
  return output.split("\n").map((line) => line.trim().split(/\s+/)[0] ?? "")
    .filter((name) => name !== "");
}

/** `systemctl kill` for scopes: every process in them ends at once, and the scopes with them. */
export function stopScopesArguments(manager: SystemdManager, units: readonly string[]): string[] {
  return [...systemctl(manager), "--quiet", "kill", "--signal=SIGKILL", ...units];
}

/** The scopes of one adapter, as a pattern. */
export function scopePattern(instanceId: string): string {
  return `tracekit-${instanceId}-*.scope`;
}

/** `systemctl set-property` for a scope that runs, systemctl(1); gone with the next boot. */
export function setPropertyArguments({ unit, manager, limits }: Scope): string[] {
  const verb = ["--quiet", "--runtime", "set-property"];
  return [...systemctl(manager), ...verb, scopeName(unit), ...systemdProperties(limits)];
}

function systemctl(manager: SystemdManager): string[] {
  return ["systemctl", ...(manager === "user" ? ["--user"] : [])];
}
