/**
 * One attempt of a task, from the request to its exit event.
 *
 * @module
 */

import { ERRNO, errnoOf, isErrno } from "../trace/linux/errno.ts";
import type { LaunchStarted } from "../trace/adapter_protocol.ts";
import { formatCpuList } from "../trace/cpu_list.ts";
import type { InvocationEvent } from "../trace/records.ts";
import type { Task } from "../trace/task.ts";
import { type CpuLimits, quotaPercent } from "./cpu/limits.ts";
import { exitTotals } from "./exit_totals.ts";
import { type TraceContext, traceparentOf } from "./trace_context.ts";
import { newContext, taskEvent, timesOf } from "./invocation_events.ts";
import { InvocationRecord } from "./invocation_record.ts";
import { countDecodeErrors } from "./ffmpeg_arguments.ts";
import { type Job, JobRefusedError } from "./job.ts";
import { acceptOutputs, dropOutputs, inputSize, partFiles, prepareOutputs } from "./job_outputs.ts";
import { type AttemptEnd, Lifetime, type StopOptions } from "./lifetime.ts";
import { RecordError } from "./disk_room.ts";
import type { CpuLease } from "./cpu/node_cpus.ts";
import type { NodeContext } from "./node_context.ts";
import { PeakMemory } from "./peak_memory.ts";
import { prepareJob } from "./prepare_job.ts";
import { readHighWaterKb } from "../trace/linux/processes.ts";
import { PLAIN_PLAN, SpawnError, type SpawnPlan } from "./start/spawn_plan.ts";
import { TaskLog } from "./task_log.ts";
import type { Started } from "./start/starter.ts";
import type { LimitKind, TaskPlace } from "./place/task_place.ts";

/** How an attempt ended. */
export type AttemptResult =
  | {
    readonly kind: "exited";
    readonly isDone: boolean;
    /** True when it was ended for a reason that has nothing to do with it. */
    readonly isInterrupted: boolean;
    readonly event: InvocationEvent;
  }
  | { readonly kind: "refused"; readonly reason: string };

/** What is told when an attempt runs. */
export type AttemptStarted = Omit<LaunchStarted, "type" | "launch_id">;

/** What a job runs with, for as long as it runs. */
interface Means {
  readonly lease: CpuLease;
  readonly place: TaskPlace;
}

/** One attempt of a task. */
export class Attempt {
  readonly #task: Task;
  readonly #node: NodeContext;
  readonly #onStarted: (started: AttemptStarted) => void;
  readonly #context: TraceContext = newContext(null);
  readonly #record: InvocationRecord;
  #lifetime: Lifetime | null = null;
  #stopped: StopOptions | null = null;

