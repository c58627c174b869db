/**
 * The page of a report: everything in one file that opens without a network.
 *
 * @module
 */

import type { Audit } from "../audit/audit.ts";
import { comparisonOf, type RunComparison, type SummedRun } from "./comparison.ts";
import { COLOURS, type Figure, strokeOf } from "./figures.ts";
import { Markup, markup } from "./markup.ts";
import { overviewOf } from "./overview.ts";
import { provenanceOf, qualityOf } from "./quality.ts";
import type { Provenance } from "./read_run.ts";
import { numberText, shownName } from "./words.ts";

/** What a page is made from. */
export interface PageParts {
  readonly runs: readonly (SummedRun & {
    readonly audits: readonly Audit[];
    readonly provenance: Provenance | null;
  })[];
  readonly comparisons: readonly RunComparison[];
  readonly figures: readonly Figure[];
  /** Columns of the runs, packed, compressed and in base64. */
  readonly payload: string;
  /** Program and style of the page. */
  readonly script: string;
  readonly style: string;
  /** Who made it. */
  readonly version: string;
}

/** Hash of an element's text for the page's policy. */
async function hashOf(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return `'sha256-${new Uint8Array(digest).toBase64()}'`;
}

/** The page, in pieces: its data may be too long for one string. */
export async function pageOf(parts: PageParts): Promise<string[]> {
  const { script, style } = parts;
  // Nothing may be loaded or sent; only this program and this style run. Data URLs: saved pictures.
  const policy = `default-src 'none'; script-src ${await hashOf(script)}; ` +
    `style-src ${await hashOf(style)}; img-src data:; base-uri 'none'; form-action 'none'`;
  const names = parts.runs.map(({ summary }) => shownName(summary.name));
  const before = markup`
    <!DOCTYPE html>
    <html lang="en">
      <head>
        <meta charset="utf-8">
        <meta http-equiv="Content-Security-Policy" content="${policy}">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <title>${names.join(", ")}: run report</title>
        <style>${new Markup(style)}</style>
      </head>
      <body>
        <header>
          <h1>${names.length === 1 ? "Run" : "Runs"} ${
    names.map((name, at) => markup`${at === 0 ? "" : ", "}<bdi>${name}</bdi>`)
  }</h1>
        </header>
        <main>
    ${bodyOf(parts)}
        </main>
        <footer>
          <p class="meta">Made by Tracekit ${parts.version} from the records of the run. The page needs no
    network and sends nothing; its address keeps what is on screen.</p>
        </footer>
        <script type="application/octet-stream" id="payload">
  `;
  const after = markup`
    </script>
    <script>${new Markup(script)}</script>
    </body>
    </html>
  `;
  return [before.text, parts.payload, after.text];
}

function bodyOf({ runs, comparisons, figures }: PageParts): Markup {
  const isSingle = runs.length === 1;
  return markup`
    ${
    isSingle
      ? ""
      : markup`<section id="comparison"><h2>Comparison</h2>${comparisonOf(comparisons)}</section>`
  }
    ${
    runs.map(({ summary, audits }) =>
      isSingle
        ? markup`<section id="overview">${overviewOf(summary, audits)}</section>`
        : markup`<section><h2><bdi>${shownName(summary.name)}</bdi></h2>${
          overviewOf(summary, audits)
        }</section>`
    )
  }
    ${TIMELINE}
    <section id="distributions">
      <h2>Distributions</h2>
      <div class="plots">${figures.map(figureOf)}</div>
    </section>
    ${
    runs.filter(({ summary }) => summary.kind === "measured").map((
      { summary, audits, provenance },
    ) =>
      markup`<section><h2>Data quality${
        isSingle ? "" : markup`
          of <bdi>${shownName(summary.name)}</bdi>
        `
      }</h2>${qualityOf(audits)}</section>${
        provenance === null ? "" : markup`<section><h2>Provenance${
          isSingle ? "" : markup`
            of <bdi>${shownName(summary.name)}</bdi>
          `
        }</h2>${provenanceOf(provenance)}</section>`
      }`
    )
  }
  `;
}

/** The part that the page's program fills. */
const TIMELINE = markup`
  <section id="timeline">
    <h2>Timeline</h2>
    <p class="note">Each bar is a task. Above, tasks wait in the queue; below, they run on their nodes. Drag to
  zoom into a part, click a task for its details.</p>
    <details class="screen-only"><summary>More on reading and keys</summary><p>Where bars are narrower than a
  pixel, the pixel has the colour of most of them; in colours by state, one failure among many successes keeps
  its colour. The pale part at the beginning of a bar is the time in which the task was started; a cross marks a
  task that was not done. With Ctrl the wheel zooms, with Shift it moves; dragging with Shift moves too. On the
  chart, arrow keys move, + and − zoom, 0 shows the whole run, n and p go to the next and the previous task,
  Escape selects none. The address of the page keeps what is on screen.</p></details>
    <form class="tools screen-only" id="tools">
  <label id="run-label">Run <select id="run"></select></label>
  <label>Colour by <select id="colour"></select></label>
  <label>Node <select id="node"></select></label>
  <label>Find task <input type="search" id="search" size="16" autocomplete="off" spellcheck="false"></label>
  <button type="submit">Find</button><span id="search-result" role="status"></span>
  <span class="group"><button type="button" id="zoom-in" aria-label="Zoom in">+</button>
  <button type="button" id="zoom-out" aria-label="Zoom out">−</button>
  <button type="button" id="zoom-all">Whole run</button></span>
  <span class="meta" id="range"></span>
    </form>
    <ul class="legend" id="legend"></ul>
    <div class="chart">
      <canvas class="map" id="map" aria-hidden="true"></canvas>
      <canvas class="gantt" id="gantt" tabindex="0" role="application" aria-roledescription="timeline"
        aria-label="Timeline of tasks; the table below has the same tasks"
        aria-describedby="timeline-status"></canvas>
      <div class="brush" id="brush" hidden></div>
      <div class="tip" id="tip" hidden></div>
    </div>
    <p class="hidden" id="timeline-status" role="status"></p>
    <div class="tools screen-only" id="save"></div>
    <div id="task" aria-live="polite"></div>
    <div id="series" class="chart"></div>
    <details id="task-table">
      <summary>Tasks in view as a table</summary>
      <div id="tasks"></div>
    </details>
  </section>
`;

function figureOf(figure: Figure): Markup {
  const { id, title, caption, svg, columns, rows, legend, hasAreas = false } = figure;
  return markup`
    <figure
      data-name="${id}"><h3>${title}</h3>${
    legend.length === 0
      ? ""
      : markup`<ul class="legend">${
        legend.map((name, at) =>
          markup`<li><svg viewBox="0 0 26 12" aria-hidden="true"><path d="M0 6H26" stroke="var(--series-${
            at % COLOURS
          })" stroke-width="${hasAreas ? 10 : 2.4}" stroke-dasharray="${
            hasAreas ? "none" : strokeOf(at)
          }"/></svg><bdi>${name}</bdi></li>`
        )
      }</ul>`
  }${new Markup(svg)}<figcaption>${caption}</figcaption>
    <details><summary>Table</summary><div class="scroll"><table><thead><tr>${
    columns.map((name) => markup`<th scope="col">${name}</th>`)
  }</tr></thead><tbody>${
    rows.map((row) =>
      markup`<tr>${
        row.map((value) =>
          typeof value === "number"
            ? markup`<td data-value="${String(value)}">${numberText(value)}</td>`
            : markup`<td class="text"><bdi>${value}</bdi></td>`
        )
      }</tr>`
    )
  }</tbody></table></div></details></figure>
  `;
}
