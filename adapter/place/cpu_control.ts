/**
 * What makes CPU limits true on this machine: systemd, cgroups, or nothing but affinity.
 *
 * @module
 */

import { join } from "@std/path";
import type { Task } from "../../trace/task.ts";
import type { AdapterHello, AdapterReady } from "../../trace/adapter_protocol.ts";
import { findProgram, isFolder } from "../job_paths.ts";
import { JobRefusedError } from "../job.ts";
import type { Owner } from "../owner.ts";
import type { StartCalls } from "../start/start_calls.ts";
import { CgroupBase, readHierarchies } from "./cgroup_base.ts";
import { isDelegated } from "./delegation.ts";
import { enterOwnScope } from "./own_scope.ts";
import { ScopePlace, type SystemdAccess } from "./scope_place.ts";
import type { Starter } from "../start/starter.ts";
import { PlainPlace, type TaskPlace } from "./task_place.ts";

/** Kinds of control, as the protocol calls them. */
export type ControlKind = AdapterReady["cpu_control"];

/** What was asked for cannot be had here. */
export class ControlError extends Error {
  override readonly name = "ControlError";
}

/** What a machine offers for control. */
export interface ControlOffer {
  /** The service manager; null: it does not run, or not for us. */
  readonly systemd: SystemdAccess | null;
  /** Version of the cgroups that can limit; null: none. */
  readonly cgroupVersion: 1 | 2 | null;
}

/** The kind of control to use, and what the worker should know about it. */
export interface ControlChoice {
  /** What applies limits. */
  readonly kind: ControlKind;
  /** One sentence; null: nothing is missing. */
  readonly note: string | null;
}

/**
 * Choose the control. Pure.
 *
 * In exclusive mode affinity alone does what is asked, so that systemd is used only where cgroups
 * cannot be and limits are needed, that is in shared mode: a scope for each task costs its start a
 * round trip to the service manager.
 *
 * @throws {ControlError} when the worker forces what is not there.
 */
export function chooseControl(
  { cpu_control, cpu_binding }: Pick<AdapterHello, "cpu_control" | "cpu_binding">,
  { systemd, cgroupVersion }: ControlOffer,
): ControlChoice {
  const plain: ControlKind = cpu_binding === "exclusive" ? "affinity" : "none";
  if (cpu_control === "none") return { kind: plain, note: null };
  if (cpu_control === "systemd" && systemd === null) {
    throw new ControlError("Cannot control CPUs by systemd: it does not run here, or not for us");
  }
  if (cpu_control === "cgroup" && cgroupVersion === null) {
    throw new ControlError(
      "Cannot control CPUs by cgroups: the cpu and cpuset controllers cannot be used here " +
        "(root, or a cgroup that is delegated with both, is required)",
    );
  }
  const isSystemd = cpu_control === "systemd" ||
    cpu_control === "auto" && systemd !== null && cpu_binding === "shared";
  if (isSystemd) return { kind: "systemd", note: null };
  if (cgroupVersion !== null) return { kind: `cgroup_v${cgroupVersion}`, note: null };
  const note = cpu_binding === "exclusive"
    ? "a task can leave its cores by changing its own affinity: no cpuset cgroup can be made"
    : "tasks share CPUs as the kernel sees fit, without quota and weight: neither systemd nor a " +
      "cpu cgroup can be used";
  return { kind: plain, note };
}

/** What a task itself asks for. */
export type PlaceRequest = Pick<Task, "cpu_quota" | "cpu_weight" | "unit_name">;

/** Makes places for tasks. */
export class CpuControl {
  /** What applies limits. */
  readonly kind: ControlKind;
  readonly #base: CgroupBase | null;
  readonly #systemd: SystemdAccess | null;
  readonly #starter: Starter;
  readonly #instanceId: string;

