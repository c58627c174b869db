/**
 * One attempt of a task, from the request to its exit event.
 *
 * @module
 */

import type { LaunchStarted } from "../trace/adapter_protocol.ts";
import { formatCpuList } from "../trace/cpu_list.ts";
import { messageOf } from "../trace/atomic_file.ts";
import type { InvocationEvent } from "../trace/records.ts";
import type { Task } from "../trace/task.ts";
import type { CoreLease } from "./core_book.ts";
import { exitTotals } from "./exit_totals.ts";
import { newSpan, taskEvent, timesOf } from "./invocation_events.ts";
import { type Job, JobRefusedError } from "./job.ts";
import { acceptOutputs, dropOutputs, inputSize, prepareOutputs } from "./job_outputs.ts";
import type { JournalLine } from "./journal.ts";
import { type AttemptEnd, Lifetime, type StopOptions } from "./lifetime.ts";
import type { NodeContext } from "./node_context.ts";
import { PeakMemory } from "./peak_memory.ts";
import { prepareJob } from "./prepare_job.ts";
import { readHighWaterKb, readProcessStat } from "./proc_pid.ts";
import { SessionTree } from "./process_tree.ts";
import { SpawnError, type SpawnPlan } from "./spawn_plan.ts";
import type { Started } from "./starter.ts";
import type { TaskCgroup } from "./task_cgroup.ts";

/** How an attempt ended. */
export type AttemptResult =
  | { readonly kind: "exited"; readonly isDone: boolean; readonly event: InvocationEvent }
  | { readonly kind: "refused"; readonly reason: string };

/** What is told when an attempt runs. */
export type AttemptStarted = Omit<LaunchStarted, "type" | "launch_id">;

/** What a job runs with, for as long as it runs. */
interface Means {
  readonly cores: CoreLease;
  readonly cgroup: TaskCgroup | null;
}

/** One attempt of a task. */
export class Attempt {
  readonly #task: Task;
  readonly #node: NodeContext;
  readonly #onStarted: (started: AttemptStarted) => void;
  /** What is known so far: each line of the attempt says it all. */
  #event: InvocationEvent;
  #lifetime: Lifetime | null = null;

  /** @param onStarted Called when its process runs. */
  constructor(
    task: Task,
    options: {
      readonly node: NodeContext;
      readonly onStarted: (started: AttemptStarted) => void;
    },
  ) {
    this.#task = task;
    this.#node = options.node;
    this.#onStarted = options.onStarted;
    this.#event = taskEvent(task, { span: newSpan(), ...options.node });
  }

