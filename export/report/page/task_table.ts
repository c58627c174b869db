/// <reference lib="dom" />
/**
 * The tasks as a table: to sort, to search, and for those who cannot see the chart.
 *
 * @module
 */

import type { ReadRun } from "../run_columns.ts";
import { durationText, memoryText, numberText, shareText, shownName, UNKNOWN } from "../words.ts";
import { make } from "./elements.ts";
import type { View } from "./view.ts";

/** Rows of a page. */
const PAGE = 25;

interface TableColumn {
  readonly name: string;
  readonly isText: boolean;
  /** What it is sorted by. */
  readonly key: (task: number) => number | string;
  readonly text: (task: number) => string;
}

function columnsOf({ tasks }: ReadRun): TableColumn[] {
  const named = (name: string, column: "profile" | "node" | "state"): TableColumn => ({
    name,
    isText: true,
    key: (task) => tasks.nameOf(column, task) ?? "",
    text: (task) => shownName(tasks.nameOf(column, task) ?? UNKNOWN),
  });
  const number = (
    name: string,
    key: (task: number) => number,
    text: (value: number | null) => string,
  ): TableColumn => ({ name, isText: false, key, text: (task) => text(key(task)) });
  const cpu = tasks.numbers("cpu_ms");
  const memory = tasks.numbers("max_rss_kb");
  const wait = (task: number) => (tasks.start[task] as number) - (tasks.enqueue[task] as number);
  return [
    {
      name: "task",
      isText: true,
      key: (task) => tasks.ids[task] as string,
      text: (task) => shownName(tasks.ids[task] as string),
    },
    named("profile", "profile"),
    named("node", "node"),
    named("state", "state"),
    number("start", (task) => tasks.start[task] as number, durationText),
    number("wait", wait, durationText),
    number("run time", (task) => tasks.run[task] as number, durationText),
    number("CPU time", (task) => cpu[task] as number, durationText),
    number("reserved vCPUs", (task) => tasks.units[task] as number, numberText),
    number(
      "used of reserved",
      (task) => (cpu[task] as number) / (tasks.run[task] as number) / (tasks.units[task] as number),
      shareText,
    ),
    number("peak memory", (task) => memory[task] as number, memoryText),
  ];
}

/** What the table tells its owner. */
export interface TableOwner {
  readonly onTask: (task: number) => void;
}

/** The table of tasks. */
export class TaskTable {
  readonly #host: HTMLElement;
  readonly #owner: TableOwner;
  #run: ReadRun | null = null;
  #rows: number[] = [];
  #page = 0;
  #sort = { column: 4, isDescending: false };

  constructor(host: HTMLElement, owner: TableOwner) {
    this.#host = host;
    this.#owner = owner;
  }

