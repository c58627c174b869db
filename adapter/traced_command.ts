/**
 * Traces one command that nobody queued: it keeps its caller's streams, session, environment and folder,
 * and ends as if it had been called directly.
 *
 * @module
 */

import { resolve } from "@std/path";
import type { AdapterHello } from "../trace/adapter_protocol.ts";
import { formatCpuList } from "../trace/cpu_list.ts";
import type { InvocationEvent } from "../trace/records.ts";
import type { RunDir } from "../trace/run_dir.ts";
import { chooseControl, type ControlMeans, CpuControl, openControl } from "./place/cpu_control.ts";
import type { CpuLimits } from "./cpu/limits.ts";
import { exitTotals } from "./exit_totals.ts";
import { DiskRoom } from "./disk_room.ts";
import { FileRights } from "./file_rights.ts";
import { type TraceContext, traceparentOf } from "./trace_context.ts";
import { commandEvent, newContext, timesOf } from "./invocation_events.ts";
import { InvocationRecord } from "./invocation_record.ts";
import { findProgram } from "./job_paths.ts";
import { Journal } from "./journal.ts";
import type { Machine } from "./start/machine.ts";
import { instanceId, readOwner } from "./owner.ts";
import { PeakMemory } from "./peak_memory.ts";
import { readAllowedCpus, readHighWaterKb, signalProcess } from "../trace/linux/processes.ts";
import { fileSize, RunFiles } from "./run_files.ts";
import { PLAIN_PLAN, SpawnError, type SpawnPlan } from "./start/spawn_plan.ts";
import type { Exit, Started } from "./start/starter.ts";
import type { TaskPlace } from "./place/task_place.ts";

/** What to trace, and how it is recorded. */
export interface TracedCommand {
  /** Program and arguments. */
  readonly argv: readonly string[];
  /** Its environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Its working directory. */
  readonly cwd: string;
  /** Where it is recorded. */
  readonly runDir: RunDir;
  /** NODE_ID. */
  readonly nodeId: string;
  /** STAGE. */
  readonly stage: string | null;
  /** Numbers of the signals that its caller ignores, and so does the command. */
  readonly ignoredSignals: readonly number[];
  /** When it entered a queue of the caller, epoch ms; null: it was not queued. */
  readonly tsEnqueue: number | null;
  /** CPUs, quota and weight that the caller wants for it. */
  readonly limits: CpuLimits;
  /** What applies them. */
  readonly cpuControl: AdapterHello["cpu_control"];
  /** Name of the systemd unit to run in; null: one of ours. */
  readonly unitName: string | null;
  /** Called with a sentence about what cannot be had here. */
  readonly onNote: (note: string) => void;
  /** Called when it runs, with what sends it a signal. */
  readonly onStarted: (signal: (name: Deno.Signal) => void) => void;
}

/** A command that was traced to its end. */
export interface TracedEnd {
  /** How it ended. */
  readonly exit: Exit;
  /** What was recorded of it. */
  readonly event: InvocationEvent;
}

/**
 * Run the command and record it.
 *
 * @returns How it ended, and its record.
 * @throws {JobRefusedError} when there is no such program.
 * @throws {SpawnError} when it cannot be started.
 * @throws {ControlError} when the caller forces a control that is not there.
 */
