/**
 * The worker's loop: claim what can start now, have it run, report how it ended; and stop everything
 * when the lease could not be renewed, so that no task ever runs on two nodes.
 *
 * @module
 */

import type { Launcher } from "../trace/launcher.ts";
import { counted } from "../trace/counted.ts";
import type { TaskResult } from "../trace/records.ts";
import { Attempts } from "./attempts.ts";
import type { HeartbeatReply, Registration, WorkerQueue } from "./queue/queue.ts";
import type { Timing } from "./queue/timing.ts";
import { Wake } from "./wake.ts";

/** A launcher that can be closed, or ended at once together with all that it runs. */
export type OwnedLauncher = Launcher & AsyncDisposable & {
  /** End it the hard way; what it ran is ended too. */
  kill(): void;
};

/** How a worker works. */
export interface WorkerOptions {
  /** NODE_ID. */
  readonly node: string;
  /** What it offers. */
  readonly registration: Registration;
  /** Times of leases. */
  readonly timing: Timing;
  /**
   * Starts an adapter; called again when one died. `mayKeepAlive` is false once the lease is so old that
   * the adapter must end the tasks by itself, should this process be stopped.
   */
  readonly openLauncher: (mayKeepAlive: () => boolean) => Promise<OwnedLauncher>;
  /** Told what the queue made of each attempt that ended. */
  readonly onResult: (result: TaskResult) => void;
  /** Told when Redis has lost data, for the run's record. */
  readonly onDataLost: () => void;
  /** Log messages for the operator: one line per change. */
  readonly report: (line: string) => void;
  /** Aborted: take nothing new, finish what runs, return. */
  readonly signal: AbortSignal;
  /** Aborted: stop what runs; it goes back to the queue. */
  readonly force: AbortSignal;
}

/** Tasks asked for in one call. */
const CLAIM_LIMIT = 64;

/** Time between SIGTERM and SIGKILL when an operator stops the worker, ms. */
const STOP_GRACE_MS = 5000;

/** The same when the lease is gone: all is over well before another node may begin. */
const CUT_OFF_GRACE_MS = 500;

/**
 * After this long an adapter that has not ended its tasks is killed, and they with it, ms: it is stopped
 * itself (SIGSTOP), and another node may start them 3 s after the cut. Too short, and the exits of tasks
 * that a loaded machine ends slowly are not on record.
 */
const STUCK_AFTER_MS = 2000;

/**
 * How old a renewed lease may be while the adapter is told that its worker lives, as a part of the
 * heartbeat's interval. At 3/4 of 2 s, a worker that is cut off first and stopped then has its tasks
 * ended by the adapter within 1.5 + 6 + 1.25 s of its last renewal; another may start them after 9 s.
 */
const KEEPALIVE_SHARE = 0.75;

/** Pauses before an adapter that died is started again, ms; after the last the worker gives up. */
const RESTART_PAUSES_MS = [0, 500, 1000, 2000, 4000];

/** Why a task is stopped that does not count any more. */
const SUPERSEDED = "superseded while Redis was away";

/** An adapter that saw a task to its exit, or lived this long, ms, was sound: failures are forgotten. */
const SOUND_AFTER_MS = 60_000;

/** The adapter dies repeatedly. */
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

class Worker {
  readonly #queue: WorkerQueue;
  readonly #options: WorkerOptions;
  readonly #attempts: Attempts;
  readonly #wake = new Wake();
  readonly #leaseDue = new Wake();
  /** Aborted when nothing is to be run any more. */
  readonly #over = new AbortController();
  /** Aborted when the worker has ended. */
  readonly #ended = new AbortController();
  #launcher: OwnedLauncher | null = null;
  #server = "";
  /** True while Redis has lost data and was not told again what runs here. */
  #isForgotten = false;
  #heardCall = 0;
  #renewedAt = 0;
  #isCutOff = false;
  #failure: AdapterError | null = null;

  constructor(queue: WorkerQueue, options: WorkerOptions) {
    this.#queue = queue;
    this.#options = options;
    const { node, onResult, timing } = options;
    const hasLease = () => this.#leaseAgeMs() < timing.cutOffMs;
    const heardAtMs = () => this.#renewedAt;
    this.#attempts = new Attempts(queue, { node, onResult, hasLease, heardAtMs });
  }