  /** Rows and columns as they are sorted, for a file. */
  data(): { columns: string[]; rows: (string | number | null)[][] } {
    const run = this.#run;
    if (run === null) return { columns: [], rows: [] };
    const columns = columnsOf(run);
    const units: Readonly<Record<string, string>> = {
      "start": "start_ms",
      "wait": "wait_ms",
      "run time": "run_ms",
      "CPU time": "cpu_ms",
      "reserved vCPUs": "cpu_units",
      "used of reserved": "used_ratio",
      "peak memory": "max_rss_kb",
      "task": "task_id",
    };
    return {
      columns: columns.map(({ name }) => units[name] ?? name),
      rows: this.#rows.map((task) =>
        columns.map(({ key }) => {
          const value = key(task);
          return typeof value === "number" && Number.isNaN(value) ? null : value;
        })
      ),
    };
  }

  /** List the tasks of `run` that run or start in the view. */
  show(run: ReadRun, view: View): void {
    this.#run = run;
    const { begin, end, enqueue } = run.tasks;
    const { codes } = run.tasks.codes("node");
    this.#rows = [];
    const isWhole = view.from <= 0 && view.to >= run.head.spanMs;
    for (let task = 0; task < run.tasks.count; task++) {
      if (view.node !== null && codes[task] !== view.node) continue;
      const from = Number.isNaN(begin[task] as number)
        ? enqueue[task] as number
        : begin[task] as number;
      const to = Number.isNaN(end[task] as number) ? from : end[task] as number;
      if (isWhole || (from < view.to && to >= view.from)) this.#rows.push(task);
    }
    this.#page = 0;
    this.#order();
    this.#paint();
  }

  #order(): void {
    if (this.#run === null) return;
    const { column, isDescending } = this.#sort;
    // Rows come by their start already.
    if (column === 4 && !isDescending) {
      this.#rows.sort((a, b) => a - b);
      return;
    }
    const { key } = columnsOf(this.#run)[column] as TableColumn;
    const sign = isDescending ? -1 : 1;
    const keys = new Map(this.#rows.map((task) => [task, key(task)]));
    const isMissing = (value: unknown) => typeof value === "number" && Number.isNaN(value);
    this.#rows.sort((a, b) => {
      const [x, y] = [keys.get(a) as number, keys.get(b) as number];
      // What is not known comes last, whichever way.
      if (isMissing(x) || isMissing(y)) return Number(isMissing(x)) - Number(isMissing(y)) || a - b;
      return x < y ? -sign : x > y ? sign : a - b;
    });
  }

  #paint(): void {
    const run = this.#run;
    if (run === null) return;
    const columns = columnsOf(run);
    const pages = Math.max(1, Math.ceil(this.#rows.length / PAGE));
    const head = make("tr");
    columns.forEach(({ name, isText }, at) => {
      const isSorted = at === this.#sort.column;
      const mark = isSorted ? this.#sort.isDescending ? " ↓" : " ↑" : "";
      const button = make("button", { class: "link", type: "button" }, `${name}${mark}`);
      button.addEventListener("click", () => this.#sortBy(at));
      head.append(make("th", {
        scope: "col",
        ...(isText ? { class: "text" } : {}),
        ...(isSorted ? { "aria-sort": this.#sort.isDescending ? "descending" : "ascending" } : {}),
      }, button));
    });
    const body = make("tbody");
    for (const task of this.#rows.slice(this.#page * PAGE, (this.#page + 1) * PAGE)) {
      const row = make("tr");
      columns.forEach(({ text, isText }, at) => {
        const content = make("bdi", {}, text(task));
        const cell = make("td", isText ? { class: "text" } : {});
        if (at === 0) {
          const button = make("button", { class: "link", type: "button" }, content);
          button.addEventListener("click", () => this.#owner.onTask(task));
          cell.append(button);
        } else cell.append(content);
        row.append(cell);
      });
      body.append(row);
    }
    const table = make("table", {}, make("thead", {}, head), body);
    const tools = make("div", { class: "tools" });
    if (pages > 1) {
      for (const [label, to] of [["Previous", this.#page - 1], ["Next", this.#page + 1]] as const) {
        const button = make("button", { type: "button" }, label);
        button.disabled = to < 0 || to >= pages;
        button.addEventListener("click", () => {
          this.#page = to;
          this.#paint();
        });
        tools.append(button);
      }
    }
    const first = this.#rows.length === 0 ? 0 : this.#page * PAGE + 1;
    const last = Math.min(this.#rows.length, (this.#page + 1) * PAGE);
    tools.append(
      `${numberText(first)} to ${numberText(last)} of ${numberText(this.#rows.length)} in view`,
    );
    this.#host.replaceChildren(make("div", { class: "scroll" }, table), tools);
  }

  #sortBy(column: number): void {
    const isSame = column === this.#sort.column;
    // Numbers are asked for from the top: the longest wait, the largest memory.
    const isText = columnsOf(this.#run as ReadRun)[column]?.isText ?? false;
    this.#sort = {
      column,
      isDescending: isSame ? !this.#sort.isDescending : !isText && column !== 4,
    };
    this.#page = 0;
    this.#order();
    this.#paint();
  }
}
