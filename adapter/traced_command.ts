/**
 * Traces one command that nobody queued: it keeps its caller's streams, session, environment and folder,
 * and ends as if it had been called directly.
 *
 * @module
 */

import { resolve } from "@std/path";
import { formatCpuList } from "../trace/cpu_list.ts";
import type { RunDir } from "../trace/run_dir.ts";
import { CgroupBase, readHierarchies } from "./cgroup_base.ts";
import { exitTotals } from "./exit_totals.ts";
import { FileRights } from "./file_rights.ts";
import { type TraceContext, traceparentOf } from "./http_trace_context.ts";
import { commandEvent, newContext, timesOf } from "./invocation_events.ts";
import { InvocationRecord } from "./invocation_record.ts";
import { findProgram } from "./job_paths.ts";
import { Journal } from "./journal.ts";
import type { Machine } from "./machine.ts";
import { PeakMemory } from "./peak_memory.ts";
import { readHighWaterKb, readSelf, signalProcess } from "./proc_pid.ts";
import { fileSize, RunFiles } from "./run_files.ts";
import { SpawnError } from "./spawn_plan.ts";
import type { Exit, Started } from "./starter.ts";
import type { TaskCgroup } from "./task_cgroup.ts";

/** What to trace, and how it is recorded. */
export interface TracedCommand {
  /** Program and arguments. */
  readonly argv: readonly string[];
  /** Its environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly runDir: RunDir;
  readonly nodeId: string;
  readonly stage: string | null;
  /** When it entered a queue of the caller, epoch ms; null: it was not queued. */
  readonly tsEnqueue: number | null;
  /** CPUs that it is bound to; null: the caller's. */
  readonly cpus: readonly number[] | null;
  /** Called when it runs, with what sends it a signal. */
  readonly onStarted: (signal: (name: Deno.Signal) => void) => void;
}

/**
 * Run the command and record it.
 *
 * @returns How it ended.
 * @throws {JobRefusedError} when there is no such program.
 * @throws {SpawnError} when it cannot be started.
 */
export async function traceCommand(command: TracedCommand, machine: Machine): Promise<Exit> {
  const { argv, env, cwd, runDir } = command;
  const program = findProgram(argv[0] ?? "", { searchPath: env["PATH"] ?? "", cwd });
  const owner = readSelf();
  const context = newContext(env["TRACEPARENT"] ?? null);
  const instanceId = `${owner.pid}-${owner.startTicks}`;
  const origin = { nodeId: command.nodeId, stage: command.stage, instanceId };
  using files = new RunFiles(runDir, new FileRights(null, null));
  using journal = new Journal(runDir, owner);
  using base = CgroupBase.create(readHierarchies(), owner);
  using cgroup = base?.taskGroup(context.spanId) ?? null;
  const event = commandEvent(argv, { context, origin });
  const record = new InvocationRecord(event, { files, journal });
  record.announce({
    ...timesOf(machine.clock.now(), null),
    ts_enqueue: command.tsEnqueue,
    bytes_in: sizeOf(event.input, cwd),
    cpuset: command.cpus && formatCpuList(command.cpus),
    cpu_binding: command.cpus === null ? "none" : "exclusive",
  }, []);
  const started = startOf(command, { machine, program, context, cgroup, record });
  record.introduce(started, { program, cgroup: cgroup?.directory ?? null });
  command.onStarted((name) => signalProcess(started.pid, name));

  const launcherPeakKb = readHighWaterKb(Deno.pid);
  using peak = new PeakMemory(started.pid);
  const exit = await started.exit;
  const totals = exitTotals({
    cgroup: cgroup?.totals() ?? null,
    rusage: exit.rusage,
    launcherPeakKb,
    seenPeakKb: peak.kb,
  });
  const { status, signal } = exit;
  const bytes_out = sizeOf(event.output, cwd);
  record.conclude({ ...totals, ...timesOf(started.at, exit.at), status, signal, bytes_out });
  // What the command left in the background is its caller's: it goes on outside the group.
  cgroup?.release();
  return exit;
}

function startOf(
  { argv, env, cwd, cpus }: TracedCommand,
  { machine, program, context, cgroup, record }: {
    readonly machine: Machine;
    readonly program: string;
    readonly context: TraceContext;
    readonly cgroup: TaskCgroup | null;
    readonly record: InvocationRecord;
  },
): Started {
  try {
    return machine.starter.start({
      program,
      argv,
      env: { ...env, TRACEPARENT: traceparentOf(context) },
      cwd,
      logFile: null,
      cpus,
      rights: null,
      cgroup: cgroup?.paths.unified ?? null,
      cgroupTasksFiles: cgroup?.tasksFiles ?? [],
    });
  } catch (error) {
    if (error instanceof SpawnError) record.refuse(error.message);
    throw error;
  }
}

function sizeOf(path: string | null, cwd: string): number | null {
  return path === null ? null : fileSize(resolve(cwd, path));
}
