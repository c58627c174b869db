/**
 * The loop that hands planned tasks to the queue: at times fixed beforehand, or as fast as the queues
 * have room. A dispatch that is resumed under its id skips what is there already.
 *
 * @module
 */

import type { Task } from "../trace/task.ts";
import { NodeLoad, type NodeTask } from "./dispatch/node_policy.ts";
import type { Enqueued, TaskSink } from "./queue/task_sink.ts";

/**
 * Most tasks handed to the queue at once: between two of these the dispatch can be stopped, and the queue
 * cuts them into calls that are short enough anyway.
 */
const BATCH_MAX = 100;

/** Time as the dispatcher sees it. */
export interface DispatchClock {
  /** Epoch ms of the controller's clock, never stepped. */
  nowMs(): number;
  /** Resolves at `untilMs`, or at once when `signal` is aborted. Never rejects. */
  sleepUntil(untilMs: number, signal: AbortSignal): Promise<void>;
}

/** What a dispatch needs besides its tasks. */
export interface DispatchOptions {
  /** The queue. */
  readonly sink: TaskSink;
  /** Time. */
  readonly clock: DispatchClock;
  /** Ends the dispatch between two enqueues. */
  readonly signal: AbortSignal;
  /** Called after each enqueue. */
  readonly report: (progress: DispatchProgress) => void;
  /** Called when the queue has lost its data, with the number of tasks that are enqueued again. */
  readonly onDataLost?: (count: number) => void;
}

/** How far a dispatch is. */
export interface DispatchProgress {
  /** Tasks that this dispatch put into the queue. */
  readonly enqueued: number;
  /** Tasks that were there already: an earlier dispatch of the same id enqueued them. */
  readonly known: number;
}

/** Limits of a closed loop. */
export interface FeedLimits {
  /** A queue that has as many tasks gets no more. */
  readonly queueMax: number;
  /** Most tasks for one queue at a time. */
  readonly batchSize: number;
  /** Between two polls of the queues, ms. */
  readonly intervalMs: number;
}

/** One queue that tasks are put into. */
interface Lane {
  length(): Promise<number>;
  enqueue(tasks: readonly Task[]): Promise<readonly Enqueued[]>;
}

function pendingLane(sink: TaskSink): Lane {
  return { length: () => sink.pendingLength(), enqueue: (tasks) => sink.enqueue(tasks) };
}

function nodeLane(sink: TaskSink, node: string): Lane {
  return {
    length: () => sink.nodeQueueLength(node),
    enqueue: (tasks) => sink.enqueueOn(node, tasks),
  };
}

/** Tasks that went into a lane at `atMs`. */
interface Sent {
  readonly lane: Lane;
  readonly tasks: readonly Task[];
  readonly atMs: number;
}

/**
 * For how long a queue that dies may forget what it took in, ms: twice what an append-only file that is
 * synced every second can be behind. What is sent again and was not forgotten changes nothing.
 */
const REPLAY_MS = 5000;

/** Puts tasks into lanes, counts what became of them, and repeats what a dying queue may have lost. */
class Feeder {
  readonly #options: DispatchOptions;
  #enqueued = 0;
  #known = 0;
  #recent: Sent[] = [];
  /** All that this dispatch put into lanes, for a queue that loses its data. */
  readonly #sent: Sent[] = [];
  #lifeId = "";
  #isReplayDue = false;

  constructor(options: DispatchOptions) {
    this.#options = options;
    options.sink.onRestored(() => this.#isReplayDue = true);
  }

  /** Put `tasks` into `lane`; true when every one of them was there already. */
  async send(lane: Lane, tasks: readonly Task[]): Promise<boolean> {
    await this.#replay();
    const results = await lane.enqueue(tasks);
    const atMs = this.#options.clock.nowMs();
    this.#sent.push({ lane, tasks, atMs });
    this.#recent = [
      ...this.#recent.filter((sent) => sent.atMs > atMs - REPLAY_MS),
      { lane, tasks, atMs },
    ];
    const added = results.filter(({ isNew }) => isNew).length;
    this.#enqueued += added;
    this.#known += results.length - added;
    this.#options.report({ enqueued: this.#enqueued, known: this.#known });
    return added === 0;
  }