  /** Run the task to its end. Everything up to the first process happens before this returns. */
  async run(): Promise<AttemptResult> {
    const node = this.#node;
    try {
      const options = { rules: node.rules, spanId: this.#event.span_id };
      const job = node.fileRights.asUser(() => prepareJob(this.#task, options));
      using cores = node.cores.take(this.#task);
      using cgroup = node.cgroups?.taskGroup(this.#event.span_id) ?? null;
      return await this.#execute(job, { cores, cgroup });
    } catch (error) {
      if (!(error instanceof JobRefusedError)) throw error;
      this.#append("refused", { reason: error.message });
      return { kind: "refused", reason: error.message };
    }
  }

  /** End it; nothing happens when it does not run. */
  stop(options: StopOptions): void {
    this.#lifetime?.stop(options);
  }

  async #execute(job: Job, means: Means): Promise<AttemptResult> {
    this.#announce(job, means);
    const launcherPeakKb = readHighWaterKb(Deno.pid);
    let started: Started;
    try {
      this.#node.fileRights.asUser(() => prepareOutputs(job));
      started = this.#node.starter.start(this.#plan(job, means));
    } catch (error) {
      if (!(error instanceof SpawnError || isFileError(error))) throw error;
      return this.#neverRan(job, messageOf(error));
    }
    this.#introduce(job, { started, cgroup: means.cgroup });

    using peak = new PeakMemory(started.pid);
    this.#lifetime = new Lifetime(means.cgroup ?? new SessionTree(started.pid), this.#node);
    const end = await this.#lifetime.whenOver(started.exit, this.#task.timeout_s);

    const totals = exitTotals({
      cgroup: means.cgroup?.totals() ?? null,
      rusage: end.exit.rusage,
      launcherPeakKb,
      seenPeakKb: peak.kb,
    });
    Object.assign(this.#event, totals, timesOf(started.at, end.at));
    return this.#conclude(job, end);
  }

  /** Put the attempt on record before anything is started. */
  #announce(job: Job, { cores }: Means): void {
    const node = this.#node;
    this.#append("launch", {
      ...timesOf(node.clock.now(), null),
      bytes_in: node.fileRights.asUser(() => inputSize(job)),
      cpuset: cores.cpus && formatCpuList(cores.cpus),
      cpu_binding: cores.cpus === null ? "none" : node.hello.cpu_binding,
      is_cpuset_shared: cores.isShared,
    });
    this.#journal("launching", job);
  }

  #plan(job: Job, { cores, cgroup }: Means): SpawnPlan {
    const { hello, env, files, taskRights } = this.#node;
    const { trace_id, span_id } = this.#event;
    return {
      program: job.program,
      argv: job.argv,
      env: {
        ...env,
        RUN_ID: hello.run_id,
        NODE_ID: hello.node_id,
        TASK_ID: this.#task.task_id,
        TRACEPARENT: `00-${trace_id}-${span_id}-01`,
        ...job.env,
      },
      cwd: job.cwd,
      logFile: files.taskLog(this.#task),
      cpus: cores.cpus,
      rights: taskRights,
      cgroup: cgroup?.paths.unified ?? null,
      cgroupTasksFiles: cgroup?.tasksFiles ?? [],
    };
  }

  /** Tell the collector, the journal and the worker which process it is. */
  #introduce(
    job: Job,
    { started, cgroup }: { readonly started: Started; readonly cgroup: TaskCgroup | null },
  ): void {
    const { pid, at } = started;
    const startTicks = readProcessStat(pid)?.startTicks ?? null;
    Object.assign(this.#event, timesOf(at, null), { pid, start_ticks: startTicks });
    const { trace_id, task_id, cpuset } = this.#event;
    if (startTicks !== null) {
      this.#node.files.writeSentinel(pid, {
        trace_id,
        task_id,
        start_ticks: startTicks,
        cgroup: cgroup?.directory ?? null,
        comm: commOf(job.program),
      });
    }
    this.#journal("running", job);
    this.#onStarted({ trace_id, pid, start_ticks: startTicks, ts_start: at.tsMs, cpuset });
  }

  /** The machine could not start it just now: another attempt may succeed. */
  #neverRan(job: Job, reason: string): AttemptResult {
    this.#journal("ended", job);
    const event = this.#append("refused", { reason });
    return { kind: "exited", isDone: false, event };
  }

  #conclude(job: Job, { exit, stopReason, note }: AttemptEnd): AttemptResult {
    const { files, fileRights } = this.#node;
    const hasSucceeded = exit.status === 0 && stopReason === null;
    const outputs = fileRights.asUser(() => hasSucceeded ? acceptOutputs(job) : dropOutputs(job));
    const isDone = hasSucceeded && outputs.problem === null;
    const event = this.#append("exit", {
      status: exit.status,
      signal: exit.signal,
      reason: stopReason ?? outputs.problem ?? note,
      bytes_out: outputs.bytes,
      stderr_tail: isDone ? null : files.tail(files.taskLog(this.#task)),
    });
    if (event.pid !== null) files.removeSentinel(event.pid);
    this.#journal("ended", job);
    return { kind: "exited", isDone, event };
  }

  #append(kind: InvocationEvent["event"], known: Partial<InvocationEvent>): InvocationEvent {
    Object.assign(this.#event, known, { event: kind });
    this.#node.files.appendEvent(this.#event);
    return this.#event;
  }

  #journal(state: JournalLine["state"], job: Job): void {
    const { span_id, pid, start_ticks } = this.#event;
    const parts = job.outputs.filter(({ path, writtenTo }) => path !== writtenTo);
    const part_files = parts.map(({ writtenTo }) => writtenTo);
    this.#node.journal.append({ state, span_id, pid, start_ticks, part_files });
  }
}

/** The kernel keeps 15 bytes of a program's name, TASK_COMM_LEN. */
function commOf(program: string): string {
  return program.slice(program.lastIndexOf("/") + 1).slice(0, 15);
}

/** Folders that cannot be made: no rights, no space, a file in the way. */
function isFileError(error: unknown): boolean {
  return error instanceof Deno.errors.PermissionDenied ||
    error instanceof Deno.errors.NotADirectory ||
    error instanceof Deno.errors.AlreadyExists ||
    error instanceof Error && /os error (28|30)\)/.test(error.message);
}
