import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  type DispatchClock,
  dispatchDrip,
  dispatchFifo,
  dispatchOnline,
  type DispatchOptions,
  dispatchTimed,
  type TimedTask,
} from "../../scheduler/dispatcher.ts";
import type { Enqueued, TaskSink } from "../../scheduler/queue/task_sink.ts";
import { completeTask, type Task } from "../../trace/task.ts";

/** A clock that moves only when somebody sleeps. */
class StandingClock implements DispatchClock {
  #nowMs = 1_000_000;

  nowMs(): number {
    return this.#nowMs;
  }

  sleepUntil(untilMs: number, signal: AbortSignal): Promise<void> {
    if (!signal.aborted) this.#nowMs = Math.max(this.#nowMs, untilMs);
    return Promise.resolve();
  }
}

/** One enqueue as the queue saw it. */
interface Arrival {
  readonly atMs: number;
  readonly queue: string;
  readonly tasks: readonly Task[];
}

/** A queue in memory, from which `drain` takes. */
class MemoryQueue implements TaskSink {
  readonly arrivals: Arrival[] = [];
  readonly waiting = new Map<string, number>();
  restore: () => void = () => {};
  readonly #known: Set<string>;
  readonly #clock: DispatchClock;

  constructor(clock: DispatchClock, known: readonly string[] = []) {
    this.#clock = clock;
    this.#known = new Set(known);
  }

  enqueue(tasks: readonly Task[]): Promise<readonly Enqueued[]> {
    return this.#take("pending", tasks);
  }

  enqueueOn(node: string, tasks: readonly Task[]): Promise<readonly Enqueued[]> {
    return this.#take(node, tasks);
  }

  pendingLength(): Promise<number> {
    return this.nodeQueueLength("pending");
  }

  nodeQueueLength(node: string): Promise<number> {
    const length = this.waiting.get(node) ?? 0;
    // Whoever serves this queue takes one task each time somebody looks.
    this.waiting.set(node, Math.max(0, length - 1));
    return Promise.resolve(length);
  }

  onRestored(listener: () => void): void {
    this.restore = listener;
  }

  lifeId(): Promise<string> {
    return Promise.resolve("life");
  }

  settleMs(): Promise<number> {
    return Promise.resolve(0);
  }

