/**
 * A comparison in Markdown: pure.
 *
 * @module
 */

import type { CompareReport } from "./compare.ts";
import type { Comparison, FigureUnit } from "./comparison.ts";

/** The report as Markdown. */
export function markdownOf(report: CompareReport): string {
  const { checks, hosts, placement_agreement, energy_j, energy_modelled_j, notes } = report;
  const lines = [
    `# Simulated against measured: ${report.ok ? "PASS" : "FAIL"}`,
    "",
    `Run \`${report.measured}\`, experiment \`${report.experiment}\`, simulation \`${report.simulated}\`.`,
    verdictOf(checks),
    "",
    "| check | measured | simulated | value | 95 % interval | bound | verdict |",
    "|---|---|---|---|---|---|---|",
    ...checks.map(rowOf),
    "",
    "## Hosts",
    "",
    "Part of the capacity in use from the first submission to the last end.",
    "",
    "| node | host | measured | simulated |",
    "|---|---|---|---|",
    ...hosts.map(({ node, host, measured, simulated }) =>
      `| ${node} | ${host} | ${figure(measured, "ratio")} | ${figure(simulated, "ratio")} |`
    ),
    "",
    "## Beside the checks",
    "",
    `- Tasks on the node that they ran on: ${figure(placement_agreement, "ratio")}`,
    `- Energy: ${joules(energy_j)} simulated; ${
      joules(energy_modelled_j)
    } by OpenDC's default power ` +
    "model at the measured utilisation",
    `- Submissions in task.parquet: ${report.submission_base}`,
    ...notes.map((note) => `- ${note}`),
  ];
  return `${lines.join("\n")}\n`;
}

function rowOf(check: Comparison): string {
  const { what, measured, simulated, unit, value, threshold, valueUnit, passes, status } = check;
  const note = check.note === null ? "" : ` (${check.note})`;
  const bound = `${passes === "at most" ? "≤" : "≥"} ${figure(threshold, valueUnit)}`;
  const cells = [
    `${what}${note}`,
    figure(measured, unit),
    figure(simulated, unit),
    figure(value, valueUnit),
    intervalOf(check),
    bound,
    status.toUpperCase(),
  ];
  return `| ${cells.join(" | ")} |`;
}

function verdictOf(checks: readonly Comparison[]): string {
  const count = (status: Comparison["status"]) =>
    checks.filter((check) => check.status === status).length;
  const unclear = count("not applicable");
  const rest = unclear === 0 ? "" : `; ${unclear} not applicable`;
  return count("fail") === 0
    ? `${count("pass")} of ${checks.length} checks pass${rest}.`
    : `${count("fail")} of ${checks.length} checks fail${rest}.`;
}

function intervalOf({ interval, valueUnit }: Comparison): string {
  return interval === null
    ? "–"
    : `${figure(interval[0], valueUnit)} to ${figure(interval[1], valueUnit)}`;
}

function figure(value: number | null, unit: FigureUnit): string {
  if (value === null) return "–";
  switch (unit) {
    case "ratio":
      return Number.isFinite(value) ? `${round(100 * value, 2)} %` : "∞";
    case "ms":
      return `${round(value, 3)} ms`;
    case "MHz":
    case "W":
      return `${round(value, 1)} ${unit}`;
    case "tasks":
      return String(value);
    case "p":
    case "r":
      return value !== 0 && Math.abs(value) < 1e-4
        ? value.toExponential(1)
        : String(round(value, 4));
  }
}

function round(value: number, decimals: number): number {
  return Math.round(value * 10 ** decimals) / 10 ** decimals;
}

function joules(energyJ: number | null): string {
  return energyJ === null ? "–" : `${round(energyJ / 1000, 3)} kJ`;
}
