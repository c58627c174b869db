/** Make tasks and hand them to the queue. */

import { pulseOffsets } from "../scheduler/arrivals.ts";
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
import { type NodeTask, placeOnNodes } from "../scheduler/node_policy.ts";
import { QueueError } from "../scheduler/redis_connection.ts";
import type { TaskSink } from "../scheduler/task_sink.ts";
import { removeIfThere } from "../trace/atomic_file.ts";
import type { Task } from "../trace/task.ts";
import { type Parsed, UsageError } from "./_command.ts";
import { describeMode, type DispatchMode, modeOf, type NodesMode } from "./_dispatch_mode.ts";
import { readArrivals, readDurations, readWork, type Work } from "./_dispatch_work.ts";
import { CommandError, type Io, runMain } from "./_main.ts";
import { roleRecord } from "./_process.ts";
import { openProgress } from "./_progress.ts";
import { reachQueue } from "./_queue.ts";
import { writeRoleMeta } from "./_role_meta.ts";
import { sleep } from "./_sleep.ts";
import { DISPATCH, type DispatchFlags, dispatchPlace } from "./flags/dispatch.ts";

/** `deno task dispatch`. */
export async function main(
  { options, given }: Parsed<typeof DISPATCH.flags>,
  io: Io,
): Promise<number> {
  const mode = modeOf(options, given);
  const work = await readWork(options);
  if (options["dry-run"]) {
    for (const task of work.tasks) {
      const { task_id, kind, profile, input, output, ...rest } = task;
      io.print(JSON.stringify({ task_id, kind, profile, input, output, ...rest }));
    }
    return 0;
  }
  if (mode === null) throw new UsageError("--pending or --nodes NODE,… is required");
  const place = dispatchPlace(options);
  if (place === null) return await dispatch(work, { mode, io, options });
  const { seed, dispatchId } = work;
  // With what makes the same dispatch again, also where nobody gave it.
  const inForce = { ...options, seed, "dispatch-id": dispatchId };
  await writeRoleMeta("dispatcher", { place, options: inForce });
  try {
    return await dispatch(work, { mode, io, options });
  } finally {
    await removeIfThere(roleRecord(place, DISPATCH.name));
  }
}

interface DispatchCall {
  readonly mode: DispatchMode;
  readonly io: Io;
  readonly options: DispatchFlags;
}

async function dispatch(work: Work, { mode, io, options }: DispatchCall): Promise<number> {
  const count = work.tasks.length;
  const again = `--dispatch-id ${work.dispatchId} --seed ${work.seed}`;
  await using queue = await reachQueue(options, io);
  const clock = await controllerClock(queue);
  io.say(`Dispatching ${count} tasks ${describeMode(mode)} (${again})`);
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
      done = await handOver(work, mode, { sink: queue, clock, signal: io.signal, report });
    } catch (error) {
      if (!(error instanceof QueueError && io.signal.aborted)) throw error;
    }
  }
  const there = done.known === 0 ? "" : `, ${done.known} were there already`;
  const said = `${done.enqueued} of ${count} tasks enqueued${there}`;
  if (done.enqueued + done.known < count) {
    throw new CommandError(`stopped: ${said}; the same command with ${again} goes on from there`);
  }
  io.say(said);
  return 0;
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

/** Hand over the tasks in the way that `mode` says. */
async function handOver(
  { tasks, seed }: Work,
  mode: DispatchMode,
  options: DispatchOptions,
): Promise<DispatchProgress> {
  switch (mode.kind) {
    case "pulse": {
      const offsets = pulseOffsets(tasks.length, mode.pulse);
      return await dispatchTimed(onPending(tasks, offsets), options);
    }
    case "arrivals": {
      const offsets = await readArrivals(mode.arrivals, { count: tasks.length, seed });
      if (mode.to === null) return await dispatchTimed(onPending(tasks, offsets), options);
      const placed = await place(tasks, mode.to);
      const timed = placed.map((one, index) => ({ ...one, offsetMs: offsets[index] ?? 0 }));
      return await dispatchTimed(timed, options);
    }
    case "fifo":
      return await dispatchFifo(tasks, { ...options, ...mode.limits });
    case "direct": {
      const limits = { queueMax: Infinity, batchSize: Infinity, intervalMs: 0 };
      return await dispatchDrip(await place(tasks, mode), { ...options, ...limits });
    }
    case "drip":
      return await dispatchDrip(await place(tasks, mode), { ...options, ...mode.limits });
    case "online": {
      const durationS = await readDurations(tasks);
      return await dispatchOnline(tasks, {
        ...options,
        ...mode.limits,
        nodes: mode.nodes,
        durationS,
      });
    }
  }
}

function onPending(tasks: readonly Task[], offsetsMs: readonly number[]): TimedTask[] {
  return tasks.map((task, index) => ({ task, offsetMs: offsetsMs[index] ?? 0, node: null }));
}

async function place(tasks: readonly Task[], { nodes, policy }: NodesMode): Promise<NodeTask[]> {
  const durationS = policy === "rr3" ? () => 0 : await readDurations(tasks);
  return placeOnNodes(tasks, { nodes, policy, durationS });
}

/**
 * The controller's time, on a clock that nobody steps: this machine's, moved by what Redis' clock was
 * ahead at the quickest of a few looks.
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

/** The first look pays for what is set up at first use; of some more one is undisturbed. */
const CLOCK_LOOKS = 5;

function localMs(): number {
  return performance.timeOrigin + performance.now();
}

if (import.meta.main) await runMain(DISPATCH, main);