  async run(): Promise<void> {
    const { signal, force } = this.#options;
    const stopAll = () => this.#stopAll();
    const wake = () => this.#wake.notify();
    force.addEventListener("abort", stopAll);
    signal.addEventListener("abort", wake);
    await this.#openLauncher();
    const life = this.#live(wake);
    // After it was abandoned it ends by the connection's being closed.
    life.catch((_error: Error) => {});
    try {
      await Promise.race([life, this.#attempts.broken, this.#abandoned()]);
    } finally {
      this.#ended.abort();
      force.removeEventListener("abort", stopAll);
      signal.removeEventListener("abort", wake);
      this.#over.abort();
      await this.#launcher?.[Symbol.asyncDispose]();
    }
    if (this.#failure !== null) throw this.#failure;
  }

  async #live(wake: () => void): Promise<void> {
    if (!await this.#register()) return;
    await this.#queue.onWake(wake);
    this.#queue.onRestored(() => this.#leaseDue.notify());
    await Promise.all([this.#work(), this.#keepLease(), this.#watchLease(), this.#keepLauncher()]);
    await this.#queue.leave();
  }

  /** Resolves when the worker is to stop and Redis has been away for so long that nothing runs any more. */
  async #abandoned(): Promise<void> {
    const { signal, timing, node, report } = this.#options;
    const ended = this.#ended.signal;
    await Promise.race([aborted(signal), aborted(ended)]);
    const since = performance.now();
    while (!ended.aborted) {
      const awayMs = Math.min(this.#leaseAgeMs(), performance.now() - since);
      if (awayMs >= timing.cutOffMs && this.#attempts.count === 0) {
        const told = this.#attempts.held.length;
        const untold = told === 0 ? "" : `; ${counted(told, "end")} could not be reported`;
        report(`${node} ends without Redis, which does not answer${untold}`);
        return;
      }
      await pause(Math.max(timing.cutOffMs - awayMs, timing.lostCheckMs), ended);
    }
  }

  get #isStopping(): boolean {
    return this.#options.signal.aborted || this.#failure !== null;
  }

  #leaseAgeMs(): number {
    return performance.now() - this.#renewedAt;
  }

  /** Take the node's name; false when the worker is stopped before it is free. */
  async #register(): Promise<boolean> {
    const { node, registration, report, signal } = this.#options;
    let isSaid = false;
    while (!signal.aborted) {
      const sentAt = performance.now();
      const server = await this.#queue.serverId();
      // Once: what it finds when it comes back later was put there for it.
      const clearQueue = registration.clearQueue && this.#server === "";
      const waitMs = await this.#queue.register({ ...registration, clearQueue });
      if (waitMs === 0) {
        this.#server = server;
        this.#isForgotten = false;
        this.#renewedAt = sentAt;
        this.#isCutOff = false;
        return true;
      }
      if (!isSaid) {
        const seconds = Math.ceil(waitMs / 1000);
        report(`${node} is leased to an earlier worker: waiting up to ${seconds} s`);
      }
      isSaid = true;
      await pause(waitMs, signal);
    }
    return false;
  }

  async #work(): Promise<void> {
    const { timing, signal, report, node, force } = this.#options;
    while (!this.#isStopping) {
      if (await this.#claim()) continue;
      await this.#wake.wait(timing.pollMs, signal);
    }
    const { count } = this.#attempts;
    if (count > 0 && !force.aborted) {
      report(`${node} takes nothing new; ${count} tasks run on (once more to stop them)`);
    }
    await this.#queue.drain();
    if (force.aborted) this.#stopAll();
    await this.#attempts.reported();
    this.#over.abort();
  }

  /** Take and start what can start now; true when there may be more. */
  async #claim(): Promise<boolean> {
    if (this.#launcher === null || this.#isCutOff) return false;
    const { claimed, cancelled, call } = await this.#queue.claim(CLAIM_LIMIT);
    for (const one of claimed) this.#attempts.start(one, this.#launcher);
    this.#heardCall = call;
    this.#attempts.cancel(cancelled);
    return claimed.length === CLAIM_LIMIT;
  }

  #stopAll(): void {
    this.#attempts.stopAll({ reason: "worker stopped", graceMs: STOP_GRACE_MS });
  }

  async #keepLease(): Promise<void> {
    const { timing, node, report } = this.#options;
    const { signal } = this.#over;
    while (!signal.aborted) {
      const sentAt = performance.now();
      if (await this.#renew()) {
        if (this.#isCutOff) report(`${node} holds its lease again`);
        this.#renewedAt = sentAt;
        this.#isCutOff = false;
        this.#wake.notify();
      } else {
        report(`${node} was given up by the scheduler: stopping its tasks`);
        this.#cutOff("the node was given up");
        await this.#attempts.ended();
        this.#queue.beginAnew();
        await this.#register();
      }
      const leftMs = timing.heartbeatMs - (performance.now() - sentAt);
      await this.#leaseDue.wait(Math.max(0, leftMs), signal);
    }
  }

  /** Renew the lease; a Redis that was restarted or lost data is first told what runs here. */
  async #renew(): Promise<boolean> {
    const { node, report } = this.#options;
    for (;;) {
      const server = await this.#queue.serverId();
      if (server !== this.#server || this.#isForgotten) {
        if (!await this.#restate()) return false;
        const what = this.#isForgotten ? "Redis, which lost data," : "the restarted Redis";
        report(`${node} told ${what} of ${this.#attempts.count} running tasks`);
        this.#server = server;
        this.#isForgotten = false;
      }
      const { held } = this.#attempts;
      const reply = await this.#queue.heartbeat({ server, heardCall: this.#heardCall, held });
      if (reply.isDataLost) {
        report(`Redis has lost data: ${node} states again what it runs`);
        this.#options.onDataLost();
        this.#isForgotten = true;
      } else if (reply.isHolder) {
        await this.#reconcile(reply);
        return true;
      } else if (await this.#queue.serverId() === server) return false;
    }
  }

  /** Register once more and say what runs here; false when the node is another worker's. */
  async #restate(): Promise<boolean> {
    const registration = { ...this.#options.registration, clearQueue: false };
    if (await this.#queue.register(registration, "nothing") > 0) return false;
    await this.#attempts.recover({ reason: SUPERSEDED, graceMs: CUT_OFF_GRACE_MS });
    return true;
  }

  async #reconcile(reply: HeartbeatReply): Promise<void> {
    const { node, report } = this.#options;
    const how = { reason: SUPERSEDED, graceMs: CUT_OFF_GRACE_MS };
    const returned = await this.#attempts.reconcile(reply, how);
    if (returned > 0) {
      report(`${node} gave back ${counted(returned, "task")} that the queue believed to run here`);
    }
    if (reply.ghosts.length + reply.unknown.length > 0) this.#wake.notify();
  }

  /** Stop the tasks when the lease could not be renewed in time. */
  async #watchLease(): Promise<void> {
    const { timing, node, report } = this.#options;
    const { signal } = this.#over;
    while (!signal.aborted) {
      const leftMs = timing.cutOffMs - this.#leaseAgeMs();
      if (leftMs <= 0 && !this.#isCutOff) {
        if (this.#attempts.count > 0) {
          const seconds = timing.cutOffMs / 1000;
          report(`${node} could not renew its lease for ${seconds} s: stopping its tasks`);
        }
        this.#cutOff("lost lease");
      }
      await pause(leftMs > 0 ? leftMs : timing.heartbeatMs, signal);
    }
  }

  #cutOff(reason: string): void {
    this.#isCutOff = true;
    this.#attempts.stopAll({ reason, graceMs: CUT_OFF_GRACE_MS });
    this.#killWhenStuck();
  }

