/**
 * The attempts that a worker has under way: started, stopped, reported, and stated again to a Redis that
 * was restarted or lost data.
 *
 * @module
 */

import type { Launch, Launcher, LaunchOutcome } from "../trace/launcher.ts";
import type { TaskResult } from "../trace/records.ts";
import type {
  Claimed,
  Finish,
  FinishReply,
  HeartbeatReply,
  NamedAttempt,
  WorkerQueue,
} from "./queue/queue.ts";
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

/**
 * Ends that are remembered beyond that, for a Redis that comes back with an older snapshot: 300 bytes each.
 * Too few, and a task that ended is run again.
 */
const REMEMBERED_MAX = 10_000;

interface Running {
  readonly claimed: Claimed;
  readonly launch: Launch;
  /** Why we stopped it, null while we did not. */
  stopReason: string | null;
  /** True where it goes back to the queue: it was stopped through no fault of its own. */
  isReturned: boolean;
}

interface Ended {
  readonly name: string;
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
  /** Attempts from their start until the queue has confirmed their end. */
  readonly #held = new Map<string, NamedAttempt>();
  readonly #changed = new Wake();
  readonly #broken = Promise.withResolvers<never>();
  /** Ends that the queue confirmed, by attempt, the oldest first. */
  readonly #recent = new Map<string, Ended>();
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

  /** Attempts that this worker holds: they run, or their end is not confirmed. */
  get held(): readonly NamedAttempt[] {
    return [...this.#held.values()];
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
    const name = nameOf(claimOf(claimed));
    if (this.#known.has(name)) return;
    this.#known.add(name);
    this.#held.set(name, { taskId: claimed.task.task_id, attempt: claimed.task.attempt });
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
      if (!await this.#queue.resume(running.claimed, "interrupted")) stop(running, how);
    }
    const since = this.#options.heardAtMs() - REPEAT_MS;
    for (const { claimed, finish, endedAt } of [...this.#recent.values()]) {
      if (endedAt >= since) await this.#finish(claimed, finish);
    }
  }

  /**
   * Put right what the queue believes to run here and does not, and the reverse. How an attempt ended is
   * told again where that is known; of any other the task goes back to the queue. Returns how many of
   * those there were.
   */
  async reconcile({ ghosts, unknown }: HeartbeatReply, how: StopAll): Promise<number> {
    let returned = 0;
    for (const ghost of ghosts) {
      const ended = this.#recent.get(nameOf(ghost));
      if (ended === undefined) returned += 1;
      const reason = "its worker does not run it";
      await this.#queue.finish(
        ended?.finish ?? { ...ghost, outcome: "returned", status: null, reason },
      );
    }
    for (const { taskId, attempt } of unknown) {
      const running = this.#running.get(taskId);
      if (running === undefined || running.stopReason !== null) continue;
      if (running.claimed.task.attempt !== attempt) continue;
      if (!await this.#queue.resume(running.claimed, "held")) stop(running, how);
    }
    return returned;
  }

  #report(claimed: Claimed, end: End): void {
    const { task, incarnation } = claimed;
    const finish = { taskId: task.task_id, incarnation, attempt: task.attempt, ...end };
    const report = this.#finish(claimed, finish).then((reply) => {
      this.#options.onResult(resultOf(claimed, { finish, reply, node: this.#options.node }));
      this.#remember({ name: nameOf(finish), claimed, finish, endedAt: performance.now() });
      this.#reports.delete(report);
    });
    report.catch(this.#broken.reject);
    this.#reports.add(report);
  }

  async #finish(claimed: Claimed, finish: Finish): Promise<FinishReply> {
    const reply = await this.#queue.finish(finish);
    if (reply.state !== "superseded") return reply;
    // Superseded by a loss of memory: the queue has forgotten the claim.
    if (!await this.#queue.resume(claimed, "interrupted")) return reply;
    return await this.#queue.finish(finish);
  }

  #remember(ended: Ended): void {
    this.#held.delete(ended.name);
    this.#recent.set(ended.name, ended);
    const since = this.#options.heardAtMs() - REPEAT_MS;
    for (const { name, endedAt } of this.#recent.values()) {
      if (this.#recent.size <= REMEMBERED_MAX || endedAt >= since) break;
      this.#recent.delete(name);
      this.#known.delete(name);
    }
  }
}

/** One attempt as claimed by one call. */
function nameOf(one: NamedAttempt & Pick<Claimed, "incarnation">): string {
  return `${one.taskId} ${one.attempt} ${one.incarnation}`;
}

function claimOf({ task, incarnation }: Claimed): Parameters<typeof nameOf>[0] {
  return { taskId: task.task_id, attempt: task.attempt, incarnation };
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
