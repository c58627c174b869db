/**
 * How long the queue held a task's capacity beyond its run, and when each node joined: from what the
 * scheduler wrote down. The policy's workload has both, so that the simulation frees and offers capacity
 * when the run did.
 *
 * @module
 */

import { type BadLine, readRecords } from "../../trace/json_lines.ts";
import { PLACEMENT_EVENT, TASK_RESULT } from "../../trace/records.ts";
import { RunDir } from "../../trace/run_dir.ts";
import { isFile } from "./input.ts";
import { runFoldersOf } from "./policy.ts";
import type { Candidate } from "./tasks.ts";

/** When the queue gave an attempt its capacity and took it back, epoch ms. */
interface Held {
  readonly assignedMs: number | null;
  readonly releasedMs: number;
}

/** What the queue knew of a run. */
export class QueueTimes {
  readonly #held: ReadonlyMap<string, Held>;
  /** When the scheduler first saw each node, epoch ms. */
  readonly joinedMs: ReadonlyMap<string, number>;

  /** Times as read. */
  constructor(
    { held, joinedMs }: {
      readonly held: ReadonlyMap<string, Held>;
      readonly joinedMs: ReadonlyMap<string, number>;
    },
  ) {
    this.#held = held;
    this.joinedMs = joinedMs;
  }

  /** True where nothing is on record: no scheduler of ours ran it. */
  get isEmpty(): boolean {
    return this.#held.size === 0;
  }

  /** Time from placement to start, ms; 0 where it is not on record. */
  leadMs({ task_id, attempt, ts_start }: Candidate): number {
    const assignedMs = this.#held.get(keyOf(task_id, attempt))?.assignedMs ?? ts_start;
    return Math.max(0, ts_start - assignedMs);
  }

  /** Time from the end to the release of the capacity, ms; 0 where it is not on record. */
  tailMs({ task_id, attempt, ts_end }: Candidate): number {
    return Math.max(0, (this.#held.get(keyOf(task_id, attempt))?.releasedMs ?? ts_end) - ts_end);
  }
}

function keyOf(taskId: string | null, attempt: number | null): string {
  return `${attempt ?? 1} ${taskId}`;
}

/** Read `results.jsonl` and `placement_events.jsonl` of the run in `input`. */
export async function readQueueTimes(input: string): Promise<QueueTimes> {
  const held = new Map<string, Held>();
  const joinedMs = new Map<string, number>();
  for (const folder of runFoldersOf(input)) {
    const { results, placementEvents } = RunDir.at(folder);
    for await (const one of recordsOf(results, TASK_RESULT)) {
      const { task_id, attempt, ts_assigned, ts_finish } = one;
      held.set(keyOf(task_id, attempt), { assignedMs: ts_assigned, releasedMs: ts_finish });
    }
    for await (const { event, node, ts_ms } of recordsOf(placementEvents, PLACEMENT_EVENT)) {
      if (event === "host" && node !== null && !joinedMs.has(node)) joinedMs.set(node, ts_ms);
    }
    if (held.size > 0) break;
  }
  return new QueueTimes({ held, joinedMs });
}

/** The records of a file that may be missing; lines that are not records are told by parse. */
async function* recordsOf<T>(
  path: string,
  { decode }: { readonly decode: (value: unknown, where: string) => T },
): AsyncGenerator<T> {
  if (!await isFile(path)) return;
  const onBadLine = (_: BadLine) => {};
  yield* readRecords(path, { decode, onBadLine });
}