export async function traceCommand(command: TracedCommand, machine: Machine): Promise<TracedEnd> {
  const { argv, env, cwd, runDir, limits } = command;
  const program = findProgram(argv[0] ?? "", { searchPath: env["PATH"] ?? "", cwd });
  const owner = readOwner();
  const context = newContext(env["TRACEPARENT"] ?? null);
  const origin = {
    nodeId: command.nodeId,
    stage: command.stage,
    instanceId: instanceId(owner),
  };
  const room = new DiskRoom((problem) =>
    command.onNote(problem === null ? "there is room on the disk again" : `waiting: ${problem}`)
  );
  const rights = new FileRights(null, null);
  using files = new RunFiles(runDir, { rights, room });
  using journal = new Journal(runDir, { owner, rights });
  const isLimited = Object.values(limits).some((limit) => limit !== null);
  using means = await openControl({
    owner,
    control: command.cpuControl,
    cpus: readAllowedCpus(),
    isLimiting: isLimited || command.unitName !== null || command.cpuControl !== "auto",
    env,
    libc: machine.libc,
  });
  const control = controlOf(command, { means, machine, instanceId: origin.instanceId });
  using place = control.open(context.spanId, {
    cpu_quota: limits.quotaCores,
    cpu_weight: limits.weight,
    unit_name: command.unitName,
  });
  const isApplied = isLimited && place.limit(limits);
  await place.open();
  const event = commandEvent(argv, { context, origin });
  const record = new InvocationRecord(event, { files, journal, room });
  await record.announce({
    ...timesOf(machine.clock.now(), null),
    ts_enqueue: command.tsEnqueue,
    bytes_in: sizeOf(event.input, cwd),
    cpuset: isApplied && limits.cpus !== null ? formatCpuList(limits.cpus) : null,
    cpu_binding: !isApplied ? "none" : limits.cpus === null ? "shared" : "exclusive",
  }, []);
  const started = start(command, { machine, program, context, place, record });
  place.tree(started.pid);
  const introducing = record.introduce(started, { program, cgroup: place.directory });
  let isOver = false;
  // One that comes when the command has ended is for this program, which may wait for a full disk.
  command.onStarted((name) => isOver ? room.close() : signalProcess(started.pid, name));

  const launcherPeakKb = readHighWaterKb(Deno.pid);
  using peak = new PeakMemory(started.pid, place.directory);
  const exit = await started.exit;
  isOver = true;
  await introducing;
  const totals = exitTotals({
    cgroup: place.totals(),
    rusage: exit.rusage,
    childCpu: exit.childCpu,
    launcherPeakKb,
    seenPeak: peak.peak,
  });
  const { status, signal } = exit;
  const bytes_out = sizeOf(event.output, cwd);
  await record.conclude({ ...totals, ...timesOf(started.at, exit.at), status, signal, bytes_out });
  // What the command left in the background is its caller's: it continues outside the group.
  place.release();
  return { exit, event: record.event };
}

function controlOf(
  { limits, cpuControl, unitName, onNote }: TracedCommand,
  { means: { systemd, cgroups }, machine, instanceId }: {
    readonly means: ControlMeans;
    readonly machine: Machine;
    readonly instanceId: string;
  },
): CpuControl {
  const needsMore = limits.quotaCores !== null || limits.weight !== null || unitName !== null;
  const wanted = {
    cpu_control: cpuControl,
    cpu_binding: needsMore ? "shared" as const : "exclusive" as const,
  };
  const choice = chooseControl(wanted, {
    systemd,
    cgroupVersion: cgroups?.limitingVersion ?? null,
  });
  if (needsMore && choice.note !== null) onNote(choice.note);
  return new CpuControl(choice.kind, {
    instanceId,
    base: cgroups,
    systemd,
    starter: machine.starter,
  });
}

function start(
  { argv, env, cwd, ignoredSignals }: TracedCommand,
  { machine, program, context, place, record }: {
    readonly machine: Machine;
    readonly program: string;
    readonly context: TraceContext;
    readonly place: TaskPlace;
    readonly record: InvocationRecord;
  },
): Started {
  const plan: SpawnPlan = {
    ...PLAIN_PLAN,
    program,
    argv,
    env: { ...env, TRACEPARENT: traceparentOf(context) },
    cwd,
    ignoredSignals,
  };
  try {
    return machine.starter.start(place.place(plan));
  } catch (error) {
    if (error instanceof SpawnError) record.refuse(error.message);
    throw error;
  }
}

function sizeOf(path: string | null, cwd: string): number | null {
  return path === null ? null : fileSize(resolve(cwd, path));
}