  time(): Promise<number> {
    return Promise.resolve(this.#clock.nowMs());
  }

  /** Lose `taskIds`, as a server that died does, and come back. */
  forget(taskIds: readonly string[]): void {
    for (const id of taskIds) this.#known.delete(id);
    this.restore();
  }

  #take(queue: string, tasks: readonly Task[]): Promise<readonly Enqueued[]> {
    this.arrivals.push({ atMs: this.#clock.nowMs() - 1_000_000, queue, tasks });
    return Promise.resolve(tasks.map(({ task_id: taskId }, seq) => {
      const isNew = !this.#known.has(taskId);
      this.#known.add(taskId);
      if (isNew) this.waiting.set(queue, (this.waiting.get(queue) ?? 0) + 1);
      return { taskId, tsEnqueue: this.#clock.nowMs(), seq, isNew };
    }));
  }
}

function tasksOf(count: number): Task[] {
  return Array.from(
    { length: count },
    (_, index) => completeTask({ input: "i", output: "o" }, "test", `t${index}`),
  );
}

interface Setting extends DispatchOptions {
  readonly sink: MemoryQueue;
}

function setting(given: { known?: string[]; signal?: AbortSignal } = {}): Setting {
  const clock = new StandingClock();
  return {
    clock,
    sink: new MemoryQueue(clock, given.known),
    signal: given.signal ?? new AbortController().signal,
    report: () => {},
  };
}

function timed(offsetsMs: readonly number[]): TimedTask[] {
  return tasksOf(offsetsMs.length).map((task, index) => ({
    task,
    offsetMs: offsetsMs[index] ?? 0,
    node: null,
  }));
}

function idsOf({ arrivals }: MemoryQueue): string[] {
  return arrivals.flatMap(({ tasks }) => tasks.map(({ task_id }) => task_id));
}

Deno.test("dispatchTimed() enqueues each task at its time and writes that time down", async () => {
  const options = setting();
  const done = await dispatchTimed(timed([0, 1000, 100_000]), options);
  assertEquals(done, { enqueued: 3, known: 0 });
  assertEquals(options.sink.arrivals.map(({ atMs }) => atMs), [0, 1000, 100_000]);
  assertEquals(options.sink.arrivals.map(({ tasks }) => tasks[0]?.ts_intended), [
    1_000_000,
    1_001_000,
    1_100_000,
  ]);
});

Deno.test("dispatchTimed() hands over what is due together in bounded batches, in order", async () => {
  const options = setting();
  await dispatchTimed(timed(Array(250).fill(0)), options);
  assertEquals(options.sink.arrivals.map(({ tasks }) => tasks.length), [100, 100, 50]);
  assertEquals(idsOf(options.sink), tasksOf(250).map(({ task_id }) => task_id));
});

Deno.test("dispatchTimed() skips known tasks at once and continues with the schedule", async () => {
  const options = setting({ known: ["t0", "t1"] });
  const done = await dispatchTimed(timed([0, 1000, 100_000, 101_000]), options);
  assertEquals(done, { enqueued: 2, known: 2 });
  assertEquals(options.sink.arrivals.map(({ atMs }) => atMs), [0, 0, 0, 1000]);
});

Deno.test("dispatchTimed() stops between two tasks when asked", async () => {
  const stop = new AbortController();
  const options = setting({ signal: stop.signal });
  const done = await dispatchTimed(timed([0, 1000, 2000]), {
    ...options,
    report: ({ enqueued }) => enqueued === 2 && stop.abort(),
  });
  assertEquals(done, { enqueued: 2, known: 0 });
  assertEquals(idsOf(options.sink), ["t0", "t1"]);
});

Deno.test("dispatchTimed() repeats what a queue that died may have lost, and no more", async () => {
  const options = setting();
  const done = await dispatchTimed(timed([0, 6000, 7000, 8000]), {
    ...options,
    report: ({ enqueued }) => enqueued === 3 && options.sink.forget(["t2"]),
  });
  assertEquals(done, { enqueued: 4, known: 0 });
  // t0 is older than anything that can have been lost.
  assertEquals(idsOf(options.sink), ["t0", "t1", "t2", "t1", "t2", "t3"]);
});

Deno.test("dispatchTimed() repeats also when the queue dies after the last task", async () => {
  const options = setting();
  await dispatchTimed(timed([0, 10]), {
    ...options,
    report: ({ enqueued }) => enqueued === 2 && options.sink.forget(["t1"]),
  });
  assertEquals(idsOf(options.sink), ["t0", "t1", "t0", "t1"]);
});

const LIMITS = { queueMax: 2, batchSize: 5, intervalMs: 100 };

Deno.test("dispatchFifo() never lets more wait than it may, and loses none", async () => {
  const options = setting();
  const lengths: number[] = [];
  const report = () => lengths.push(options.sink.waiting.get("pending") ?? 0);
  await dispatchFifo(tasksOf(9), { ...options, ...LIMITS, report });
  assertEquals(idsOf(options.sink), tasksOf(9).map(({ task_id }) => task_id));
  assert(Math.max(...lengths) <= 2, `lengths ${lengths}`);
});

Deno.test("dispatchFifo() waits where a queue holds more than it may", async () => {
  const options = setting();
  options.sink.waiting.set("pending", 5);
  await dispatchFifo(tasksOf(2), { ...options, ...LIMITS });
  assertEquals(idsOf(options.sink), ["t0", "t1"]);
  assertEquals(options.sink.arrivals[0]?.atMs, 400);
});

Deno.test("dispatchFifo() does not wait for what is known", async () => {
  const options = setting({ known: ["t0", "t1", "t2"] });
  await dispatchFifo(tasksOf(4), { ...options, ...LIMITS, batchSize: 1 });
  assertEquals(options.sink.arrivals.map(({ atMs }) => atMs), [0, 0, 0, 0]);
});

Deno.test("dispatchDrip() keeps each node's order and limit", async () => {
  const options = setting();
  const placed = tasksOf(10).map((task, index) => ({ task, node: index % 3 === 0 ? "a" : "b" }));
  await dispatchDrip(placed, { ...options, ...LIMITS });
  for (const node of ["a", "b"]) {
    const got = options.sink.arrivals.filter(({ queue }) => queue === node)
      .flatMap(({ tasks }) => tasks.map(({ task_id }) => task_id));
    const wanted = placed.filter((one) => one.node === node).map(({ task }) => task.task_id);
    assertEquals(got, wanted);
  }
});

Deno.test("dispatchOnline() takes the least loaded node that has room", async () => {
  const options = setting();
  options.sink.waiting.set("a", 3);
  await dispatchOnline(tasksOf(3), {
    ...options,
    ...LIMITS,
    queueMax: 1,
    batchSize: 1,
    nodes: ["a", "b"],
    durationS: ({ task_id }) => task_id === "t0" ? 10 : 1,
  });
  // a is full for the first three looks; then it is the one with less.
  assertEquals(options.sink.arrivals.map(({ queue, atMs }) => `${queue}@${atMs}`), [
    "b@0",
    "b@200",
    "a@300",
  ]);
});

Deno.test("dispatch loops enqueue every task once, in order, whatever the limits", async () => {
  const positive = fc.integer({ min: 1, max: 150 });
  await fc.assert(
    fc.asyncProperty(fc.nat(400), positive, positive, fc.nat(400), async (...drawn) => {
      const [count, queueMax, batchSize, knownCount] = drawn;
      const tasks = tasksOf(count);
      const known = tasks.slice(0, knownCount).map(({ task_id }) => task_id);
      const options = setting({ known });
      const done = await dispatchFifo(tasks, { ...options, queueMax, batchSize, intervalMs: 10 });
      assertEquals(done, { enqueued: count - known.length, known: known.length });
      assertEquals(idsOf(options.sink), tasks.map(({ task_id }) => task_id));
    }),
    { numRuns: 50 },
  );
});
