/** Make tasks and hand them to the queue. */

import { LIBRARY_CLIENT } from "../scheduler/queue/library_client.ts";
import { pulseOffsets } from "../scheduler/dispatch/arrivals.ts";
import {
  type DispatchClock,
  dispatchDrip,
  dispatchFifo,
  dispatchOnline,
  type DispatchOptions,
  type DispatchProgress,
  dispatchTimed,
  type TimedTask,
} from "../scheduler/dispatcher.ts";
import { type NodeTask, placeOnNodes } from "../scheduler/dispatch/node_policy.ts";
import { QueueError } from "../scheduler/queue/connection.ts";
import type { TaskSink } from "../scheduler/queue/task_sink.ts";
import { counted } from "../trace/counted.ts";
import { removeIfThere } from "../trace/atomic_file.ts";
import { JsonLinesWriter } from "../trace/json_lines.ts";
import type { Task } from "../trace/task.ts";
import type { Parsed } from "./command/parse.ts";
import { UsageError } from "./command/usage_error.ts";
import {
  describeMode,
  type DispatchMode,
  modeOf,
  type NodesMode,
  withoutScheduler,
} from "./dispatch/mode.ts";
import { readArrivals, readDurations, readWork, type Work } from "./dispatch/work.ts";
import { CommandError, type Io, runMain } from "./command/main.ts";
import { roleRecord } from "./command/process.ts";
import { openProgress } from "./command/progress.ts";
import { waitForDispatch } from "./operator/waiting.ts";
import { checkDurability } from "./redis/durability.ts";
import { reachQueue } from "./redis/reach.ts";
import { roleMeta } from "./role/meta.ts";
import { sleep } from "./command/sleep.ts";
import { DISPATCH, type DispatchFlags, dispatchPlace } from "./flags/dispatch.ts";

/** `deno task dispatch`. */
export async function main(
  { options, given }: Parsed<typeof DISPATCH.flags>,
  io: Io,
): Promise<number> {
  const mode = modeOf(options, given);
  const work = await readWork(options, io.say);
  if (options["dry-run"]) {
    for (const task of work.tasks) {
      const { task_id, kind, profile, input, output, ...rest } = task;
      io.print(JSON.stringify({ task_id, kind, profile, input, output, ...rest }));
    }
    return 0;
  }
  if (mode === null) throw new UsageError("--pending or --nodes NODE,… is required");
  const unused = SINGLE_FLAGS.filter((name) => given.has(name));
  if (unused.length > 0 && (options.mix !== null || options.tasks !== null)) {
    io.say(
      `Without effect here: --${unused.join(", --")} (profiles and files of tasks have their own)`,
    );
  }
  const call = { mode, io, options, handOver: await prepareHandOver(work, mode) };
  const place = dispatchPlace(options);
  if (place === null) return await dispatch(work, call);
  const { seed, dispatchId } = work;
  try {
    // With what makes the same dispatch again, also where nobody gave it.
    const inForce = { ...options, seed, "dispatch-id": dispatchId };
    await Deno.mkdir(place.runDir.path, { recursive: true });
    using dispatches = JsonLinesWriter.open(place.runDir.dispatches);
    dispatches.append([await roleMeta("dispatcher", { place, options: inForce })]);
    return await dispatch(work, call);
  } finally {
    await removeIfThere(roleRecord(place, DISPATCH.name));
  }
}

/** Flags of the task that is made where there is no mix. */
const SINGLE_FLAGS = ["scale", "preset", "crf"];

/** Hands over the tasks; everything that can be wrong with them is known by then. */
type HandOver = (options: DispatchOptions) => Promise<DispatchProgress>;

interface DispatchCall {
  readonly mode: DispatchMode;
  readonly handOver: HandOver;
  readonly io: Io;
  readonly options: DispatchFlags;
}

