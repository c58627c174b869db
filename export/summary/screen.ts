/**
 * The summary of a run on one screen.
 *
 * @module
 */

import { counted } from "../../trace/counted.ts";
import type { Distribution } from "./statistics.ts";
import { nameOf, type NodeSummary, type RunSummary } from "./summary.ts";
import {
  bar,
  cut,
  cutStart,
  durationText,
  memoryText,
  numberText,
  type Paint,
  percentText,
  SCREEN_COLUMNS,
  tableLines,
  timeText,
  wrap,
} from "./text.ts";

/** Nodes that are shown; the others are counted. */
const NODES_SHOWN = 12;

/** Findings that are shown; the others are counted. */
const FINDINGS_SHOWN = 5;

const BAR_WIDTH = 14;

/** The lines that show `summary`. */
export function screenLines(summary: RunSummary, paint: Paint): string[] {
  return [
    ...headLines(summary, paint),
    "",
    ...timeLines(summary, paint),
    "",
    ...usageLines(summary),
    ...slowestLines(summary, paint),
    ...nodeLines(summary, paint),
    "",
    ...qualityLines(summary, paint),
  ];
}

function headLines(summary: RunSummary, paint: Paint): string[] {
  const { run_id, ts_begin, makespan_ms, verdict } = summary;
  const title = `Run ${run_id}  ${timeText(ts_begin)}  makespan ${durationText(makespan_ms)}`;
  const judged = verdict ?? "not audited";
  const room = SCREEN_COLUMNS - judged.length - 1;
  const emphasis = verdict === "PASS" ? paint.good : paint.bad;
  return [
    `${paint.strong(cut(title, room).padEnd(room))} ${emphasis(judged)}`,
    [
      `${counted(summary.tasks, "task")}: ${statesText(summary.states)}`,
      counted(summary.attempts, "attempt"),
      ...(summary.requests === 0 ? [] : [counted(summary.requests, "request")]),
      counted(summary.nodes.length, "node"),
    ].join("; "),
  ];
}

function statesText(states: RunSummary["states"]): string {
  const parts = Object.entries(states).map(([state, count]) => `${count} ${state}`);
  return parts.length === 0 ? "none" : parts.join(", ");
}

function timeLines(summary: RunSummary, paint: Paint): string[] {
  const row = (name: string, found: Distribution | null, write = durationText): string[] =>
    found === null ? [name, "-", "-", "-", "-", "0"] : [
      name,
      write(found.p50),
      write(found.p95),
      write(found.p99),
      write(found.max),
      String(found.count),
    ];
  const [heading = "", ...lines] = tableLines([
    ["time", "p50", "p95", "p99", "max", "known"].map((one, at) =>
      at === 0 || at === 5 ? one : one.padStart(9)
    ),
    row("wait", summary.wait_ms),
    row("  in the queue", summary.queue_ms),
    row("  until a node had room", summary.placement_ms),
    row("  until the start", summary.launch_ms),
    row("run", summary.run_ms),
    row("slowdown", summary.slowdown, numberText),
    ...(summary.request_ms === null ? [] : [row("request", summary.request_ms)]),
  ], { texts: 1 });
  return [paint.faint(heading), ...lines];
}

function usageLines(summary: RunSummary): string[] {
  const { cpu_ms, cpu_reserved_ms, cpu_used_ratio, max_rss_kb, max_rss_task } = summary;
  const reserved = cpu_reserved_ms === null
    ? "nothing was reserved"
    : `${durationText(cpu_reserved_ms)} of vCPU time reserved, ${percentText(cpu_used_ratio)} used`;
  const memory = max_rss_task === null
    ? "not known"
    : `${memoryText(max_rss_kb)} (${max_rss_task})`;
  return [
    ...wrap(`CPU: ${durationText(cpu_ms)} used; ${reserved}`),
    ...wrap(`Peak memory: ${memory}`),
  ];
}

function slowestLines({ slowest }: RunSummary, paint: Paint): string[] {
  if (slowest.length === 0) return [];
  const [heading = "", ...lines] = tableLines([
    ["slowest tasks", "profile", "node", "state", "wait", "run", "CPU"],
    ...slowest.map((task) => [
      cutStart(nameOf(task), 18),
      task.profile ?? "-",
      task.node ?? "-",
      task.state,
      durationText(task.wait_ms),
      durationText(task.run_ms),
      durationText(task.cpu_ms),
    ]),
  ], { texts: 4, textWidth: 18 }).map(fit);
  return ["", paint.faint(heading), ...lines];
}

function fit(line: string): string {
  return cut(line, SCREEN_COLUMNS);
}

function nodeLines({ nodes }: RunSummary, paint: Paint): string[] {
  if (nodes.length === 0) return [];
  const share = (ratio: number | null) =>
    `${bar(ratio, BAR_WIDTH)} ${percentText(ratio).padStart(6)}`;
  const row = (one: NodeSummary) => [
    one.node,
    String(one.attempts),
    one.capacity_units === null ? "-" : String(one.capacity_units),
    one.cpu_cores === null ? "-" : String(one.cpu_cores),
    share(one.reserved_ratio),
    share(one.used_ratio),
  ];
  const [heading = "", ...lines] = tableLines([
    ["node", "attempts", "vCPUs", "cores", "vCPUs reserved", "cores used"].map((one, at) =>
      at < 4 ? one : one.padEnd(BAR_WIDTH + 7)
    ),
    ...nodes.slice(0, NODES_SHOWN).map(row),
  ], { texts: 1, textWidth: 16 });
  const more = nodes.length - NODES_SHOWN;
  return [
    "",
    paint.faint(heading),
    ...lines,
    ...(more > 0 ? [`… ${counted(more, "more node")}`] : []),
  ];
}

function qualityLines({ quality, verdict }: RunSummary, paint: Paint): string[] {
  const parts = [
    counted(quality.samples, "sample"),
    `${percentText(quality.cpu_seen_ratio)} of the CPU time seen by them`,
    `rows off exact totals by at most ${durationText(quality.cpu_residual_max_ms)}`,
    quality.clock_error_max_ms === null
      ? "clocks not compared"
      : `clocks within ${durationText(quality.clock_error_max_ms)}`,
    ...(quality.missed_ticks === null ? [] : [counted(quality.missed_ticks, "missed tick")]),
  ];
  const more = quality.findings.length - FINDINGS_SHOWN;
  return [
    ...wrap(`Data: ${parts.join("; ")}`),
    ...(verdict === null ? ["  not every node has an audit: run parse"] : []),
    ...quality.findings.slice(0, FINDINGS_SHOWN).flatMap((one) => wrap(`  ${one}`).map(paint.bad)),
    ...(more > 0 ? [`  … ${counted(more, "more finding")}`] : []),
  ];
}
