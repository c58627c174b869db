/**
 * The attempts that a worker has under way: started, stopped, reported, and made known again to a Redis
 * that was restarted and may have lost the last seconds.
 *
 * @module
 */

import type { Launch, Launcher, LaunchOutcome } from "../trace/launcher.ts";
import type { TaskResult } from "../trace/records.ts";
import type { Claimed, Finish, FinishReply, WorkerQueue } from "./queue/queue.ts";
import { Wake } from "./wake.ts";

/** What {@linkcode Attempts} needs. */
export interface AttemptsOptions {
  /** NODE_ID. */
  readonly node: string;
  /** Told what the queue made of each attempt that ended. */
  readonly onResult: (result: TaskResult) => void;
  /** True while the lease is sound: nothing is started without one. */
  readonly hasLease: () => boolean;
  /** When the server that has heard of all this answered last, by performance.now(). */
  readonly heardAtMs: () => number;
}

/** How running attempts are stopped. */
export interface StopAll {
  /** Goes into the event. */
  readonly reason: string;
  /** Time between SIGTERM and SIGKILL, ms. */
  readonly graceMs: number;
}

/** Time between SIGTERM and SIGKILL when a task was cancelled, ms. */
const CANCEL_GRACE_MS = 5000;

/**
 * Ends are remembered that Redis confirmed so long before its last answer, ms: an append-only file that
 * is synced each second loses at most the last two seconds when the machine fails, however long it is
 * away then. Too short, and a task that ended just then would be run again.
 */
const REPEAT_MS = 10_000;

interface Running {
  readonly claimed: Claimed;
  readonly launch: Launch;
  /** Why we stopped it, null while we did not. */
  stopReason: string | null;
  /** True where it goes back to the queue: it was stopped through no fault of its own. */
  isReturned: boolean;
}

interface Ended {
  readonly claimed: Claimed;
  readonly finish: Finish;
  readonly endedAt: number;
}

/** How an attempt ended. */
type End = Pick<Finish, "outcome" | "status" | "reason">;

/** Attempts of one worker. */
export class Attempts {
  readonly #queue: WorkerQueue;
  readonly #options: AttemptsOptions;
  readonly #running = new Map<string, Running>();
  readonly #reports = new Set<Promise<void>>();
  /** Attempts from their start until their end is forgotten: Redis may give one out a second time. */
  readonly #known = new Set<string>();
  readonly #changed = new Wake();
  readonly #broken = Promise.withResolvers<never>();
  #recent: Ended[] = [];
  #exitCount = 0;

  /** Attempts whose ends are told to `queue`. */
  constructor(queue: WorkerQueue, options: AttemptsOptions) {
    this.#queue = queue;
    this.#options = options;
  }

  /** How many run. */
  get count(): number {
    return this.#running.size;
  }

  /** How many were seen to their exit. */
  get exitCount(): number {
    return this.#exitCount;
  }

  /** Rejects when an end could not be reported or written down. */
  get broken(): Promise<never> {
    return this.#broken.promise;
  }

