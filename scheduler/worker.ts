/**
 * The worker's loop: claim what can start now, have it run, report how it ended; and stop everything
 * when the lease could not be renewed, so that no task ever runs on two nodes.
 *
 * @module
 */

import type { TaskResult } from "../trace/records.ts";
import type { Launch, Launcher, LaunchOutcome } from "./launcher.ts";
import type { Claimed, Finish, FinishReply, Registration, WorkerQueue } from "./queue.ts";
import type { Timing } from "./timing.ts";
import { Wake } from "./wake.ts";

/** A launcher that can be closed. */
export type OwnedLauncher = Launcher & AsyncDisposable;

/** How a worker works. */
export interface WorkerOptions {
  /** NODE_ID. */
  readonly node: string;
  /** What it offers. */
  readonly registration: Registration;
  /** Times of leases. */
  readonly timing: Timing;
  /** Starts an adapter; called again when one died. */
  readonly openLauncher: () => Promise<OwnedLauncher>;
  /** Told the outcome of each attempt as the queue saw it. */
  readonly onResult: (result: TaskResult) => void;
  /** Talk for the operator: one line per change. */
  readonly report: (line: string) => void;
  /** Aborted: take nothing new, finish what runs, return. */
  readonly signal: AbortSignal;
  /** Aborted: stop what runs; it goes back to the queue. */
  readonly force: AbortSignal;
}

/** Tasks asked for in one call. */
const CLAIM_LIMIT = 64;

/** Time between SIGTERM and SIGKILL when an operator stops or cancels a task, ms. */
const STOP_GRACE_MS = 5000;

/** The same when the lease is gone: all is over well before another node may begin. */
const CUT_OFF_GRACE_MS = 500;

/** Pauses before an adapter that died is started again, ms; after the last the worker gives up. */
const RESTART_PAUSES_MS = [0, 500, 1000, 2000, 4000];

/** An adapter that lived this long was sound: earlier failures are forgotten, ms. */
const SOUND_AFTER_MS = 60_000;

/** The adapter does not start, or dies again and again. */
export class AdapterError extends Error {
  /** Name of the class. */
  override readonly name = "AdapterError";
}

/**
 * Run the worker until `signal` is aborted.
 *
 * @throws {AdapterError} when no adapter stays alive; the node is given up before.
 */
export async function runWorker(queue: WorkerQueue, options: WorkerOptions): Promise<void> {
  await new Worker(queue, options).run();
}

interface Running {
  readonly claimed: Claimed;
  readonly launch: Launch;
  /** Why we stopped it, null while we did not. */
  stopReason: string | null;
  /** True where it goes back to the queue: it was stopped through no fault of its own. */
  isReturned: boolean;
}

class Worker {
  readonly #queue: WorkerQueue;
  readonly #options: WorkerOptions;
  readonly #wake = new Wake();
  readonly #ended = new Wake();
  readonly #running = new Map<string, Running>();
  readonly #finishing = new Set<Promise<void>>();
  readonly #broken = Promise.withResolvers<never>();
  readonly #over = new AbortController();
  #launcher: OwnedLauncher | null = null;
  #renewedAt = 0;
  #isCutOff = false;
  #failure: AdapterError | null = null;

  constructor(queue: WorkerQueue, options: WorkerOptions) {
    this.#queue = queue;
    this.#options = options;
  }

