/**
 * A comparison in Markdown: pure.
 *
 * @module
 */

import type { CompareReport } from "./compare.ts";
import type { Comparison, FigureUnit } from "./checks.ts";

/** The report as Markdown. */
export function markdownOf(report: CompareReport): string {
  const { checks, hosts, placement_agreement, energy_j, energy_modelled_j, notes } = report;
  const failed = checks.filter(({ status }) => status === "fail").length;
  const lines = [
    `# Simulated against measured: ${report.ok ? "PASS" : "FAIL"}`,
    "",
    `Run \`${report.measured}\`, experiment \`${report.experiment}\`, simulation \`${report.simulated}\`.`,
    failed === 0 ? "All checks pass." : `${failed} of ${checks.length} checks fail.`,
    "",
    "| check | measured | simulated | value | bound | verdict |",
    "|---|---|---|---|---|---|",
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
    bound,
    status.toUpperCase(),
  ];
  return `| ${cells.join(" | ")} |`;
}

function figure(value: number | null, unit: FigureUnit): string {
  if (value === null) return "–";
  switch (unit) {
    case "ratio":
      return Number.isFinite(value) ? `${round(100 * value, 2)} %` : "∞";
    case "ms":
      return `${round(value, 3)} ms`;
    case "MHz":
      return `${round(value, 1)} MHz`;
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
