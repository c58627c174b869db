/**
 * Processes by identity: start time and state of a pid, replacing this process by another program, and
 * the files that say which process a role runs as. Needs every permission: /proc and FFI.
 */

import { join } from "@std/path";
import { readRecordFile } from "../../trace/record_file.ts";
import { removeIfThere, writeJsonAtomic } from "../../trace/atomic_file.ts";
import { PR_SET_PDEATHSIG, signalNumber } from "../../trace/linux/abi.ts";
import { readBootId } from "../../trace/linux/boot_id.ts";
import { isNoSuchProcess } from "../../trace/linux/errno.ts";
import { openLibc } from "../../trace/linux/libc.ts";
import { parsePidStat } from "../../trace/linux/pid_stat.ts";
import { ROLE_IDENTITY, type RoleIdentity } from "../../trace/records.ts";
import { RunDir } from "../../trace/run_dir.ts";
import { CommandError } from "./main.ts";
import type { RolePlace } from "./role.ts";

/** Start time of a process in clock ticks and its state letter, or null when there is none. */
export function processIdentity(pid: number): { startTicks: number; state: string } | null {
  let stat: string;
  try {
    stat = readProcFile(`/proc/${pid}/stat`);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || isNoSuchProcess(error)) return null;
    throw error;
  }
  return parsePidStat(stat);
}

/**
 * A file below /proc. Deno gives it to none but a program with every permission; a compiled role, which
 * has fewer baked in, may run cat(1) in its place.
 */
function readProcFile(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotCapable)) throw error;
    const { success, stdout } = new Deno.Command("cat", {
      args: [path],
      stdin: "null",
      stderr: "null",
    }).outputSync();
    if (!success) throw new Deno.errors.NotFound(`no ${path}`, { cause: error });
    return new TextDecoder().decode(stdout);
  }
}

/** Identity of this boot: pids of another boot mean nothing. */
export function bootId(): string {
  return readBootId(readProcFile);
}

/** True while the process that `identity` names runs (a zombie does not). */
export function isAlive(identity: RoleIdentity): boolean {
  if (identity.boot_id !== bootId()) return false;
  const found = processIdentity(identity.pid);
  return found !== null && found.startTicks === identity.start_ticks && found.state !== "Z";
}

/**
 * Write down that this process is `role` at `place`; returns the record's path.
 *
 * @throws {CommandError} when another process that still runs is that role there.
 */
export async function registerRole(place: RolePlace, role: string): Promise<string> {
  const path = roleRecord(place, role);
  const other = await readRole(path);
  if (other !== null && other.pid !== Deno.pid && isAlive(other)) {
    throw new CommandError(
      `${role} of run ${place.runId} runs already with pid ${other.pid}: end it first (deno task stop)`,
    );
  }
  const self = processIdentity(Deno.pid);
  if (self === null) {
    throw new Error("Cannot register a role: /proc of this process is not readable");
  }
  const identity: RoleIdentity = {
    role,
    run_id: place.runId,
    node_id: place.nodeId,
    pid: Deno.pid,
    start_ticks: self.startTicks,
    boot_id: bootId(),
    ts_start: Date.now(),
  };
  await writeJsonAtomic(path, identity);
  return path;
}

/** Where this process writes down, or has written down, that it is `role` at `place`. */
export function roleRecord({ runDir, isOneOfMany }: RolePlace, role: string): string {
  return runDir.role(isOneOfMany ? `${role}.${Deno.pid}` : role);
}

/** The role recorded under `path`, or null when none is. */
export function readRole(path: string): Promise<RoleIdentity | null> {
  return readRecordFile(path, ROLE_IDENTITY.decode);
}

/** A role's record and where it is. */
export interface FoundRole {
  /** Path of the record. */
  readonly path: string;
  /** The record. */
  readonly identity: RoleIdentity;
}

