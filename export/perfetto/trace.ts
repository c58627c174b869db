/**
 * A run as a Perfetto trace: a process per node, a track per lane of tasks, counters, and a flow for
 * each task from the queue over its placement to its start.
 *
 * @module
 */

import { packRows } from "../report/lanes.ts";
import { loadOf } from "../report/load.ts";
import type { ReadRun } from "../report/run_columns.ts";
import { PacketWriter } from "./packets.ts";

/** Tracks of the queue; those of nodes follow. */
const QUEUE = { process: 1, submitted: 2, placed: 3, waiting: 4 } as const;

/** Points of the counter of waiting tasks. */
const QUEUE_POINTS = 5000;

/** The trace in pieces. */
export function* perfettoTrace(run: ReadRun): Generator<Uint8Array> {
  const writer = new PacketWriter();
  yield* queueTrace(run, writer);
  yield* nodeTraces(run, writer);
  const last = writer.piece({ isLast: true });
  if (last !== null) yield last;
}

function* queueTrace(run: ReadRun, writer: PacketWriter): Generator<Uint8Array> {
  const { tasks, head } = run;
  const below = { pid: null, parent: QUEUE.process, unit: null };
  writer.track({ uuid: QUEUE.process, name: "queue", pid: 1, parent: null, unit: null });
  writer.track({ ...below, uuid: QUEUE.submitted, name: "submitted" });
  writer.track({ ...below, uuid: QUEUE.placed, name: "placed" });
  writer.track({ ...below, uuid: QUEUE.waiting, name: "waiting tasks", unit: "tasks" });
  const { enqueue, begin } = tasks;
  const attempts = tasks.numbers("attempts");
  const isCounted = (task: number) => !Number.isNaN(attempts[task] as number);
  for (const task of byTime(enqueue)) {
    if (!isCounted(task)) continue;
    writer.event({
      type: "instant",
      atMs: enqueue[task] as number,
      track: QUEUE.submitted,
      name: tasks.ids[task] as string,
      flow: flowOf(task),
    });
    yield* full(writer);
  }
  for (const task of byTime(tasks.assigned)) {
    if (!isCounted(task)) continue;
    writer.event({
      type: "instant",
      atMs: tasks.assigned[task] as number,
      track: QUEUE.placed,
      name: tasks.ids[task] as string,
      flow: flowOf(task),
      args: {
        node: tasks.nameOf("node", task),
        why: tasks.nameOf("placed_reason", task),
        waited_for: tasks.nameOf("wait_reason", task),
      },
    });
    yield* full(writer);
  }
  if (head.spanMs <= 0) return;
  const bins = { from: 0, to: head.spanMs, count: QUEUE_POINTS };
  yield* counter(writer, {
    track: QUEUE.waiting,
    values: loadOf({ begin: enqueue, end: begin, isCounted }, bins),
    stepMs: head.spanMs / QUEUE_POINTS,
  });
}

/** Flows are global: a task has its row's number, from 1. */
function flowOf(task: number): number {
  return task + 1;
}

function byTime(values: Float64Array): Uint32Array {
  const known = Array.from(values, (_, at) => at).filter((at) =>
    !Number.isNaN(values[at] as number)
  );
  return Uint32Array.from(known.sort((a, b) => (values[a] as number) - (values[b] as number)));
}

function* full(writer: PacketWriter): Generator<Uint8Array> {
  const piece = writer.piece();
  if (piece !== null) yield piece;
}

function* counter(
  writer: PacketWriter,
  { track, values, stepMs }: {
    readonly track: number;
    readonly values: Float64Array;
    readonly stepMs: number;
  },
): Generator<Uint8Array> {
  let before = NaN;
  for (let bin = 0; bin < values.length; bin++) {
    const value = values[bin] as number;
    // A counter keeps its value until the next one.
    if (value === before || Number.isNaN(value)) continue;
    writer.event({ type: "counter", atMs: bin * stepMs, track, value });
    before = value;
    yield* full(writer);
  }
}

function* nodeTraces(run: ReadRun, writer: PacketWriter): Generator<Uint8Array> {
  const { tasks, head, usedCores, memoryKb } = run;
  const { codes, names } = tasks.codes("node");
  const packed = packRows({ begin: tasks.begin, end: tasks.end }, {
    group: codes,
    groups: names.length,
  });
  let uuid = 10;
  for (const [group, name] of names.entries()) {
    const process = uuid++;
    const pid = group + 2;
    writer.track({ uuid: process, name: name || "no node", pid, parent: null, unit: null });
    const place = head.nodes.findIndex(({ id }) => id === name);
    if (place >= 0 && head.bins > 0) {
      const counters = [
        { name: "cores in use", unit: "cores", values: usedCores },
        { name: "memory in use", unit: "KiB", values: memoryKb },
      ];
      for (const { name: title, unit, values } of counters) {
        const track = uuid++;
        writer.track({ uuid: track, name: title, pid: null, parent: process, unit });
        const own = values.subarray(place * head.bins, (place + 1) * head.bins);
        yield* counter(writer, { track, values: own, stepMs: head.binMs });
      }
    }
    const [first, behind] = [packed.groupFirst[group], packed.groupFirst[group + 1]];
    for (let row = first as number; row < (behind as number); row++) {
      const track = uuid++;
      const lane = `lane ${row - (first as number) + 1}`;
      writer.track({ uuid: track, name: lane, pid: null, parent: process, unit: null });
      for (let at = packed.first[row] as number; at < (packed.first[row + 1] as number); at++) {
        writeTask(writer, { run, task: packed.item[at] as number, track });
        yield* full(writer);
      }
    }
  }
}

/** A slice from the assignment to the end, with one inside from the assignment to the start. */
function writeTask(
  writer: PacketWriter,
  { run: { tasks }, task, track }: {
    readonly run: ReadRun;
    readonly task: number;
    readonly track: number;
  },
): void {
  const begin = tasks.begin[task] as number;
  const end = Math.max(begin, tasks.end[task] as number);
  const start = tasks.start[task] as number;
  const id = tasks.ids[task] as string;
  writer.event({
    type: "begin",
    atMs: begin,
    track,
    name: tasks.nameOf("profile", task) ?? tasks.nameOf("command", task) ?? id,
    lastFlow: flowOf(task),
    args: {
      task: id,
      attempt: tasks.numberOf("attempt", task),
      state: tasks.nameOf("state", task),
      reason: tasks.nameOf("reason", task),
      exit_code: tasks.numberOf("status", task),
      signal: tasks.nameOf("signal", task),
      reserved_vcpus: tasks.numberOf("cpu_units", task),
      cpu_ms: tasks.numberOf("cpu_ms", task),
      cpu_source: tasks.nameOf("cpu_source", task),
      max_rss_kb: tasks.numberOf("max_rss_kb", task),
    },
  });
  if (start > begin && start <= end) {
    writer.event({ type: "begin", atMs: begin, track, name: "start" });
    writer.event({ type: "end", atMs: start, track });
  }
  writer.event({ type: "end", atMs: end, track });
}
