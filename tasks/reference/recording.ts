/**
 * A recording of a terminal as an SVG that plays once when it is opened, and shows the end where
 * animations are not supported.
 */

/** A line as it came. */
export interface RecordedLine {
  /** Time since the start, ms. */
  readonly atMs: number;
  /** What it says, without colours. */
  readonly text: string;
}

/** What is around the lines. */
export interface RecordingOptions {
  /** The command, as a person types it. */
  readonly command: string;
  /** Length of the film, ms; the real times are scaled to it. */
  readonly filmMs: number;
}

const COLUMNS = 104;
const ROWS = 30;
const CHARACTER_PX = 7.3;
const LINE_PX = 17;
const MARGIN_PX = 14;
const TITLE_PX = 30;

const STYLE =
  `text{font:12px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;white-space:pre;fill:#d1d5db}
.prompt{fill:#93c5fd;font-weight:600}.pass{fill:#86efac}.head{fill:#fde68a}.title{fill:#9ca3af}
@media (prefers-reduced-motion:no-preference){.line{animation:on 1ms linear both}.film{animation:scroll linear both step-end}}
@keyframes on{from{opacity:0}to{opacity:1}}`;

/** The SVG of `lines`, which are in the order of their times. */
export function svgOf(
  lines: readonly RecordedLine[],
  { command, filmMs }: RecordingOptions,
): string {
  const realMs = Math.max(1, lines.at(-1)?.atMs ?? 1);
  const shown = [{ atMs: 0, text: `$ ${command}` }, ...lines];
  const width = Math.ceil(COLUMNS * CHARACTER_PX + 2 * MARGIN_PX);
  const height = TITLE_PX + ROWS * LINE_PX + MARGIN_PX;
  const texts = shown.map(({ atMs, text }, row) => {
    const delayS = (atMs / realMs * filmMs / 1000).toFixed(2);
    return `<text class="line ${classOf(text, row)}" x="${MARGIN_PX}" y="${(row + 1) * LINE_PX}" ` +
      `style="animation-delay:${delayS}s">${escaped(cut(text))}</text>`;
  });
  const end = -LINE_PX * Math.max(0, shown.length - ROWS);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img">`,
    `<title>${escaped(command)}</title>`,
    `<style>${STYLE}\n${
      scrollKeyframes(shown, realMs)
    }.film{animation-duration:${filmMs}ms}</style>`,
    `<rect width="${width}" height="${height}" rx="8" fill="#111827"/>`,
    ...[20, 40, 60].map((x) => `<circle cx="${x}" cy="16" r="5" fill="#374151"/>`),
    `<text class="title" x="80" y="20">${escaped(command)} (${seconds(realMs)} s, played in ${
      seconds(filmMs)
    } s)</text>`,
    `<svg y="${TITLE_PX}" width="${width}" height="${ROWS * LINE_PX + 4}" overflow="hidden">`,
    `<g class="film" transform="translate(0 ${end})">`,
    ...texts,
    "</g>",
    "</svg>",
    "</svg>",
    "",
  ].join("\n");
}

/** Steps of the film: each line beyond the last row moves all of them up by one. */
function scrollKeyframes(lines: readonly RecordedLine[], realMs: number): string {
  const steps = lines.flatMap(({ atMs }, row) =>
    row < ROWS ? [] : [
      `${(100 * Math.min(1, atMs / realMs)).toFixed(2)}%{transform:translateY(${
        -LINE_PX * (row + 1 - ROWS)
      }px)}`,
    ]
  );
  return `@keyframes scroll{0%{transform:translateY(0)}${steps.join("")}}\n`;
}

function classOf(text: string, row: number): string {
  if (row === 0) return "prompt";
  if (/^PASS|: PASS$/.test(text)) return "pass";
  return /^task +profile/.test(text) ? "head" : "";
}

function cut(text: string): string {
  return text.length <= COLUMNS ? text : `${text.slice(0, COLUMNS - 1)}…`;
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(0);
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