  async #killWhenStuck(): Promise<void> {
    await Promise.race([this.#attempts.ended(), pause(STUCK_AFTER_MS, this.#over.signal)]);
    if (this.#isCutOff && this.#attempts.count > 0) this.#launcher?.kill();
  }

  async #openLauncher(): Promise<void> {
    const { openLauncher, timing } = this.#options;
    const limitMs = timing.heartbeatMs * KEEPALIVE_SHARE;
    // Before it is registered the worker has no lease, and nothing to keep alive but the adapter.
    const mayKeepAlive = () => this.#server === "" || this.#leaseAgeMs() < limitMs;
    this.#launcher = await openLauncher(mayKeepAlive);
  }

  /** Start the adapter again when it dies; its tasks were ended with it and go back to the queue. */
  async #keepLauncher(): Promise<void> {
    const { report } = this.#options;
    const { signal } = this.#over;
    let failures = 0;
    while (!signal.aborted && this.#launcher !== null) {
      const openedAt = performance.now();
      const { exitCount } = this.#attempts;
      const reason = await Promise.race([this.#launcher.closed, aborted(signal)]);
      if (reason === null) return;
      await this.#launcher[Symbol.asyncDispose]();
      this.#launcher = null;
      const isSound = this.#attempts.exitCount > exitCount ||
        performance.now() - openedAt > SOUND_AFTER_MS;
      if (isSound) failures = 0;
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
