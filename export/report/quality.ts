/**
 * How good the record of a run is, and under which conditions it was made, as markup. Pure.
 *
 * @module
 */

import type { Audit } from "../audit/audit.ts";
import { type Markup, markup } from "./markup.ts";
import { cell, plainTable } from "./overview.ts";
import type { Provenance } from "./read_run.ts";
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

/** What the audits of a run say. */
export function qualityOf(audits: readonly Audit[]): Markup {
  if (audits.length === 0) return markup`<p>There is no audit of this run.</p>`;
  return markup`<p>Readings are samples and miss what happens between them; the kernel's total at a task's
end misses nothing. “Seen” is the part of that total which the readings saw; the rest is spread over the
time in which it can have happened, and marked.</p>
${nodeTable(audits)}
${findingsOf(audits)}
${costTable(audits)}`;
}

function nodeTable(audits: readonly Audit[]): Markup {
  return markup`<figure data-name="quality"><h3>Record of each node</h3>${
    plainTable(
      [
        "Node",
        "verdict",
        "tasks",
        "samples",
        "CPU time",
        "seen",
        "rows off their totals by at most",
        "clock known to",
      ],
      audits.map((audit) => [
        markup`<th scope="row"><bdi>${shownName(audit.node)}</bdi></th>`,
        markup`<td>${
          audit.verdict === "PASS" ? "✓ PASS" : markup`<span class="bad">! FINDINGS</span>`
        }</td>`,
        cell(audit.tasks, countText),
        cell(audit.samples, countText),
        cell(audit.cpu_total_ms, durationText),
        cell(audit.cpu_total_ms === 0 ? null : audit.cpu_seen_ms / audit.cpu_total_ms, shareText),
        cell(audit.cpu_residual_max_ms, durationText),
        cell(audit.clock_error_max_ms, durationText),
      ]),
    )
  }</figure>`;
}

function findingsOf(audits: readonly Audit[]): Markup {
  const found = audits.flatMap(({ node, findings }) => findings.map((one) => ({ node, ...one })));
  const notes = audits.flatMap(({ node, notes }) => notes.map((text) => ({ node, text })));
  return markup`<h3>Findings</h3>${
    found.length === 0 ? markup`<p>None.</p>` : plainTable(
      ["Node", "what was found", "what it costs", "what to do", "for example"],
      found.map(({ node, what, cost, action, examples }) => [
        markup`<td><bdi>${shownName(node)}</bdi></td>`,
        markup`<td class="wrap">${what}</td>`,
        markup`<td class="wrap">${cost}</td>`,
        markup`<td class="wrap">${action}</td>`,
        markup`<td class="wrap"><bdi>${examples.map(shownName).join("; ")}</bdi></td>`,
      ]),
    )
  }${
    notes.length === 0 ? "" : markup`
      <h3>Worth knowing</h3>
      <ul>${
      notes.map(({ node, text }) => markup`<li><bdi>${shownName(node)}</bdi>: ${text}</li>`)
    }</ul>
    `
  }`;
}

function costTable(audits: readonly Audit[]): Markup {
  const known = audits.flatMap(({ node, collector }) =>
    collector === null ? [] : [{ node, collector }]
  );
  if (known.length === 0) return markup``;
  return markup`<figure data-name="collector"><h3>The collector's own account</h3>${
    plainTable(
      [
        "Node",
        "every",
        "priority",
        "ticks",
        "missed",
        "late, p99",
        "late, most",
        "CPU time",
        "of a core",
        "µs per sample",
        "memory",
      ],
      known.map(({ node, collector }) => [
        markup`<th scope="row"><bdi>${shownName(node)}</bdi></th>`,
        cell(collector.interval_ms, durationText),
        markup`<td>${collector.is_realtime ? "real-time" : "ordinary"}</td>`,
        cell(collector.ticks, countText),
        cell(collector.missed_ticks, countText),
        cell(collector.late_p99_ms, durationText),
        cell(collector.late_max_ms, durationText),
        cell(collector.cpu_ms, durationText),
        cell(collector.core_percent === null ? null : collector.core_percent / 100, shareText),
        cell(collector.cpu_per_sample_us, numberText),
        cell(collector.rss_max_kb, memoryText),
      ]),
    )
  }</figure>`;
}

/** Machines, versions and flags of a run. */
export function provenanceOf({ machines, roles }: Provenance): Markup {
  const text = (value: string | null) =>
    markup`<td class="text"><bdi>${value === null ? UNKNOWN : shownName(value)}</bdi></td>`;
  return markup`<figure data-name="machines"><h3>Machines</h3>${
    plainTable(
      ["Node", "cores", "memory", "CPU", "kernel", "Tracekit", "Deno"],
      machines.map((one) => [
        markup`<th scope="row"><bdi>${shownName(one.node)}</bdi></th>`,
        cell(one.cores, countText),
        cell(one.memKb, memoryText),
        text(one.cpuModel),
        text(one.kernel),
        text(one.version),
        text(one.denoVersion),
      ]),
    )
  }</figure>
<h3>Programs and their flags</h3>
${roles.length === 0 ? markup`<p>None are on record.</p>` : ""}
${
    roles.map(({ name, meta }) =>
      markup`
        <details>
          <summary>${shownName(name)}, started ${momentText(meta.ts_start)}</summary>
          <pre>${commandLine(meta.role, meta.flags)}</pre>
        </details>
      `
    )
  }`;
}

/** Tasks of `deno task` that start each role; others are started by these. */
const TASK_OF_ROLE: Readonly<Record<string, string>> = {
  collector: "start-collect",
  dispatcher: "dispatch",
};

/** A command line that starts a role with these flags. */
function commandLine(role: string, flags: Readonly<Record<string, string>>): string {
  const words = Object.entries(flags).filter(([, value]) => value !== "").map(([name, value]) =>
    `--${name}=${/^[\w@%+=:,./-]*$/.test(value) ? value : `'${value.replaceAll("'", "'\\''")}'`}`
  );
  return [`deno task ${TASK_OF_ROLE[role] ?? role}`, ...words].join(" \\\n  ");
}
