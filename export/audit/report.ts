/**
 * The audit as text: `audit_report.md`.
 *
 * @module
 */

import { roundToUs } from "../../trace/units.ts";
import type { Audit } from "./audit.ts";
import type { CollectorAccount } from "./facts.ts";
import type { Finding } from "./finding.ts";

/** The report, as Markdown. */
export function auditReport(audit: Audit): string {
  return [
    `# Audit of ${audit.node}: ${audit.verdict}`,
    "",
    ...collectorLines(audit.collector),
    `- ${cpuLine(audit)}`,
    `- ${seriesLine(audit)}`,
    `- ${stateLine(audit)}`,
    `- ${cpuControlLine(audit)}`,
    `- ${clockLine(audit)}`,
    "",
    "## Findings",
    "",
    ...(audit.findings.length === 0 ? ["None.", ""] : audit.findings.flatMap(findingLines)),
    ...section("## Worth knowing", audit.notes.map((note) => `- ${note}`)),
    ...section("## Seen by readings, tasks with most that was not", unseenLines(audit)),
    "## Fields",
    "",
    "| field | known | of |",
    "|---|---|---|",
    ...Object.entries(audit.fields).map(([name, count]) =>
      `| ${name} | ${count} | ${audit.tasks} |`
    ),
    "",
  ].join("\n");
}

/** The heading with its lines; nothing where there are none. */
function section(heading: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [heading, "", ...lines, ""];
}

function collectorLines(collector: CollectorAccount | null): string[] {
  if (collector === null) return ["- Collector: it left no account of itself"];
  const { cpu_ms, core_percent, cpu_per_sample_us, rss_max_kb } = collector;
  const cost = [
    `${seconds(cpu_ms)} CPU`,
    core_percent === null ? null : `${core_percent.toFixed(2)} % of a core`,
    cpu_per_sample_us === null
      ? "too few readings to tell the cost of one"
      : `${cpu_per_sample_us.toFixed(1)} µs per sample`,
    rss_max_kb === null ? null : `${(rss_max_kb / 1024).toFixed(0)} MiB`,
  ].filter((one) => one !== null);
  const priority = collector.is_realtime ? "real-time priority" : "ordinary priority";
  return [
    `- Collector: ${cost.join(", ")}; ${collector.mode} mode, every ${collector.interval_ms} ms, ` +
    priority,
    `- Ticks: ${collector.ticks} done, ${collector.missed_ticks} missed, p99 ` +
    `${collector.late_p99_ms} ms late, at most ${collector.late_max_ms} ms`,
  ];
}

function cpuLine(audit: Audit): string {
  const { cpu_total_ms, cpu_seen_ms, cpu_spread_ms } = audit;
  const part = (ms: number): string =>
    cpu_total_ms === 0 ? "" : ` (${(100 * ms / cpu_total_ms).toFixed(1)} %)`;
  return `CPU: ${seconds(cpu_total_ms)} in all, ${seconds(cpu_seen_ms)}${
    part(cpu_seen_ms)
  } seen by ` +
    `${audit.samples} readings, ${seconds(cpu_spread_ms)}${part(cpu_spread_ms)} only by exit ` +
    `totals; largest residual ${audit.cpu_residual_max_ms} ms`;
}

function seriesLine({ judged_tasks, unseen_intervals_max }: Audit): string {
  if (judged_tasks === 0) return "Series: no task of a second or more was read";
  return `Series: of ${judged_tasks} tasks of a second or more, exit totals show at most ` +
    `${unseen_intervals_max} of an interval's worth beyond the readings`;
}

function unseenLines({ unseen }: Audit): string[] {
  if (unseen.length === 0) return [];
  return [
    "| task | CPU ms | seen ms | only total ms | in intervals' worth | samples |",
    "|---|---|---|---|---|---|",
    ...unseen.map(({ task, cpu_ms, cpu_seen_ms, unseen_intervals, samples }) => {
      const cells = [task, cpu_ms, cpu_seen_ms, roundToUs(cpu_ms - cpu_seen_ms)];
      return `| ${[...cells, unseen_intervals, samples].join(" | ")} |`;
    }),
  ];
}

function stateLine({ tasks, states }: Audit): string {
  const parts = Object.entries(states).map(([state, count]) => `${count} ${state}`);
  return `Invocations: ${tasks}${parts.length === 0 ? "" : ` (${parts.join(", ")})`}`;
}

function cpuControlLine({ cpu_control }: Audit): string {
  const { bindings, limits_set, on_shared_cores, throttled, throttled_ms } = cpu_control;
  const counts = (of: Readonly<Record<string, number>>): string =>
    Object.entries(of).map(([name, count]) => `${count} ${name}`).join(", ") || "none";
  return [
    `CPU control: ${counts(bindings)}`,
    `${on_shared_cores} on cores that were shared because none was free`,
    `limits set: ${counts(limits_set)}`,
    throttled_ms === null
      ? "throttling not known"
      : `${throttled} throttled, ${seconds(throttled_ms)} in all`,
  ].join("; ");
}

function clockLine({ clock_error_max_ms }: Audit): string {
  return clock_error_max_ms === null
    ? "Clock: the offset to the controller's was not measured"
    : `Clock: the offset to the controller's is known to ${clock_error_max_ms} ms`;
}

function findingLines({ check, what, cost, action, examples }: Finding): string[] {
  return [
    `### ${what}`,
    "",
    `- Check: ${check}`,
    `- Cost: ${cost}`,
    `- What to do: ${action}`,
    ...(examples.length === 0 ? [] : [`- For example: ${examples.join("; ")}`]),
    "",
  ];
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(3)} s`;
}