  /** Wait until the queue cannot lose what it took in any more, or the dispatch is to stop. */
  async settle(): Promise<DispatchProgress> {
    const { sink, clock, signal } = this.#options;
    while (!signal.aborted) {
      // Asking also waits for a queue that is away just now.
      const settleMs = await sink.settleMs();
      await this.#replay();
      const settledMs = (this.#recent.at(-1)?.atMs ?? -Infinity) + settleMs;
      if (clock.nowMs() >= settledMs) break;
      await clock.sleepUntil(settledMs, signal);
    }
    return { enqueued: this.#enqueued, known: this.#known };
  }

  /** True when the queue lost its data since the last call. */
  async #isDataLost(): Promise<boolean> {
    const known = this.#lifeId;
    this.#lifeId = await this.#options.sink.lifeId();
    return known !== "" && known !== this.#lifeId;
  }

  async #replay(): Promise<void> {
    if (await this.#isDataLost() && this.#sent.length > 0) {
      this.#options.onDataLost?.(this.#sent.reduce((sum, { tasks }) => sum + tasks.length, 0));
      this.#recent = [...this.#sent];
      this.#isReplayDue = true;
    }
    while (this.#isReplayDue) {
      this.#isReplayDue = false;
      const again = this.#recent;
      this.#recent = [];
      for (const { lane, tasks } of again) {
        await lane.enqueue(tasks);
        this.#recent.push({ lane, tasks, atMs: this.#options.clock.nowMs() });
      }
    }
  }
}

/** A task with the time at which it is to be enqueued and its node; node null: the pending queue. */
export interface TimedTask {
  /** The task. */
  readonly task: Task;
  /** From the start of the dispatch, ms; never less than that of the task before. */
  readonly offsetMs: number;
  /** The node, past the scheduler; null: the pending queue. */
  readonly node: string | null;
}

/**
 * Enqueue each task at its time, whatever the queue looks like; what is overdue goes at once. The
 * intended time is written into the task. After tasks that were there already the schedule continues
 * with the next one at once.
 */
export async function dispatchTimed(
  tasks: readonly TimedTask[],
  options: DispatchOptions,
): Promise<DispatchProgress> {
  const { sink, clock, signal } = options;
  const feeder = new Feeder(options);
  const lanes = new Map<string | null, Lane>([[null, pendingLane(sink)]]);
  const laneOf = (node: string | null): Lane => {
    const lane = lanes.get(node) ?? nodeLane(sink, node as string);
    lanes.set(node, lane);
    return lane;
  };
  let startMs = clock.nowMs();
  let next = 0;
  while (!signal.aborted) {
    const first = tasks[next];
    if (first === undefined) break;
    const dueMs = startMs + first.offsetMs;
    if (clock.nowMs() < dueMs) {
      await clock.sleepUntil(dueMs, signal);
      continue;
    }
    const batch = dueBatch(tasks, { next, elapsedMs: clock.nowMs() - startMs });
    const stamped = batch.map(({ task, offsetMs }) => ({
      ...task,
      ts_intended: startMs + offsetMs,
    }));
    const isKnown = await feeder.send(laneOf(first.node), stamped);
    next += batch.length;
    const following = tasks[next];
    if (isKnown && following !== undefined) startMs = clock.nowMs() - following.offsetMs;
  }
  return await feeder.settle();
}

