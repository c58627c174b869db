/// <reference lib="dom" />
/**
 * Everything that is known of one task.
 *
 * @module
 */

import type { ReadRun } from "../run_columns.ts";
import {
  durationText,
  memoryText,
  momentText,
  numberText,
  shareText,
  shownName,
} from "../words.ts";
import { make } from "./elements.ts";
import { taskCurve } from "./series.ts";

type Fact = readonly [name: string, value: string | null];

/** A number that may not be known. */
function known(value: number | undefined): number | null {
  return value === undefined || Number.isNaN(value) ? null : value;
}

/** Show `task` of `run` in `host`. */
export function showTask(host: HTMLElement, { run, task }: { run: ReadRun; task: number }): void {
  const { tasks, head } = run;
  const box = make("div", { class: "task" });
  host.replaceChildren(box);
  const columns = make("div", { class: "columns" });
  box.append(
    make("h3", {}, "Task ", make("bdi", {}, shownName(tasks.ids[task] as string))),
    columns,
  );
  columns.append(factList(timesOf(run, task)), factList(usesOf(run, task)));
  const words = tasks.nameOf("last_words", task);
  if (words !== null) {
    box.append(make("p", { class: "note" }, "Last lines of stderr:"), make("pre", {}, words));
  }
  const series = run.seriesOf(task);
  const runMs = known(tasks.run[task]);
  const hasSeries = series !== null && runMs !== null && runMs > 0 &&
    (known(tasks.numbers("samples")[task]) ?? 0) > 0;
  if (!hasSeries) {
    const why = head.seriesPoints === 0 && head.kind === "measured"
      ? "This run has too many tasks for the report to carry a curve of each; export-tables has all samples."
      : "There are no samples of this task.";
    box.append(make("p", { class: "note" }, why));
    return;
  }
  const curves = make("div", { class: "columns" });
  box.append(curves);
  const cores = curveBox(curves, "Cores in use; dashed: vCPUs reserved");
  const memory = curveBox(curves, "Resident memory");
  taskCurve(cores, {
    values: series.cores,
    runMs,
    limit: known(tasks.units[task]),
    text: numberText,
    colour: "--series-0",
  });
  taskCurve(memory, {
    values: series.memoryKb,
    runMs,
    limit: null,
    text: memoryText,
    colour: "--series-2",
    isBinary: true,
  });
}

function curveBox(host: HTMLElement, title: string): HTMLElement {
  const box = make("div", { role: "img", "aria-label": `${title}, over the run time of the task` });
  host.append(make("div", {}, make("p", { class: "band-title" }, title), box));
  return box;
}

function factList(facts: readonly Fact[]): HTMLElement {
  const list = make("dl", { class: "facts" });
  for (const [name, value] of facts) {
    if (value !== null) list.append(make("dt", {}, name), make("dd", {}, make("bdi", {}, value)));
  }
  return list;
}

function timesOf({ head, tasks }: ReadRun, task: number): Fact[] {
  const moment = (ms: number | undefined): string | null =>
    ms === undefined || Number.isNaN(ms)
      ? null
      : `${durationText(ms)} (${momentText(head.zeroMs + ms)})`;
  const enqueue = tasks.enqueue[task] as number;
  const assigned = tasks.assigned[task] as number;
  const start = tasks.start[task] as number;
  const headWait = known(tasks.numbers("head_ms")[task]);
  const run = tasks.run[task] as number;
  const reason = tasks.nameOf("wait_reason", task);
  const attempt = tasks.numberOf("attempt", task);
  const attempts = tasks.numberOf("attempts", task);
  return [
    ["State", stateText(tasks.nameOf("state", task), tasks.nameOf("reason", task))],
    ["Exit", exitText(tasks.numberOf("status", task), tasks.nameOf("signal", task))],
    [
      "Attempt",
      attempt === null
        ? null
        : `${attempt}${attempts === null ? ", does not count" : ` of ${attempts}`}`,
    ],
    ["Profile", shownOrNull(tasks.nameOf("profile", task))],
    ["Command", shownOrNull(tasks.nameOf("command", task))],
    ["Submitted", moment(enqueue)],
    ["Started", moment(start)],
    ["Ended", moment(start + run)],
    ["Waited", Number.isNaN(start - enqueue) ? null : durationText(start - enqueue)],
    ["– behind others", partText(assigned - (headWait ?? NaN) - enqueue)],
    [
      "– at the head",
      headWait === null
        ? null
        : `${durationText(headWait)}${reason === null ? "" : `: ${shownName(reason)}`}`,
    ],
    ["– to start it", partText(start - assigned)],
    ["Ran", Number.isNaN(run) ? null : durationText(run)],
    [
      "Slowdown",
      Number.isNaN((start - enqueue + run) / run)
        ? null
        : numberText((start - enqueue + run) / run),
    ],
  ];
}

function partText(ms: number): string | null {
  return Number.isNaN(ms) ? null : durationText(ms);
}

function shownOrNull(name: string | null): string | null {
  return name === null ? null : shownName(name);
}

function stateText(state: string | null, reason: string | null): string | null {
  if (state === null) return null;
  return reason === null ? state : `${state}: ${shownName(reason)}`;
}

/** The node, and why the task went there. */
function nodeText(tasks: ReadRun["tasks"], task: number): string | null {
  const node = tasks.nameOf("node", task);
  const reason = tasks.nameOf("placed_reason", task);
  return node === null ? null : `${shownName(node)}${reason === null ? "" : `: ${reason}`}`;
}

function exitText(status: number | null, signal: string | null): string | null {
  if (signal !== null) return `ended by signal ${signal}`;
  return status === null ? null : `exit code ${status}`;
}

function usesOf({ tasks }: ReadRun, task: number): Fact[] {
  const cpu = tasks.numberOf("cpu_ms", task);
  const unseen = tasks.numberOf("unseen_ms", task);
  const run = known(tasks.run[task]);
  const units = known(tasks.units[task]);
  const used = cpu === null || run === null || run === 0 ? null : cpu / run;
  const source = tasks.nameOf("cpu_source", task);
  const throttled = tasks.numberOf("throttled_ms", task);
  const samples = tasks.numberOf("samples", task);
  const memory = tasks.numberOf("max_rss_kb", task);
  return [
    ["Node", nodeText(tasks, task)],
    ["CPUs", shownOrNull(tasks.nameOf("cpuset", task))],
    ["Reserved", units === null ? null : `${units} vCPU${units === 1 ? "" : "s"}`],
    [
      "CPU time",
      cpu === null ? null : `${durationText(cpu)}${source === null ? "" : ` (${source})`}`,
    ],
    [
      "Cores in use",
      used === null
        ? null
        : `${numberText(used)} on average${
          units === null ? "" : `, ${shareText(used / units)} of the reservation`
        }`,
    ],
    [
      "Seen by samples",
      cpu === null || unseen === null || cpu === 0
        ? null
        : `${shareText(1 - unseen / cpu)} of the CPU time`,
    ],
    ["Samples", samples === null ? null : numberText(samples)],
    ["Throttled", throttled === null ? null : durationText(throttled)],
    ["Peak memory", memory === null ? null : memoryText(memory)],
  ];
}