  async run(): Promise<void> {
    const { signal, force } = this.#options;
    const stopAll = () => this.#stopAll({ reason: "worker stopped", graceMs: STOP_GRACE_MS });
    force.addEventListener("abort", stopAll);
    signal.addEventListener("abort", () => this.#wake.notify());
    await this.#openLauncher();
    try {
      if (!await this.#register()) return;
      await this.#queue.onWake(() => this.#wake.notify());
      this.#queue.onRestored(() => this.#wake.notify());
      const all = [this.#work(), this.#keepLease(), this.#watchLease(), this.#keepLauncher()];
      await Promise.race([Promise.all(all), this.#broken.promise]);
      await this.#queue.leave();
    } finally {
      force.removeEventListener("abort", stopAll);
      this.#over.abort();
      await this.#launcher?.[Symbol.asyncDispose]();
    }
    if (this.#failure !== null) throw this.#failure;
  }

  get #isStopping(): boolean {
    return this.#options.signal.aborted || this.#failure !== null;
  }

  /** Take the node's name; false when the worker is stopped before it is free. */
  async #register(): Promise<boolean> {
    const { node, registration, report, signal } = this.#options;
    let isSaid = false;
    while (!signal.aborted) {
      const sentAt = performance.now();
      const waitMs = await this.#queue.register(registration);
      if (waitMs === 0) {
        this.#renewedAt = sentAt;
        this.#isCutOff = false;
        return true;
      }
      if (!isSaid) {
        report(
          `${node} is leased to an earlier worker: waiting up to ${Math.ceil(waitMs / 1000)} s`,
        );
      }
      isSaid = true;
      await pause(waitMs, signal);
    }
    return false;
  }

  async #work(): Promise<void> {
    await this.#claimUntilStopped();
    await this.#finishUp();
    this.#over.abort();
  }

  async #claimUntilStopped(): Promise<void> {
    const { timing, signal } = this.#options;
    while (!this.#isStopping) {
      if (this.#launcher !== null && !this.#isCutOff) {
        const { isHolder, claimed, cancelled } = await this.#queue.claim(CLAIM_LIMIT);
        for (const one of claimed) this.#start(one);
        for (const taskId of cancelled) this.#stopCancelled(taskId);
        if (isHolder && claimed.length === CLAIM_LIMIT) continue;
      }
      await this.#wake.wait(timing.pollMs, signal);
    }
  }

  #start(claimed: Claimed): void {
    const { task } = claimed;
    const hasLease = performance.now() - this.#renewedAt < this.#options.timing.cutOffMs;
    if (!hasLease || this.#launcher === null) {
      const reason = hasLease ? "the adapter is gone" : "the lease was lost before the start";
      this.#finish(claimed, { outcome: "returned", status: null, reason });
      return;
    }
    const launch = this.#launcher.launch(task);
    const running: Running = { claimed, launch, stopReason: null, isReturned: false };
    this.#running.set(task.task_id, running);
    launch.outcome.then((outcome) => {
      this.#running.delete(task.task_id);
      this.#finish(claimed, ending(outcome, running));
      this.#ended.notify();
    });
  }

  #stopCancelled(taskId: string): void {
    const running = this.#running.get(taskId);
    if (running === undefined || running.stopReason !== null) return;
    running.stopReason = "cancelled";
    running.launch.stop({ reason: "cancelled", graceMs: STOP_GRACE_MS });
  }

