/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/**
 * Figures of the page as files: SVG with its colours written out, CSV of its table.
 *
 * @module
 */

import type { ReadRun } from "../run_columns.ts";
import { shownName } from "../words.ts";
import { type Colours, styleValue } from "./colouring.ts";
import { csvOf, make, saveFile } from "./elements.ts";
import type { Gantt } from "./gantt.ts";

/** Tasks up to which a picture has a shape of each; beyond, the pixels of the screen. */
const SHAPES = 20_000;

/** `text` with the page's variables replaced by their values, so that it needs no page. */
function withColours(text: string): string {
  return text.replaceAll(/var\((--[\w-]+)\)/g, (_, name: string) => styleValue(name))
    .replaceAll("currentColor", styleValue("--ink"));
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}

/** Buttons that save the picture and the table of each figure of the page. */
export function addSaveButtons(): void {
  for (const figure of document.querySelectorAll<HTMLElement>("figure[data-name]")) {
    const svg = figure.querySelector(":scope > svg");
    const table = figure.querySelector("table");
    const name = figure.dataset.name as string;
    const tools = make("div", { class: "tools screen-only" });
    if (svg !== null) {
      tools.append(
        button(
          "Save SVG",
          () =>
            saveFile(`${name}.svg`, { text: withColours(svg.outerHTML), type: "image/svg+xml" }),
        ),
      );
    }
    if (table !== null) {
      tools.append(
        button(
          "Save CSV",
          () => saveFile(`${name}.csv`, { text: csvOfTable(table), type: "text/csv" }),
        ),
      );
    }
    figure.append(tools);
  }
}

/** A button. */
export function button(label: string, onClick: () => void): HTMLButtonElement {
  const made = make("button", { type: "button", class: "link" }, label);
  made.addEventListener("click", onClick);
  return made;
}

function csvOfTable(table: HTMLTableElement): string {
  const [head = [], ...rows] = [...table.rows].map((row) =>
    // What a cell shows is rounded; the attribute has the exact value.
    [...row.cells].map((cell) => cell.dataset.value ?? cell.textContent ?? "")
  );
  return csvOf(head, rows);
}

/** The timeline as SVG. */
export function timelineSvg(
  gantt: Gantt,
  { run, colours }: { readonly run: ReadRun; readonly colours: Colours },
): string {
  const { width, height } = gantt.canvas.getBoundingClientRect();
  const boxes = gantt.boxes(SHAPES);
  const number = (value: number) => value.toFixed(2);
  const body = boxes === null
    ? `<image width="${width}" height="${height}" href="${gantt.canvas.toDataURL("image/png")}"/>`
    : boxes.map(({ task, x, y, width, height }) => {
      const colour = colours.meanings[colours.of[task] as number]?.colour ?? "#000000";
      const title = escaped(shownName(run.tasks.ids[task] as string));
      return `<rect x="${number(x)}" y="${number(y)}" width="${number(width)}" ` +
        `height="${number(height)}" fill="${colour}"><title>${title}</title></rect>`;
    }).join("\n");
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" ` +
    `height="${height}"><title>${
      escaped(shownName(run.head.id))
    }: timeline</title>\n${body}\n</svg>\n`;
}