async function dispatch(
  { tasks, dispatchId, seed }: Work,
  { mode, handOver, io, options }: DispatchCall,
): Promise<number> {
  const count = tasks.length;
  const again = `--dispatch-id ${dispatchId} --seed ${seed}`;
  await using queue = await reachQueue(options, { io, client: LIBRARY_CLIENT });
  await checkDurability(queue, { isRequired: options["require-durable"], say: io.say });
  const clock = await controllerClock(queue);
  io.say(`Dispatching ${count} tasks ${describeMode(mode)} (${again})`);
  if (!await queue.hasScheduler()) io.say(withoutScheduler(mode));
  let done: DispatchProgress = { enqueued: 0, known: 0 };
  {
    using progress = openProgress(io, "Dispatching");
    using _ = closeWhenStopped(queue, io.signal);
    const report = (now: DispatchProgress) => {
      done = now;
      const sum = now.enqueued + now.known;
      progress.update(sum / count, `${sum} of ${count}`);
    };
    try {
      const onDataLost = (lost: number) =>
        io.say(`Redis has lost data: ${counted(lost, "task")} of this dispatch enqueued again`);
      done = await handOver({ sink: queue, clock, signal: io.signal, report, onDataLost });
    } catch (error) {
      if (!(error instanceof QueueError && io.signal.aborted)) throw error;
    }
  }
  const there = done.known === 0 ? "" : `, ${done.known} were there already`;
  const said = `${done.enqueued} of ${count} tasks enqueued${there}`;
  if (done.enqueued + done.known < count) {
    throw new CommandError(`stopped: ${said}; the same command with ${again} continues from there`);
  }
  io.say(said);
  if (!options.wait) return 0;
  return await waitForDispatch(queue, { dispatchId, tasks, io, timeoutS: null });
}

/** How long a dispatcher that is to stop waits for a Redis that does not answer, ms. */
const STOP_LIMIT_MS = 2000;

/** Give up waiting for Redis a moment after `signal` is aborted; dispose of it to keep waiting. */
function closeWhenStopped(queue: AsyncDisposable, signal: AbortSignal): Disposable {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const onAbort = () => {
    timer = setTimeout(() => queue[Symbol.asyncDispose](), STOP_LIMIT_MS);
  };
  signal.addEventListener("abort", onAbort);
  return {
    [Symbol.dispose](): void {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
    },
  };
}

/** What hands over the tasks in the way that `mode` says; reads the times and durations that it needs. */
async function prepareHandOver(work: Work, mode: DispatchMode): Promise<HandOver> {
  const { tasks, seed, report } = work;
  switch (mode.kind) {
    case "pulse": {
      const timed = onPending(tasks, pulseOffsets(tasks.length, mode.pulse));
      return (options) => dispatchTimed(timed, options);
    }
    case "arrivals": {
      const offsets = await readArrivals(mode.arrivals, { count: tasks.length, seed });
      const placed = mode.to === null ? null : await place(work, mode.to);
      const timed = placed?.map((one, index) => ({ ...one, offsetMs: offsets[index] ?? 0 })) ??
        onPending(tasks, offsets);
      return (options) => dispatchTimed(timed, options);
    }
    case "fifo":
      return (options) => dispatchFifo(tasks, { ...options, ...mode.limits });
    case "direct": {
      const placed = await place(work, mode);
      const limits = { queueMax: Infinity, batchSize: Infinity, intervalMs: 0 };
      return (options) => dispatchDrip(placed, { ...options, ...limits });
    }
    case "drip": {
      const placed = await place(work, mode);
      return (options) => dispatchDrip(placed, { ...options, ...mode.limits });
    }
    case "online": {
      const durationS = await readDurations(tasks, report);
      const { limits, nodes } = mode;
      return (options) => dispatchOnline(tasks, { ...options, ...limits, nodes, durationS });
    }
  }
}

function onPending(tasks: readonly Task[], offsetsMs: readonly number[]): TimedTask[] {
  return tasks.map((task, index) => ({ task, offsetMs: offsetsMs[index] ?? 0, node: null }));
}

async function place(
  { tasks, report }: Work,
  { nodes, policy }: NodesMode,
): Promise<NodeTask[]> {
  const durationS = policy === "rr3" ? () => 0 : await readDurations(tasks, report);
  return placeOnNodes(tasks, { nodes, policy, durationS });
}

/**
 * The controller's time, on a clock that nobody steps: this machine's, moved by what Redis' clock was
 * ahead at the quickest of a few readings.
 */
async function controllerClock(queue: TaskSink): Promise<DispatchClock> {
  let best = { roundTripMs: Infinity, offsetMs: 0 };
  for (let look = 0; look < CLOCK_LOOKS; look++) {
    const before = localMs();
    const there = await queue.time();
    const roundTripMs = localMs() - before;
    if (roundTripMs < best.roundTripMs) {
      best = { roundTripMs, offsetMs: there - (before + roundTripMs / 2) };
    }
  }
  const nowMs = () => localMs() + best.offsetMs;
  return { nowMs, sleepUntil: (untilMs, signal) => sleep(untilMs - nowMs(), signal) };
}

/** The first reading pays for what is set up at first use; of some more one is undisturbed. */
const CLOCK_LOOKS = 5;

function localMs(): number {
  return performance.timeOrigin + performance.now();
}

if (import.meta.main) await runMain(DISPATCH, main);