/** Every role recorded under `logs`, of every run and node, in the order of their paths. */
export async function findRoles(logs: string): Promise<FoundRole[]> {
  const found: FoundRole[] = [];
  for (const run of await subfolders(logs)) {
    for (const folder of [run, ...await subfolders(run)]) {
      const { roles } = RunDir.at(folder);
      for (const name of await namesIn(roles)) {
        if (!name.endsWith(".json")) continue;
        const path = join(roles, name);
        const identity = await readRole(path);
        if (identity !== null) found.push({ path, identity });
      }
    }
  }
  return found;
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return (await Array.fromAsync(Deno.readDir(folder), (entry) => entry.name)).sort();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return [];
    }
    throw error;
  }
}

async function subfolders(folder: string): Promise<string[]> {
  const folders: string[] = [];
  for (const name of await namesIn(folder)) {
    const path = join(folder, name);
    if ((await Deno.stat(path)).isDirectory) folders.push(path);
  }
  return folders;
}

/** How a role's process is ended. */
export interface StopOptions {
  /** Time to end by itself after SIGTERM, ms. */
  readonly graceMs: number;
  /** Time after a second SIGTERM, which asks to end what runs, ms. Default: none is sent. */
  readonly forceMs?: number;
}

/**
 * End the process of a role: SIGTERM, a second one where that is asked for, and SIGKILL when they did
 * not do. Only the process with the recorded start time is touched; the record is removed in any case.
 *
 * @returns `stopped`, `killed` when SIGKILL was needed, `gone` when there was nothing to stop.
 */
export async function stopRole(
  { path, identity }: FoundRole,
  { graceMs, forceMs }: StopOptions,
): Promise<"stopped" | "killed" | "gone"> {
  const second = forceMs === undefined ? [] : [["SIGTERM", forceMs] as const];
  const steps = [["SIGTERM", graceMs], ...second, ["SIGKILL", graceMs]] as const;
  let outcome: "stopped" | "killed" | "gone" = "gone";
  for (const [signal, limitMs] of steps) {
    if (!isAlive(identity)) break;
    outcome = signal === "SIGTERM" ? "stopped" : "killed";
    try {
      Deno.kill(identity.pid, signal);
    } catch (error) {
      if (!isNoSuchProcess(error)) throw error;
    }
    await waitUntilGone(identity, limitMs);
  }
  await removeIfThere(path);
  return outcome;
}

async function waitUntilGone(identity: RoleIdentity, limitMs: number): Promise<void> {
  // A process that is not our child cannot be waited for; 20 ms is below what a person notices.
  const deadline = performance.now() + limitMs;
  while (isAlive(identity) && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/**
 * Replace this process by another program, execve(2): pid, start time, terminal and signals stay, and
 * nothing of this one is left behind.
 *
 * @throws {Error} when the program cannot be executed; on success it does not return.
 */
export function replaceProcess(program: string, args: readonly string[]): never {
  const libc = openLibc({
    execve: { parameters: ["buffer", "buffer", "buffer"], result: "i32" },
  });
  const environment = Object.entries(Deno.env.toObject()).map(([name, value]) =>
    `${name}=${value}`
  );
  const argv = stringVector([program, ...args]);
  const envp = stringVector(environment);
  libc.symbols.execve(cString(program), argv.pointers, envp.pointers);
  // The strings must outlive the call.
  argv.strings.length = envp.strings.length = 0;
  libc.close();
  throw new Error(`Cannot execute "${program}": execve failed`);
}

function cString(value: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`${value}\0`);
}

function stringVector(
  values: readonly string[],
): { pointers: Uint8Array<ArrayBuffer>; strings: Uint8Array<ArrayBuffer>[] } {
  const strings = values.map(cString);
  const pointers = new BigUint64Array(values.length + 1);
  for (const [index, bytes] of strings.entries()) {
    pointers[index] = Deno.UnsafePointer.value(Deno.UnsafePointer.of(bytes));
  }
  return { pointers: new Uint8Array(pointers.buffer), strings };
}

/** Have this process told to stop when its parent dies; holds through {@linkcode replaceProcess}. */
export function dieWithParent(): void {
  const libc = openLibc({
    prctl: { parameters: ["i32", "u64", "u64", "u64", "u64"], result: "i32" },
  });
  const result = libc.symbols.prctl(PR_SET_PDEATHSIG, BigInt(signalNumber("SIGTERM")), 0n, 0n, 0n);
  libc.close();
  if (result !== 0) throw new Error("Cannot follow the parent process: prctl failed");
}