  constructor(
    kind: ControlKind,
    options: {
      /** Identity of this adapter process, part of the units' names. */
      readonly instanceId: string;
      readonly base: CgroupBase | null;
      /** Null where it does not run, or must not be used. */
      readonly systemd: SystemdAccess | null;
      readonly starter: Starter;
    },
  ) {
    this.kind = kind;
    this.#base = options.base;
    this.#systemd = options.systemd;
    this.#starter = options.starter;
    this.#instanceId = options.instanceId;
  }

  /**
   * A place for a task: a scope also where only affinity is available and the task itself asks for more.
   *
   * @param name Unique among the tasks of this adapter.
   */
  open(name: string, { cpu_quota, cpu_weight, unit_name }: PlaceRequest): TaskPlace {
    const asksForMore = cpu_quota !== null || cpu_weight !== null || unit_name !== null;
    const isScope = this.kind === "systemd" || this.kind === "affinity" && asksForMore;
    if (isScope && this.#systemd !== null) {
      const options = { access: this.#systemd, starter: this.#starter };
      return new ScopePlace(unit_name ?? `tracekit-${this.#instanceId}-${name}`, options);
    }
    return this.#base?.taskGroup(name) ?? new PlainPlace();
  }
}

/** For whom control is opened. */
export interface ControlRequest {
  /** The adapter. */
  readonly owner: Owner;
  /** What may be used for it. */
  readonly control: AdapterHello["cpu_control"];
  /** CPUs of the node. */
  readonly cpus: readonly number[];
  /** False where groups are to account only. */
  readonly isLimiting: boolean;
  /** Environment of this process. */
  readonly env: Readonly<Record<string, string>>;
  /** Null where FFI is not available. */
  readonly libc: StartCalls | null;
}

/** What was opened: disposal removes it. */
export interface ControlMeans extends Disposable {
  /** The service manager; null: it does not run, or not for us, or must not be used. */
  readonly systemd: SystemdAccess | null;
  /** The adapter's cgroups; null: none can be made. */
  readonly cgroups: CgroupBase | null;
}

/** Open what this machine has to control and account for tasks, for one adapter. */
export async function openControl(request: ControlRequest): Promise<ControlMeans> {
  const { control, owner, cpus, isLimiting, env, libc } = request;
  const found = control === "none" || !isLimiting ? null : findSystemd(env);
  const systemd = found && await enterOwnScope(found, owner) ? found : null;
  const hierarchies = readHierarchies();
  const unified = hierarchies.find(({ version }) => version === 2)?.ownDirectory;
  const isOurs = unified !== undefined && isDelegated(unified, libc);
  const cgroups = CgroupBase.create(hierarchies, {
    owner,
    cpus,
    // In what systemd did not delegate, controllers come and go as it sees fit.
    isLimiting: isLimiting &&
      (control === "cgroup" || control === "auto" && (systemd === null || isOurs)),
    mayMakeRoom: control === "cgroup" || isOurs,
  });
  return { systemd, cgroups, [Symbol.dispose]: () => cgroups?.[Symbol.dispose]() };
}

/** systemd as this process can use it, or null. `env` is this process's environment. */
export function findSystemd(env: Readonly<Record<string, string>>): SystemdAccess | null {
  // sd_booted(3): this folder is there exactly when systemd runs the machine.
  if (!isFolder("/run/systemd/system")) return null;
  const manager = Deno.uid() === 0 ? "system" : "user";
  // A user's manager runs while the user is logged in, pam_systemd(8).
  if (manager === "user" && !isFolder(join(env["XDG_RUNTIME_DIR"] ?? "/nowhere", "systemd"))) {
    return null;
  }
  const options = { searchPath: env["PATH"] ?? "/usr/bin:/bin", cwd: "/" };
  try {
    return {
      manager,
      systemdRun: findProgram("systemd-run", options),
      systemctl: findProgram("systemctl", options),
      busctl: findProgram("busctl", options),
      env: Object.fromEntries(
        Object.entries(env).filter(([name]) =>
          ["PATH", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS"].includes(name)
        ),
      ),
    };
  } catch (error) {
    if (error instanceof JobRefusedError) return null;
    throw error;
  }
}
