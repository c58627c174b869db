/**
 * The queue in Redis as the worker of one node sees it.
 *
 * @module
 */

import { messageOf } from "../../trace/atomic_file.ts";
import { completeTask, type Task } from "../../trace/task.ts";
import type { Keys } from "./keys.ts";
import type {
  Claimed,
  ClaimReply,
  Finish,
  FinishReply,
  HeartbeatReply,
  NamedAttempt,
  Registration,
  Stated,
  WorkerQueue,
} from "./queue.ts";
import type { RedisConnection } from "./connection.ts";
import { RedisIntake } from "./intake.ts";
import { listOf, numberOf, type Reply, rowsOf, textOf, textsOf } from "./reply.ts";
import { type DataLife, isAnotherLife, lifeArguments, UNKNOWN_LIFE } from "./queue_life.ts";
import { type Script, SCRIPTS } from "./scripts.ts";
import { readListedTask } from "./task_json.ts";
import type { Timing } from "./timing.ts";
import { DecodeError } from "../../trace/schema.ts";

/** One call for work, in one life of the worker. */
interface ClaimCall {
  readonly incarnation: string;
  readonly number: number;
}

/** What stands for all that is claimed in `call`. */
function claimName({ incarnation, number }: ClaimCall): string {
  return `${incarnation}#${number}`;
}

/** What became of a task that somebody put into the node's queue past the scheduler. */
type DirectClaim =
  | { readonly kind: "claimed"; readonly claimed: Claimed }
  /** Another task is first now. */
  | { readonly kind: "again" }
  /** It has to wait. */
  | { readonly kind: "wait" };

/** Ends of which one finish tells that their answers have arrived. */
const HEARD_PER_CALL = 50;

/** The queue of one node; dispose of it to end its subscription. */
export class RedisWorkerQueue implements WorkerQueue {
  readonly #connection: RedisConnection;
  readonly #keys: Keys;
  readonly #node: string;
  readonly #timing: Timing;
  readonly #intake: RedisIntake;
  #incarnation = crypto.randomUUID();
  #calls = 0;
  #life: DataLife = UNKNOWN_LIFE;
  /** Ends whose answer has arrived, to be told at the next one. */
  #heardEnds: string[] = [];
  #subscription: RedisConnection | null = null;

  /** The queue of `node` over `connection`, which stays the caller's. */
  constructor(
    connection: RedisConnection,
    keys: Keys,
    { node, timing }: { readonly node: string; readonly timing: Timing },
  ) {
    this.#connection = connection;
    this.#keys = keys;
    this.#node = node;
    this.#timing = timing;
    this.#intake = new RedisIntake(connection, keys, node);
  }

