/**
 * Figures for papers: pictures that need no page, their data and captions, and the lines that include them.
 * Pure.
 *
 * @module
 */

import { COLOURS, type Figure, strokeOf } from "./figures.ts";

/** Colours of pictures: those of the page, or greys that a copier keeps apart. */
const THEMES = {
  colour: {
    series: ["#0072b2", "#d55e00", "#009e73", "#a8588f", "#b58900", "#3fa3dc", "#6b6b6b"],
  },
  grey: {
    series: ["#000000", "#777777", "#bbbbbb", "#444444", "#999999", "#dddddd", "#222222"],
  },
} as const;

/** Name of a theme. */
export type ThemeName = keyof typeof THEMES;

/** Widths of a column and of a page of a paper with two columns, inches. */
export const WIDTHS = { column: 3.33, page: 7 } as const;

/** Pixels of an inch in SVG. */
export const PX_PER_INCH = 96;

/** Height of a line of the legend, px. */
const LEGEND_PX = 16;

/** Length of the sample in a legend, px. */
const SAMPLE_PX = 22;

/** Width of a letter of the legend, px, roughly: enough to lay it out. */
const LETTER_PX = 6;

function valuesOf(theme: ThemeName): Readonly<Record<string, string>> {
  const series = THEMES[theme].series.map((colour, at) => [`--series-${at}`, colour] as const);
  return {
    ...Object.fromEntries(series),
    "--paper": "#ffffff",
    "--rule": "#d0d0d0",
    "--muted": "#666666",
  };
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

interface Legend {
  readonly markup: string;
  readonly height: number;
}

function legendOf({ legend, hasAreas = false }: Figure, width: number): Legend {
  let x = 0;
  let line = 0;
  const items = legend.map((name, at) => {
    const length = SAMPLE_PX + 6 + name.length * LETTER_PX + 12;
    if (x > 0 && x + length > width) [x, line] = [0, line + 1];
    const y = line * LEGEND_PX + LEGEND_PX / 2;
    const markup = `<path d="M${x} ${y}h${SAMPLE_PX}" stroke="var(--series-${at % COLOURS})" ` +
      `stroke-width="${hasAreas ? 8 : 1.8}" stroke-dasharray="${
        hasAreas ? "none" : strokeOf(at)
      }"/>` +
      `<text x="${x + SAMPLE_PX + 5}" y="${y}" dy="0.32em">${escaped(name)}</text>`;
    x += length;
    return markup;
  });
  const height = legend.length === 0 ? 0 : (line + 1) * LEGEND_PX + 4;
  return { markup: items.join(""), height };
}

/** `figure` as a picture of its own, of its drawn width, with its legend and its colours written out. */
export function standaloneSvg(figure: Figure, { theme }: { readonly theme: ThemeName }): string {
  const [, width = 0, height = 0] = (/viewBox="0 0 ([\d.]+) ([\d.]+)"/.exec(figure.svg) ?? [])
    .map(Number);
  const legend = legendOf(figure, width);
  const all = height + legend.height;
  const values = valuesOf(theme);
  const inner = figure.svg.replace("<svg ", `<svg y="${legend.height}" `);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${all}" ` +
    `width="${(width / PX_PER_INCH).toFixed(3)}in" height="${(all / PX_PER_INCH).toFixed(3)}in" ` +
    `font-family="Helvetica, Arial, DejaVu Sans, sans-serif" font-size="10">` +
    `<rect width="100%" height="100%" fill="#ffffff"/>` +
    `<g fill="#000000">${legend.markup}</g>${inner}</svg>\n`
      .replaceAll("currentColor", "#000000")
      .replaceAll(/var\((--[\w-]+)\)/g, (_, name: string) => values[name] ?? "#000000")
      .replaceAll('font-family="system-ui, sans-serif"', "");
}

/** The data of `figure` as a CSV file (RFC 4180). */
export function csvOf({ columns, rows }: Figure): string {
  const line = (values: readonly (string | number)[]) =>
    values.map((value) => {
      const text = String(value);
      return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
    }).join(",");
  return `${[columns, ...rows].map(line).join("\r\n")}\r\n`;
}

/** Lines for LaTeX that include each figure with its caption. */
export function latexOf(figures: readonly Figure[]): string {
  return figures.map(({ id, caption }) =>
    [
      "\\begin{figure}",
      "  \\centering",
      `  \\includegraphics[width=\\columnwidth]{${id}.pdf}`,
      `  \\caption{${latexText(caption)}}`,
      `  \\label{fig:${id}}`,
      "\\end{figure}",
      "",
    ].join("\n")
  ).join("\n");
}

function latexText(text: string): string {
  return text.replaceAll("\\", "\\textbackslash{}").replaceAll(/[%&#_${}]/g, (one) => `\\${one}`);
}
