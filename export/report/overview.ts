/**
 * What a report says first, in words and figures that need no manual. Pure.
 *
 * @module
 */

import type { Audit } from "../audit/audit.ts";
import { type Markup, markup } from "./markup.ts";
import type { GroupSummary, RunSummary, Spread } from "./summary.ts";
import {
  countText,
  durationText,
  memoryText,
  momentText,
  numberText,
  shareText,
  shownName,
  UNKNOWN,
} from "./words.ts";

/** Of how many tasks a state is told, in the order in which a reader asks. */
const STATES = ["done", "failed", "dead", "cancelled", "running"];

/** States of tasks in words: `38 done, 2 failed`. */
function statesText(states: Readonly<Record<string, number>>): string {
  const order = [...STATES, ...Object.keys(states).filter((one) => !STATES.includes(one))];
  return order.filter((state) => (states[state] ?? 0) > 0)
    .map((state) => `${countText(states[state] as number)} ${state}`).join(", ");
}

/** The verdict of all audits. */
export function verdictOf(audits: readonly Audit[]): "PASS" | "FINDINGS" | null {
  if (audits.length === 0) return null;
  return audits.every(({ verdict }) => verdict === "PASS") ? "PASS" : "FINDINGS";
}

/** Part of the CPU time that readings saw; null where there is none. */
function seenShare(audits: readonly Audit[]): number | null {
  const total = audits.reduce((sum, { cpu_total_ms }) => sum + cpu_total_ms, 0);
  const seen = audits.reduce((sum, { cpu_seen_ms }) => sum + cpu_seen_ms, 0);
  return total === 0 ? null : seen / total;
}

/** A few sentences on a run. */
export function leadOf(summary: RunSummary, audits: readonly Audit[]): string {
  const { tasks, states, nodes, makespan_ms, wait_ms, run_ms } = summary;
  const done = states.done ?? 0;
  const count = done === tasks
    ? tasks === 1 ? "The one task was done" : `All ${countText(tasks)} tasks were done`
    : `Of ${countText(tasks)} tasks ${statesText(states)}`;
  const nodeCount = nodes.filter(({ name }) => name !== "").length;
  const sentences = [
    `${count}, on ${countText(nodeCount)} ${nodeCount === 1 ? "node" : "nodes"}` +
    `${makespan_ms === null ? "" : `, within ${durationText(makespan_ms)}`}.`,
  ];
  if (wait_ms !== null) {
    sentences.push(
      `Half of them waited ${durationText(wait_ms.p50)} or less for their start, one in twenty ` +
        `${durationText(wait_ms.p95)} or more.`,
    );
  }
  if (run_ms !== null) {
    sentences.push(
      `Half ran ${durationText(run_ms.p50)} or less, the longest ${durationText(run_ms.max)}.`,
    );
  }
  sentences.push(...cpuSentences(summary));
  const findings = audits.reduce((sum, one) => sum + one.findings.length, 0);
  const seen = seenShare(audits);
  if (audits.length > 0) {
    sentences.push(
      findings === 0
        ? `The record is sound: the audit found nothing${
          seen === null
            ? ""
            : `, and readings saw ${shareText(seen).replace(">", "more than")} of the CPU time`
        }.`
        : `The audit has ${countText(findings)} ${findings === 1 ? "finding" : "findings"}, below.`,
    );
  }
  return sentences.join(" ");
}

function cpuSentences(
  { offered_vcpus, reserved_vcpus, used_cores_mean, used_share }: RunSummary,
): string[] {
  if (reserved_vcpus === null || used_cores_mean === null) return [];
  const offered = offered_vcpus === null
    ? "On average"
    : `Of ${numberText(offered_vcpus)} vCPUs offered, on average`;
  const share = used_share === null
    ? ""
    : `; half of the tasks used ${shareText(used_share.p50)} or less of what they reserved`;
  return [
    `${offered} ${numberText(reserved_vcpus)} were reserved and ${
      numberText(used_cores_mean)
    } in use${share}.`,
  ];
}

interface KeyFigure {
  readonly name: string;
  readonly value: string;
  readonly more: string;
}

function spreadMore(spread: Spread | null, text: (value: number) => string): string {
  return spread === null ? "not known" : `p95 ${text(spread.p95)}, most ${text(spread.max)}`;
}