/** The tasks from `next` on that are due and go to the same queue, at most one batch. */
function dueBatch(
  tasks: readonly TimedTask[],
  { next, elapsedMs }: { readonly next: number; readonly elapsedMs: number },
): readonly TimedTask[] {
  const node = tasks[next]?.node;
  let end = next + 1;
  while (end < next + BATCH_MAX) {
    const task = tasks[end];
    if (task === undefined || task.node !== node || task.offsetMs > elapsedMs) break;
    end++;
  }
  return tasks.slice(next, end);
}

/** Enqueue `tasks` into the pending queue as fast as it has room. */
export function dispatchFifo(
  tasks: readonly Task[],
  options: DispatchOptions & FeedLimits,
): Promise<DispatchProgress> {
  return feed([{ lane: pendingLane(options.sink), tasks }], options);
}

/** Enqueue tasks into the queues of their nodes as fast as each has room. */
export function dispatchDrip(
  tasks: readonly NodeTask[],
  options: DispatchOptions & FeedLimits,
): Promise<DispatchProgress> {
  const byNode = Map.groupBy(tasks, ({ node }) => node);
  const lanes = [...byNode].map(([node, placed]) => ({
    lane: nodeLane(options.sink, node),
    tasks: placed.map(({ task }) => task),
  }));
  return feed(lanes, options);
}

async function feed(
  lanes: readonly { readonly lane: Lane; readonly tasks: readonly Task[] }[],
  { queueMax, batchSize, intervalMs, ...options }: DispatchOptions & FeedLimits,
): Promise<DispatchProgress> {
  const { clock, signal } = options;
  const feeder = new Feeder(options);
  const waiting = lanes.map(({ lane, tasks }) => ({ lane, tasks, next: 0 }));
  const isLeft = () => waiting.some(({ tasks, next }) => next < tasks.length);
  while (isLeft() && !signal.aborted) {
    const roundMs = clock.nowMs();
    let isAllKnown = true;
    for (const one of waiting) {
      if (signal.aborted || one.next >= one.tasks.length) continue;
      const room = Math.max(0, queueMax - await one.lane.length());
      const batch = one.tasks.slice(one.next, one.next + Math.min(room, batchSize, BATCH_MAX));
      const isKnown = batch.length > 0 && await feeder.send(one.lane, batch);
      one.next += batch.length;
      isAllKnown &&= isKnown;
    }
    if (isLeft() && !isAllKnown) await clock.sleepUntil(roundMs + intervalMs, signal);
  }
  return await feeder.settle();
}

/** What {@linkcode dispatchOnline} goes by, besides the limits. */
export interface OnlineOptions extends DispatchOptions, FeedLimits {
  /** Nodes, in the order given. */
  readonly nodes: readonly string[];
  /** Duration of a task's input, s. */
  readonly durationS: (task: Task) => number;
}

/**
 * Enqueue tasks one by one, each on the node with the least input duration so far among those whose
 * queue has room at that moment.
 */
export async function dispatchOnline(
  tasks: readonly Task[],
  { nodes, durationS, queueMax, batchSize, intervalMs, ...options }: OnlineOptions,
): Promise<DispatchProgress> {
  const { sink, clock, signal } = options;
  const feeder = new Feeder(options);
  const load = new NodeLoad(nodes);
  let next = 0;
  while (next < tasks.length && !signal.aborted) {
    const roundMs = clock.nowMs();
    for (let left = batchSize; left > 0 && next < tasks.length && !signal.aborted; left--) {
      const task = tasks[next] as Task;
      const lengths = await Promise.all(nodes.map((node) => sink.nodeQueueLength(node)));
      const open = nodes.filter((_, index) => (lengths[index] ?? 0) < queueMax);
      if (open.length === 0) break;
      const node = load.leastOf(open);
      const isKnown = await feeder.send(nodeLane(sink, node), [task]);
      load.add(node, durationS(task));
      next++;
      if (isKnown) left++;
    }
    if (next < tasks.length) await clock.sleepUntil(roundMs + intervalMs, signal);
  }
  return await feeder.settle();
}