  #stopAll({ reason, graceMs }: { readonly reason: string; readonly graceMs: number }): void {
    for (const running of this.#running.values()) {
      running.stopReason ??= reason;
      running.isReturned = true;
      running.launch.stop({ reason, graceMs });
    }
  }

  /** Report an end, for as long as it takes to reach Redis. */
  #finish(claimed: Claimed, end: Pick<Finish, "outcome" | "status" | "reason">): void {
    const { task, incarnation } = claimed;
    const finish = { taskId: task.task_id, incarnation, attempt: task.attempt, ...end };
    const finishing = this.#queue.finish(finish).then((reply) => {
      this.#options.onResult(resultOf(claimed, { finish, reply, node: this.#options.node }));
      this.#finishing.delete(finishing);
    });
    finishing.catch(this.#broken.reject);
    this.#finishing.add(finishing);
  }

  /** Let what runs end, and tell Redis of it. */
  async #finishUp(): Promise<void> {
    const { report, node, force } = this.#options;
    if (this.#running.size > 0 && !force.aborted) {
      report(
        `${node} takes nothing new; ${this.#running.size} tasks run on (once more to stop them)`,
      );
    }
    await this.#queue.drain();
    if (force.aborted) this.#stopAll({ reason: "worker stopped", graceMs: STOP_GRACE_MS });
    while (this.#running.size > 0) await this.#ended.wait(this.#options.timing.pollMs);
    await Promise.all(this.#finishing);
  }

  async #keepLease(): Promise<void> {
    const { timing, node, report } = this.#options;
    const { signal } = this.#over;
    while (!signal.aborted) {
      const sentAt = performance.now();
      if (await this.#queue.heartbeat()) {
        if (this.#isCutOff) report(`${node} holds its lease again`);
        this.#renewedAt = sentAt;
        this.#isCutOff = false;
        this.#wake.notify();
      } else if (!this.#isStopping) {
        report(`${node} was given up by the scheduler: stopping its tasks and registering anew`);
        this.#cutOff("the node was given up");
        while (this.#running.size > 0) await this.#ended.wait(timing.pollMs, signal);
        await this.#register();
      }
      await pause(timing.heartbeatMs - (performance.now() - sentAt), signal);
    }
  }

  /** Stop the tasks when the lease could not be renewed in time. */
  async #watchLease(): Promise<void> {
    const { timing, node, report } = this.#options;
    const { signal } = this.#over;
    while (!signal.aborted) {
      const leftMs = this.#renewedAt + timing.cutOffMs - performance.now();
      if (leftMs <= 0 && !this.#isCutOff) {
        if (this.#running.size > 0) {
          report(
            `${node} could not renew its lease for ${timing.cutOffMs / 1000} s: stopping its tasks`,
          );
        }
        this.#cutOff("lost lease");
      }
      await pause(leftMs > 0 ? leftMs : timing.heartbeatMs, signal);
    }
  }

  #cutOff(reason: string): void {
    this.#isCutOff = true;
    this.#stopAll({ reason, graceMs: CUT_OFF_GRACE_MS });
  }

  async #openLauncher(): Promise<void> {
    const { openLauncher } = this.#options;
    this.#launcher = await openLauncher();
  }

  /** Start the adapter again when it dies; its tasks were ended with it and go back to the queue. */
  async #keepLauncher(): Promise<void> {
    const { report } = this.#options;
    const { signal } = this.#over;
    let failures = 0;
    while (!signal.aborted && this.#launcher !== null) {
      const openedAt = performance.now();
      const reason = await Promise.race([this.#launcher.closed, aborted(signal)]);
      if (reason === null) return;
      await this.#launcher[Symbol.asyncDispose]();
      this.#launcher = null;
      if (performance.now() - openedAt > SOUND_AFTER_MS) failures = 0;
      const pauseMs = RESTART_PAUSES_MS[failures++];
      if (pauseMs === undefined) {
        this.#failure = new AdapterError(`the adapter died ${failures} times: ${reason}`);
        this.#wake.notify();
        return;
      }
      if (this.#isStopping) return;
      report(`the adapter is gone (${reason}): starting another`);
      await pause(pauseMs, signal);
      await this.#openLauncher();
      this.#wake.notify();
    }
  }
}

/** How an attempt ended, for the queue. */
function ending(
  outcome: LaunchOutcome,
  { stopReason, isReturned }: Running,
): Pick<Finish, "outcome" | "status" | "reason"> {
  if (outcome.kind === "refused") {
    return { outcome: "refused", status: null, reason: outcome.reason };
  }
  if (outcome.kind === "lost") return { outcome: "returned", status: null, reason: outcome.reason };
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
  const isFinal = reply.state !== "pending" && reply.state !== "superseded";
  return {
    task_id: task.task_id,
    attempt: task.attempt,
    node,
    // An attempt that is not the task's end does not count, whatever became of it.
    state: isFinal ? reply.state : "superseded",
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

/** Wait, or return early when `signal` is aborted. */
async function pause(waitMs: number, signal: AbortSignal): Promise<void> {
  if (waitMs > 0) await new Wake().wait(waitMs, signal);
}

function aborted(signal: AbortSignal): Promise<null> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(null);
    signal.addEventListener("abort", () => resolve(null), { once: true });
  });
}
