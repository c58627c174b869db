/**
 * The front of the pending queue as tasks: what people pushed by hand is completed, poison is taken out.
 *
 * @module
 */

import type { Task } from "../trace/task.ts";
import type { QueuedTask } from "./placement/placement.ts";
import type { Listed } from "./queue/intake.ts";
import { type ListedTask, readListedTask } from "./queue/task_json.ts";

/** A task at the front of the queue, ready to be placed. */
export interface WindowTask extends QueuedTask {
  /** The task as it is in the queue. */
  readonly raw: string;
  /** The task. */
  readonly task: Task;
  /** Its place in the order of submission. */
  readonly seq: number | null;
}

/** What the window needs of the queue. */
export interface PendingSource {
  /** `count` elements, from the place `first` on. */
  window(count: number, first?: number): Promise<readonly string[]>;
  /** Complete an element; see {@linkcode RedisIntake.adopt}. */
  adopt(listed: Listed, task: Task, seq: number | null): Promise<boolean>;
  /** Make an element a dead letter. */
  bury(listed: Listed, taskId: string, reason: string): Promise<void>;
}

/** Reads the front of the queue; elements that were read before are not parsed again. */
export class PendingWindow {
  readonly #source: PendingSource;
  readonly #report: (line: string) => void;
  #parsed = new Map<string, ListedTask>();

  /** The front of `source`; `report` is told what is taken out. */
  constructor(source: PendingSource, report: (line: string) => void) {
    this.#source = source;
    this.#report = report;
  }

  /** The first `count` tasks; every one has its id, time and place. */
  async read(count: number): Promise<readonly WindowTask[]> {
    for (let size = count;;) {
      const elements = this.#parse(await this.#source.window(size));
      // The place of what a person pushed depends on what follows it.
      const isCut = elements.length === size && placeOf(elements.at(-1)?.listed) === null;
      if (isCut) size *= 2;
      else if (!await this.#takeIn(elements)) return elements.slice(0, count).flatMap(windowTask);
    }
  }

  /**
   * Up to `count` tasks from the place `first` on, ahead of their turn; null when there are none, or
   * something else among them that must be dealt with first.
   */
  async ahead(count: number, first: number): Promise<readonly WindowTask[] | null> {
    const elements: Element[] = [];
    for (const [index, raw] of (await this.#source.window(count, first)).entries()) {
      const listed = parse(raw);
      this.#parsed.set(raw, listed);
      elements.push({ index, raw, listed });
    }
    const isPlain = elements.every(({ listed }) => placeOf(listed) !== null);
    return isPlain && elements.length > 0 ? elements.flatMap(windowTask) : null;
  }

  /** Take in a stamped task that the queue does not know: somebody moved or copied it. */
  async adopt({ raw, task }: WindowTask, index: number): Promise<void> {
    await this.#source.adopt({ index, raw }, task, task.seq);
  }

  #parse(raws: readonly string[]): Element[] {
    const before = this.#parsed;
    this.#parsed = new Map();
    return raws.map((raw, index) => {
      const listed = before.get(raw) ?? parse(raw);
      this.#parsed.set(raw, listed);
      return { index, raw, listed };
    });
  }

  /** Deal with the elements that are not tasks of the queue yet; false when there are none. */
  async #takeIn(elements: readonly Element[]): Promise<boolean> {
    const poison = elements.filter(({ listed }) => listed.kind === "poison");
    // From the end, so that taking one out does not move those still to come.
    for (const { index, raw, listed } of poison.toReversed()) {
      if (listed.kind !== "poison") continue;
      this.#report(`poison in the pending queue moved to q:dead: ${listed.reason}`);
      await this.#source.bury({ index, raw }, listed.taskId, listed.reason);
    }
    if (poison.length > 0) return true;
    const places = placesBetween(elements.map(({ listed }) => placeOf(listed)));
    let isChanged = false;
    for (const [at, { index, raw, listed }] of elements.entries()) {
      if (listed.kind !== "task" || listed.isStamped) continue;
      isChanged = true;
      // What did not stay there has moved the rest.
      if (!await this.#source.adopt({ index, raw }, listed.task, places[at] ?? null)) break;
    }
    return isChanged;
  }
}

function parse(raw: string): ListedTask {
  return readListedTask(raw, `hand-${crypto.randomUUID().slice(0, 8)}`);
}

interface Element extends Listed {
  readonly listed: ListedTask;
}

function placeOf(listed: ListedTask | undefined): number | null {
  return listed?.kind === "task" && listed.isStamped ? listed.task.seq : null;
}

function windowTask({ raw, listed }: Element): WindowTask[] {
  if (listed.kind !== "task") return [];
  const { task } = listed;
  return [{ raw, task, taskId: task.task_id, units: task.cpu_units, seq: task.seq }];
}

/**
 * Places for elements that have none (null), between those of their neighbours; null stays where the
 * next whole number of the queue is right, at the end.
 */
export function placesBetween(places: readonly (number | null)[]): readonly (number | null)[] {
  const filled = [...places];
  for (let first = 0; first < filled.length; first++) {
    if (filled[first] !== null) continue;
    let end = first;
    while (end < filled.length && filled[end] === null) end += 1;
    const after = filled[end];
    if (after === undefined || after === null) break;
    const before = filled[first - 1] ?? after - 1;
    const step = (after - before) / (end - first + 1);
    for (let at = first; at < end; at++) filled[at] = before + step * (at - first + 1);
    first = end;
  }
  return filled;
}