  /** Start a claimed task, once; without an adapter or a sound lease it goes back. */
  start(claimed: Claimed, launcher: Launcher | null): void {
    const name = nameOf(claimed);
    if (this.#known.has(name)) return;
    this.#known.add(name);
    const earlier = this.#running.get(claimed.task.task_id);
    // An attempt that counts no more is being stopped: the next one begins when it is over.
    if (earlier === undefined) this.#launch(claimed, launcher);
    else earlier.launch.outcome.then(() => this.#launch(claimed, launcher));
  }

  #launch(claimed: Claimed, launcher: Launcher | null): void {
    const { task } = claimed;
    if (launcher === null || !this.#options.hasLease()) {
      const reason = launcher === null
        ? "the adapter is gone"
        : "the lease was lost before the start";
      this.#report(claimed, { outcome: "returned", status: null, reason });
      return;
    }
    const launch = launcher.launch(task);
    const running: Running = { claimed, launch, stopReason: null, isReturned: false };
    this.#running.set(task.task_id, running);
    launch.outcome.then((outcome) => {
      this.#running.delete(task.task_id);
      if (outcome.kind === "exited") this.#exitCount += 1;
      this.#report(claimed, endOf(outcome, running));
      this.#changed.notify();
    });
  }

  /** Stop tasks that somebody cancelled. */
  cancel(taskIds: readonly string[]): void {
    for (const taskId of taskIds) {
      const running = this.#running.get(taskId);
      if (running === undefined || running.stopReason !== null) continue;
      running.stopReason = "cancelled";
      running.launch.stop({ reason: "cancelled", graceMs: CANCEL_GRACE_MS });
    }
  }

  /** Stop everything; the tasks go back to the queue. */
  stopAll(how: StopAll): void {
    for (const running of this.#running.values()) stop(running, how);
  }

  /** Resolves when nothing runs any more. */
  async ended(): Promise<void> {
    while (this.#running.size > 0) await this.#changed.wait(1000);
  }

  /** Resolves when nothing runs any more and the queue knows it. */
  async reported(): Promise<void> {
    await this.ended();
    await Promise.all(this.#reports);
  }

  /** Tell a restarted Redis what runs and what has just ended; stop what does not count there. */
  async recover(how: StopAll): Promise<void> {
    for (const running of [...this.#running.values()]) {
      if (!await this.#queue.resume(running.claimed)) stop(running, how);
    }
    this.#forgetOld();
    for (const { claimed, finish } of this.#recent) await this.#finish(claimed, finish);
  }

  #report(claimed: Claimed, end: End): void {
    const { task, incarnation } = claimed;
    const finish = { taskId: task.task_id, incarnation, attempt: task.attempt, ...end };
    const report = this.#finish(claimed, finish).then((reply) => {
      this.#options.onResult(resultOf(claimed, { finish, reply, node: this.#options.node }));
      this.#forgetOld();
      this.#recent.push({ claimed, finish, endedAt: performance.now() });
      this.#reports.delete(report);
    });
    report.catch(this.#broken.reject);
    this.#reports.add(report);
  }

  async #finish(claimed: Claimed, finish: Finish): Promise<FinishReply> {
    const reply = await this.#queue.finish(finish);
    if (reply.state !== "superseded") return reply;
    // Superseded by a loss of memory: the server was restarted since the claim and forgot it.
    const isSameServer = claimed.server === await this.#queue.serverId();
    if (isSameServer || !await this.#queue.resume(claimed)) return reply;
    return await this.#queue.finish(finish);
  }

  #forgetOld(): void {
    const oldest = this.#options.heardAtMs() - REPEAT_MS;
    const kept = this.#recent.findIndex(({ endedAt }) => endedAt >= oldest);
    const forgotten = this.#recent.splice(0, kept < 0 ? this.#recent.length : kept);
    for (const { claimed } of forgotten) this.#known.delete(nameOf(claimed));
  }
}

function nameOf({ task, incarnation }: Claimed): string {
  return `${task.task_id} ${task.attempt} ${incarnation}`;
}

function stop(running: Running, { reason, graceMs }: StopAll): void {
  running.stopReason ??= reason;
  running.isReturned = true;
  running.launch.stop({ reason, graceMs });
}

/** How an attempt ended, for the queue. */
function endOf(outcome: LaunchOutcome, { stopReason, isReturned }: Running): End {
  if (outcome.kind === "refused") {
    return { outcome: "refused", status: null, reason: outcome.reason };
  }
  if (outcome.kind === "crashed" && !isReturned) {
    return { outcome: "crashed", status: null, reason: outcome.reason };
  }
  if (outcome.kind === "crashed" || outcome.kind === "lost") {
    return { outcome: "returned", status: null, reason: outcome.reason };
  }
  const { event, isDone } = outcome;
  if (isDone) return { outcome: "done", status: event.status, reason: null };
  if (isReturned) return { outcome: "returned", status: event.status, reason: stopReason };
  const reason = stopReason ?? event.reason ?? event.signal ?? `exit code ${event.status ?? "?"}`;
  return { outcome: "failed", status: event.status, reason };
}

function resultOf(
  { task, tsAssigned }: Claimed,
  { finish, reply, node }: {
    readonly finish: Finish;
    readonly reply: FinishReply;
    readonly node: string;
  },
): TaskResult {
  const isEnd = reply.state !== "pending" && reply.state !== "superseded";
  return {
    task_id: task.task_id,
    attempt: task.attempt,
    node,
    // An attempt that is not the task's end does not count, whatever became of it.
    state: isEnd ? reply.state : "superseded",
    status: finish.status,
    reason: reply.state === "superseded" ? "this attempt came too late" : finish.reason,
    ts_enqueue: task.ts_enqueue,
    ts_assigned: tsAssigned,
    ts_finish: reply.tsFinish,
    cpu_units: task.cpu_units,
    profile: task.profile,
    seq: task.seq,
  };
}