  /** Take the node's name; see {@linkcode WorkerQueue}. */
  async register(registration: Registration, knows = "all"): Promise<number> {
    const { leaseMs, lostMarginMs } = this.#timing;
    const [status, waitMs] = listOf(
      await this.#run(
        SCRIPTS.register,
        String(registration.capacityUnits),
        String(registration.slots),
        registration.slotsKey,
        String(registration.physicalCores),
        String(registration.allocationRatio),
        String(leaseMs),
        String(lostMarginMs),
        registration.clearQueue ? "1" : "0",
        knows === "all" ? await this.serverId() : "",
      ),
    );
    return status === "registered" ? 0 : numberOf(waitMs);
  }

  /** Renew the lease; see {@linkcode WorkerQueue}. */
  async heartbeat({ server, heardCall, held }: Stated): Promise<HeartbeatReply> {
    const known = this.#life;
    const [status, life, beat, ghosts, unknown, edited, free] = listOf(
      await this.#run(
        SCRIPTS.heartbeat,
        String(this.#timing.leaseMs),
        server,
        String(heardCall),
        ...lifeArguments(known),
        ...held.map(attemptName),
      ),
    );
    this.#life = { id: textOf(life), beat: numberOf(beat) };
    if (edited !== "") {
      this.#connection.report(
        `cap:${this.#node} was set to ${textOf(edited)} by hand; ${textOf(free)} vCPUs are free ` +
          `(a value above the true one has no effect)`,
      );
    }
    return {
      isHolder: status === 1,
      isDataLost: isAnotherLife(known, this.#life),
      ghosts: rowsOf(ghosts).map(([taskId, attempt, incarnation]) => ({
        taskId: textOf(taskId),
        attempt: numberOf(attempt),
        incarnation: textOf(incarnation),
      })),
      unknown: textsOf(unknown).map(attemptOf),
    };
  }

  /** Register as another life next time; see {@linkcode WorkerQueue}. */
  beginAnew(): void {
    this.#incarnation = crypto.randomUUID();
  }

  /** Which run of the Redis server this is; see {@linkcode WorkerQueue}. */
  serverId(): Promise<string> {
    return this.#connection.serverId();
  }

  /** Say again what this worker runs; see {@linkcode WorkerQueue}. */
  async resume(
    { task, raw, incarnation, tsAssigned }: Claimed,
    lease: "held" | "interrupted",
  ): Promise<boolean> {
    const reply = await this.#connection.run(SCRIPTS.resume, this.#keys.prefix, [
      this.#node,
      incarnation,
      task.task_id,
      String(task.attempt),
      raw,
      String(task.cpu_units),
      String(tsAssigned),
      lease === "held" ? "1" : "0",
    ]);
    return reply === 1;
  }

  /** Take tasks that can start now; see {@linkcode WorkerQueue}. */
  async claim(limit: number): Promise<ClaimReply> {
    const resent = this.#connection.resentCount;
    const call = { incarnation: this.#incarnation, number: ++this.#calls };
    const reply = await this.#claim(limit, call);
    if (!reply.isHolder || this.#connection.resentCount === resent) return reply;
    // What an earlier sending of the same call took was never heard of.
    return { ...reply, claimed: await this.#running(call) };
  }

  async #claim(limit: number, call: ClaimCall): Promise<ClaimReply> {
    const claimed: Claimed[] = [];
    const cancelled = new Set<string>();
    for (;;) {
      const [status, rows, stranger, stopped, hasMore] = listOf(
        await this.#runAs(
          call.incarnation,
          SCRIPTS.claim,
          String(limit - claimed.length),
          String(call.number),
        ),
      );
      const answered = { claimed, call: call.number };
      if (status !== 1) return { ...answered, isHolder: false, cancelled: [] };
      for (const [taskId, json, attempt, tsAssigned] of rowsOf(rows)) {
        const raw = textOf(json);
        const task = claimedTask(raw, textOf(taskId), numberOf(attempt));
        claimed.push({ task, raw, incarnation: claimName(call), tsAssigned: numberOf(tsAssigned) });
      }
      for (const taskId of textsOf(stopped)) cancelled.add(taskId);
      if (hasMore === 1) continue;
      const reply = { ...answered, isHolder: true, cancelled: [...cancelled] };
      if (typeof stranger !== "string" || claimed.length >= limit) return reply;
      const direct = await this.#claimDirect(stranger, call);
      if (direct.kind === "wait") return reply;
      if (direct.kind === "claimed") claimed.push(direct.claimed);
      if (claimed.length >= limit) return reply;
    }
  }

  /** Report the end of an attempt; see {@linkcode WorkerQueue}. */
  async finish(finish: Finish): Promise<FinishReply> {
    const { taskId, incarnation, attempt, outcome, status, reason } = finish;
    const [state, tsFinish] = listOf(
      await this.#connection.run(SCRIPTS.finish, this.#keys.prefix, [
        this.#node,
        incarnation,
        taskId,
        String(attempt),
        outcome,
        status === null ? "" : String(status),
        reason ?? "",
        ...this.#heardEnds.splice(0, HEARD_PER_CALL),
      ]),
    );
    this.#heardEnds.push(attemptName(finish));
    return { state: textOf(state) as FinishReply["state"], tsFinish: numberOf(tsFinish) };
  }

  /** Give the node nothing new; see {@linkcode WorkerQueue}. */
  async drain(): Promise<void> {
    for (let hasMore = true; hasMore;) {
      const args = [this.#node, "1", "worker"];
      const reply = await this.#connection.run(SCRIPTS.drain, this.#keys.prefix, args);
      hasMore = listOf(reply)[2] === 1;
    }
  }

  /** Give the node up; see {@linkcode WorkerQueue}. */
  async leave(): Promise<void> {
    while (await this.#run(SCRIPTS.leave) === "more");
  }

  /** Call `listener` when there may be work; see {@linkcode WorkerQueue}. */
  async onWake(listener: () => void): Promise<void> {
    this.#subscription = await this.#connection.duplicate();
    await this.#subscription.subscribe(this.#keys.nodeChannel(this.#node), listener);
  }

  /** Call `listener` each time a lost Redis is back. */
  onRestored(listener: () => void): void {
    this.#connection.onRestored(listener);
  }

  /** End the subscription. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#subscription?.[Symbol.asyncDispose]();
  }

  /** What this life of the worker runs, as far as Redis knows. */
  async #running(call: ClaimCall): Promise<readonly Claimed[]> {
    const found: Claimed[] = [];
    const ids = await this.#connection.command("HKEYS", this.#keys.running(this.#node));
    for (const taskId of textsOf(ids)) {
      const [raw, incarnation, attempt, tsAssigned] = listOf(
        await this.#connection.command(
          "HMGET",
          this.#keys.task(taskId),
          ...["raw", "incarnation", "attempt", "ts_assigned"],
        ),
      );
      if (typeof raw !== "string" || typeof incarnation !== "string") continue;
      if (!incarnation.startsWith(`${call.incarnation}#`)) continue;
      const task = claimedTask(raw, taskId, numberOf(attempt));
      found.push({ task, raw, incarnation, tsAssigned: numberOf(tsAssigned) });
    }
    return found;
  }

  #run(script: Script, ...args: readonly string[]): Promise<Reply> {
    return this.#runAs(this.#incarnation, script, ...args);
  }

  #runAs(incarnation: string, script: Script, ...args: readonly string[]): Promise<Reply> {
    return this.#connection.run(script, this.#keys.prefix, [this.#node, incarnation, ...args]);
  }

  /** Deal with the first task in the node's queue that no scheduler put there. */
  async #claimDirect(
    raw: string,
    call: ClaimCall,
  ): Promise<DirectClaim> {
    const first = { index: 0, raw };
    const listed = readListedTask(raw, `hand-${crypto.randomUUID().slice(0, 8)}`);
    if (listed.kind === "poison") {
      await this.#intake.bury(first, listed.taskId, listed.reason);
      return { kind: "again" };
    }
    const { task, isStamped } = listed;
    if (isStamped) {
      const [status, attempt, tsAssigned] = listOf(
        await this.#runAs(
          call.incarnation,
          SCRIPTS.claimDirect,
          raw,
          task.task_id,
          String(task.cpu_units),
          String(call.number),
        ),
      );
      if (status === "claimed") {
        const claimed = {
          task: { ...task, attempt: numberOf(attempt) },
          raw,
          incarnation: claimName(call),
          tsAssigned: numberOf(tsAssigned),
        };
        return { kind: "claimed", claimed };
      }
      if (status === "full" || status === "lost") return { kind: "wait" };
      if (status === "moved") return { kind: "again" };
    }
    await this.#intake.adopt(first, task, isStamped ? task.seq : null);
    return { kind: "again" };
  }
}

/** An attempt as scripts name it. */
function attemptName({ taskId, attempt }: NamedAttempt): string {
  return `${taskId} ${attempt}`;
}

function attemptOf(name: string): NamedAttempt {
  const space = name.lastIndexOf(" ");
  return { taskId: name.slice(0, space), attempt: Number(name.slice(space + 1)) };
}

/** An assigned task was checked when it was placed; what is broken now is a defect, and says so. */
function claimedTask(raw: string, taskId: string, attempt: number): Task {
  try {
    return { ...completeTask(JSON.parse(raw), `task ${taskId}`, taskId), attempt };
  } catch (error) {
    throw new DecodeError(`Cannot read the assigned task "${taskId}": ${messageOf(error)}`, {
      cause: error,
    });
  }
}
