/**
 * systemd's commands for a task in a scope of its own. Pure.
 *
 * @module
 */

import { type CpuLimits, systemdProperties } from "../cpu/limits.ts";

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
}

/** Name of a unit's file: a scope. */
export function scopeName(unit: string): string {
  return unit.endsWith(".scope") ? unit : `${unit}.scope`;
}

/** Stops itself: it holds a scope and does nothing. */
const HOLDER = ["/bin/sh", "-c", "kill -STOP $$"];

/**
 * `systemd-run --scope`, systemd-run(1), which asks for the scope and then becomes the process that holds
 * it: pid and parent stay.
 */
export function systemdRunArguments(scope: Scope): string[] {
  return [
    "systemd-run",
    ...(scope.manager === "user" ? ["--user"] : []),
    "--scope",
    "--quiet",
    "--collect",
    `--unit=${scope.unit}`,
    "--description=Tracekit task",
    // What is below the scope's group is ours.
    "--property=Delegate=yes",
    ...systemdProperties(scope.limits).map((property) => `--property=${property}`),
    "--",
    ...HOLDER,
  ];
}

/**
 * The call by which a user's manager puts process `pid` into a scope of its own, busctl(1) and
 * org.freedesktop.systemd1(5): from a login's session the kernel lets nobody but root start processes in
 * the manager's groups, cgroup-v2.rst, "Delegation Containment".
 */
export function adoptArguments(unit: string, pid: number): string[] {
  const service = "org.freedesktop.systemd1";
  const manager = [service, "/org/freedesktop/systemd1", `${service}.Manager`];
  return [
    ...["busctl", "--user", "--quiet", "call", ...manager, "StartTransientUnit"],
    // Name, mode, properties, and no further units.
    ...["ssa(sv)a(sa(sv))", scopeName(unit), "fail", "2"],
    ...["PIDs", "au", "1", `${pid}`],
    ...["Delegate", "b", "true"],
    "0",
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