  /** @param onStarted Called when its process runs. */
  constructor(
    task: Task,
    { node, onStarted }: {
      readonly node: NodeContext;
      readonly onStarted: (started: AttemptStarted) => void;
    },
  ) {
    this.#task = task;
    this.#node = node;
    this.#onStarted = onStarted;
    const event = taskEvent(task, { context: this.#context, origin: node.origin });
    this.#record = new InvocationRecord(event, node);
  }

  /**
   * Run the task to its end. Everything up to its first process happens before this returns, unless its
   * place takes time to make, or the disk is full.
   *
   * @throws {RecordError} when the run directory fails: everything else is this attempt's own end.
   */
  async run(): Promise<AttemptResult> {
    const node = this.#node;
    try {
      const options = { rules: node.rules, spanId: this.#context.spanId };
      const job = node.fileRights.asUser(() => prepareJob(this.#task, options));
      using lease = node.cpus.take(this.#task);
      using place = node.control.open(this.#context.spanId, this.#task);
      return await this.#execute(job, { lease, place });
    } catch (error) {
      const isRunning = this.#lifetime !== null;
      if (isRunning || error instanceof RecordError || !(error instanceof Error)) throw error;
      const isRefused = error instanceof JobRefusedError || isErrno(error, ...NEVER_A_PATH);
      if (!isRefused && !(error instanceof SpawnError) && errnoOf(error) === null) throw error;
      const reason = error.message;
      const writing = this.#record.refuse(reason);
      if (writing !== null) await writing;
      if (isRefused) return { kind: "refused", reason };
      // The machine's fault, not the task's: another attempt may succeed.
      return {
        kind: "exited",
        isDone: false,
        isInterrupted: false,
        event: this.#record.event,
      };
    }
  }

  /** The attempt, for a message. */
  describe(): string {
    return `attempt ${this.#task.attempt} of task ${this.#task.task_id}`;
  }

  /** End it; nothing happens when it does not run. */
  stop(options: StopOptions): void {
    this.#stopped ??= options;
    this.#lifetime?.stop(options);
  }

  async #execute(job: Job, { lease, place }: Means): Promise<AttemptResult> {
    const { files, fileRights, hello, libc, room, starter } = this.#node;
    const announcing = this.#announce(job, { lease, place });
    if (announcing !== null) await announcing;
    const logging = room.write(() => files.makeTaskLog(this.#task));
    if (logging !== null) await logging;
    fileRights.asUser(() => prepareOutputs(job));
    const opening = place.open();
    if (opening !== null) await opening;
    const started = starter.start(place.place(this.#plan(job)));
    const tree = place.tree(started.pid);
    this.#lifetime = new Lifetime(tree, this.#node);
    // While the disk is full the task runs on, and nobody samples it.
    const introducing = this.#introduce(job, { started, cgroup: place.directory });

    const launcherPeakKb = readHighWaterKb(Deno.pid);
    using peak = new PeakMemory(started.pid, place.directory);
    const limitBytes = hello.task_log_max_bytes;
    using log = new TaskLog(files.taskLog(this.#task), { limitBytes, rights: fileRights, libc });
    if (this.#stopped !== null) this.#lifetime.stop(this.#stopped);
    const end = await this.#lifetime.whenOver(started.exit, this.#task.timeout_s);
    if (introducing !== null) await introducing;
    const totals = exitTotals({
      cgroup: place.totals(),
      rusage: end.exit.rusage,
      childCpu: end.exit.childCpu,
      launcherPeakKb,
      seenPeak: peak.peak,
    });
    const known = {
      ...totals,
      ...timesOf(started.at, end.at),
      is_cpuset_shared: lease.isShared,
      log_lost_bytes: log.close(),
    };
    return await this.#conclude(job, { ...end, known });
  }

  /** Put the attempt on record, with the limits that it will run in. */
  #announce(job: Job, { lease, place }: Means): Promise<void> | null {
    const { clock, fileRights, hello } = this.#node;
    let isLimited = false;
    lease.bind((limits) => {
      isLimited = place.limit(limits);
      if (isLimited) this.#recordShare(place.kind, limits);
    });
    const { cpus } = lease.limits;
    const known = {
      ...timesOf(clock.now(), null),
      bytes_in: fileRights.asUser(() => inputSize(job)),
      cpuset: isLimited && cpus !== null ? formatCpuList(cpus) : null,
      cpu_binding: isLimited ? hello.cpu_binding : "none" as const,
      is_cpuset_shared: lease.isShared,
    };
    return this.#record.announce(known, partFiles(job));
  }

  #recordShare(control: LimitKind, { cpus, quotaCores, weight }: CpuLimits): void {
    const { clock, files, onFailure } = this.#node;
    const { trace_id, span_id, task_id } = this.#record.event;
    const { tsMs, bootMs } = clock.now();
    const writing = files.appendShare({
      ts_ms: tsMs,
      boot_ms: bootMs,
      trace_id,
      span_id,
      task_id,
      control,
      cpus: cpus && formatCpuList(cpus),
      quota_percent: quotaCores && quotaPercent(quotaCores),
      weight,
    });
    writing?.catch(onFailure);
  }

  #plan(job: Job): SpawnPlan {
    const { hello, env, files, taskRights } = this.#node;
    return {
      ...PLAIN_PLAN,
      program: job.program,
      argv: job.argv,
      env: {
        ...env,
        RUN_ID: hello.run_id,
        NODE_ID: hello.node_id,
        TASK_ID: this.#task.task_id,
        TRACEPARENT: traceparentOf(this.#context),
        ...job.env,
      },
      cwd: job.cwd,
      logFile: files.taskLog(this.#task),
      rights: taskRights,
    };
  }

  #introduce(
    { program }: Job,
    { started, cgroup }: { readonly started: Started; readonly cgroup: string | null },
  ): Promise<void> | null {
    const writing = this.#record.introduce(started, { program, cgroup });
    const { trace_id, start_ticks, cpuset } = this.#record.event;
    const { pid, at } = started;
    this.#onStarted({ trace_id, pid, start_ticks, ts_start: at.tsMs, cpuset });
    return writing;
  }

  async #conclude(
    job: Job,
    { exit, stopReason, isInterrupted, note, known }: AttemptEnd & {
      readonly known: Partial<InvocationEvent>;
    },
  ): Promise<AttemptResult> {
    const { files, fileRights } = this.#node;
    const hasSucceeded = exit.status === 0 && stopReason === null;
    const outputs = fileRights.asUser(() => hasSucceeded ? acceptOutputs(job) : dropOutputs(job));
    const isDone = hasSucceeded && outputs.problem === null;
    const writing = this.#record.conclude({
      ...known,
      status: exit.status,
      signal: exit.signal,
      reason: stopReason ?? outputs.problem ?? note,
      bytes_out: outputs.bytes,
      decode_errors: this.#decodeErrors(),
      stderr_tail: isDone ? null : files.tail(files.taskLog(this.#task)),
    });
    if (writing !== null) await writing;
    return { kind: "exited", isDone, isInterrupted, event: this.#record.event };
  }

  /** ffmpeg ends with 0 although it could not decode a part; null where nobody says. */
  #decodeErrors(): number | null {
    if (this.#task.kind !== "ffmpeg") return null;
    const { files } = this.#node;
    const log = files.head(files.taskLog(this.#task));
    return log === null ? null : countDecodeErrors(log);
  }
}

/** Errors that say that a path is none anywhere: to try it again would not help. */
const NEVER_A_PATH = [ERRNO.ENAMETOOLONG, ERRNO.ELOOP];