function keyFigures(summary: RunSummary, audits: readonly Audit[]): KeyFigure[] {
  const { wait_ms, run_ms, slowdown, max_rss_kb } = summary;
  const verdict = verdictOf(audits);
  const missed = audits.reduce((sum, { collector }) => sum + (collector?.missed_ticks ?? 0), 0);
  const share = (part: number | null) =>
    part === null || summary.offered_vcpus === null ? "" : shareText(part / summary.offered_vcpus);
  return [
    { name: "Tasks", value: countText(summary.tasks), more: statesText(summary.states) },
    {
      name: "Makespan",
      value: durationText(summary.makespan_ms),
      more: "first submission to last end",
    },
    {
      name: "Wait, median",
      value: durationText(wait_ms?.p50 ?? null),
      more: spreadMore(wait_ms, durationText),
    },
    {
      name: "Run time, median",
      value: durationText(run_ms?.p50 ?? null),
      more: spreadMore(run_ms, durationText),
    },
    {
      name: "Slowdown, median",
      value: numberText(slowdown?.p50 ?? null),
      more: spreadMore(slowdown, numberText),
    },
    {
      name: "vCPUs reserved, mean",
      value: numberText(summary.reserved_vcpus),
      more: summary.offered_vcpus === null
        ? "offered: not known"
        : `${share(summary.reserved_vcpus)} of ${numberText(summary.offered_vcpus)} offered`,
    },
    {
      name: "Cores in use, mean",
      value: numberText(summary.used_cores_mean),
      more: summary.offered_vcpus === null
        ? ""
        : `${share(summary.used_cores_mean)} of the vCPUs offered`,
    },
    {
      name: "Peak memory, median",
      value: memoryText(max_rss_kb?.p50 ?? null),
      more: spreadMore(max_rss_kb, memoryText),
    },
    ...(verdict === null ? [] : [{
      name: "Data quality",
      value: verdict === "PASS" ? "✓ sound" : "! findings",
      more: `${shareText(seenShare(audits))} of CPU time seen, ${countText(missed)} ticks missed`,
    }]),
  ];
}

/** The overview of one run. */
export function overviewOf(summary: RunSummary, audits: readonly Audit[]): Markup {
  return markup`<p class="meta">${
    summary.kind === "simulated" ? "Simulated" : "Measured"
  }, first event ${momentText(summary.ts_first)}</p>
<p class="lead">${leadOf(summary, audits)}</p>
<dl class="figures">${
    keyFigures(summary, audits).map(({ name, value, more }) =>
      markup`
        <div>
          <dt>${name}</dt>
          <dd>${value}<div class="more">${more}</div></dd>
        </div>
      `
    )
  }</dl>
${groupTable("Profile", summary.profiles)}
${
    summary.nodes.length > 12
      ? markup`<details><summary>The same by node (${countText(summary.nodes.length)})</summary>${
        groupTable("Node", summary.nodes)
      }</details>`
      : groupTable("Node", summary.nodes)
  }`;
}

interface GroupColumn {
  readonly name: string;
  readonly value: (group: GroupSummary) => number | null;
  readonly text: (value: number | null) => string;
}

const GROUP_COLUMNS: readonly GroupColumn[] = [
  { name: "tasks", value: ({ tasks }) => tasks, text: countText },
  { name: "not done", value: (one) => one.tasks - (one.states.done ?? 0), text: countText },
  { name: "wait, median", value: ({ wait_ms }) => wait_ms?.p50 ?? null, text: durationText },
  { name: "wait, p95", value: ({ wait_ms }) => wait_ms?.p95 ?? null, text: durationText },
  { name: "run time, median", value: ({ run_ms }) => run_ms?.p50 ?? null, text: durationText },
  { name: "run time, p95", value: ({ run_ms }) => run_ms?.p95 ?? null, text: durationText },
  { name: "slowdown, median", value: ({ slowdown }) => slowdown?.p50 ?? null, text: numberText },
  { name: "CPU time, all", value: ({ cpu_ms }) => cpu_ms, text: durationText },
  {
    name: "cores in use, median",
    value: ({ used_cores }) => used_cores?.p50 ?? null,
    text: numberText,
  },
  {
    name: "used of reserved, median",
    value: ({ used_share }) => used_share?.p50 ?? null,
    text: shareText,
  },
  {
    name: "peak memory, median",
    value: ({ max_rss_kb }) => max_rss_kb?.p50 ?? null,
    text: memoryText,
  },
];

function groupTable(title: string, groups: readonly GroupSummary[]): Markup {
  return markup`<figure data-name="by-${title.toLowerCase()}"><div class="scroll">
<table class="narrow"><thead><tr><th scope="col">${title}</th>${
    GROUP_COLUMNS.map(({ name }) => markup`<th scope="col">${name}</th>`)
  }</tr></thead><tbody>${
    groups.map((group) =>
      markup`<tr><th scope="row"><bdi>${shownName(group.name) || "none"}</bdi></th>${
        GROUP_COLUMNS.map(({ value, text }) => cell(value(group), text))
      }</tr>`
    )
  }</tbody></table></div></figure>`;
}

/** A cell that shows a rounded value and keeps the exact one for who saves the table. */
export function cell(value: number | null, text: (value: number | null) => string): Markup {
  const isKnown = value !== null && !Number.isNaN(value);
  return markup`<td data-value="${isKnown ? String(value) : ""}">${
    isKnown ? text(value) : UNKNOWN
  }</td>`;
}

/** A table; each row has the markup of its cells. */
export function plainTable(
  columns: readonly string[],
  rows: readonly (readonly Markup[])[],
): Markup {
  return markup`
    <div class="scroll">
      <table>
        <thead>
          <tr>${columns.map((name) => markup`<th scope="col">${name}</th>`)}</tr>
        </thead>
        <tbody>${rows.map((row) => markup`<tr>${row}</tr>`)}</tbody>
      </table>
    </div>
  `;
}
