/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/**
 * The timeline: tasks that wait, and tasks on their nodes, on one canvas.
 *
 * @module
 */

import { firstEndingAfter, hitRow, type PackedRows } from "../lanes.ts";
import { paintRows } from "../raster.ts";
import type { ReadRun } from "../run_columns.ts";
import { shownName, timeTicks } from "../words.ts";
import { categoriesOf, type Colours, styleValue } from "./colouring.ts";
import { contrasting, cross, fitted } from "./marks.ts";
import { type Band, commonPrefix, type Packed, rowOf } from "./rows.ts";
import type { View } from "./view.ts";

/** Room for names at the left, CSS pixels. */
export function gutterOf(width: number): number {
  return width < 600 ? 58 : 96;
}

const AXIS_PX = 22;
const TITLE_PX = 18;
const ROW_MOST_PX = 18;
/** Height of all rows of tasks on nodes, and of those that wait. */
const HEIGHTS = { nodes: 420, waiting: 130 } as const;

/** Tasks in view up to which each gets its label and its marks. */
const LABELLED = 1500;

/** What a point of the canvas is. */
export interface Pointed {
  /** Moment, ms since the run's zero. */
  readonly ms: number;
  /** The task there; null: none. */
  readonly task: number | null;
}

/** The canvas and how it is painted. */
export class Gantt {
  readonly canvas: HTMLCanvasElement;
  readonly #buffer = document.createElement("canvas");
  #bands: readonly Band[] = [];
  #width = 0;
  #height = 0;
  #view: View;
  #run: ReadRun;
  #packed: Packed;
  #colours: Colours;
  #prefix = 0;
  #categories = new Map<PackedRows, ReturnType<typeof categoriesOf>>();

  constructor(canvas: HTMLCanvasElement, given: {
    readonly run: ReadRun;
    readonly packed: Packed;
    readonly colours: Colours;
    readonly view: View;
  }) {
    this.canvas = canvas;
    this.#run = given.run;
    this.#packed = given.packed;
    this.#colours = given.colours;
    this.#view = given.view;
    this.#prefix = commonPrefix(given.run.tasks.ids);
  }

  /** Show another run, or the same in other colours. */
  show(
    { run, packed, colours }: {
      readonly run: ReadRun;
      readonly packed: Packed;
      readonly colours: Colours;
    },
  ): void {
    this.#run = run;
    this.#packed = packed;
    this.#colours = colours;
    this.#categories = new Map();
    this.#prefix = commonPrefix(run.tasks.ids);
  }

  /** Width of the part in which time runs, CSS pixels. */
  get plotWidth(): number {
    return Math.max(1, this.#width - gutterOf(this.#width));
  }

  /** Paint `view`. */
  paint(view: View): void {
    this.#view = view;
    const width = Math.max(200, this.canvas.parentElement?.clientWidth ?? 800);
    this.#bands = this.#layOut(view);
    const last = this.#bands.at(-1);
    const height = AXIS_PX + (last === undefined ? 40 : last.top + last.height - AXIS_PX) + 4;
    const scale = devicePixelRatio || 1;
    if (width !== this.#width || height !== this.#height || this.canvas.width !== width * scale) {
      this.#width = width;
      this.#height = height;
      this.canvas.width = Math.round(width * scale);
      this.canvas.height = Math.round(height * scale);
      this.canvas.style.height = `${height}px`;
    }
    const context = this.canvas.getContext("2d") as CanvasRenderingContext2D;
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.clearRect(0, 0, width, height);
    context.font = `12px ${getComputedStyle(document.body).fontFamily}`;
    this.#paintAxis(context);
    for (const band of this.#bands) this.#paintBand(context, { band, scale });
    this.#paintSelection(context);
  }

  #layOut(view: View): Band[] {
    const bands: Band[] = [];
    let top = AXIS_PX;
    const { waiting, nodes } = this.#packed;
    const add = (
      kind: Band["kind"],
      packed: PackedRows,
      { title, firstRow, lastRow, most }: {
        readonly title: string;
        readonly firstRow: number;
        readonly lastRow: number;
        readonly most: number;
      },
    ) => {
      const rows = lastRow - firstRow;
      if (rows === 0) return;
      const fit = most / rows;
      const rowHeight = fit < 1 ? fit : Math.min(ROW_MOST_PX, Math.floor(fit));
      const height = Math.max(1, Math.round(rows * rowHeight));
      bands.push({
        kind,
        title,
        packed,
        firstRow,
        lastRow,
        rowHeight,
        top: top + TITLE_PX,
        height,
      });
      top += TITLE_PX + height + 6;
    };
    if (waiting !== null && view.node === null) {
      add("waiting", waiting, {
        title: "Waiting in the queue",
        firstRow: 0,
        lastRow: waiting.rows,
        most: HEIGHTS.waiting,
      });
    }
    const group = view.node;
    const isOne = group !== null && group + 1 < nodes.groupFirst.length;
    add("nodes", nodes, {
      title: isOne ? "On this node" : "On their nodes",
      firstRow: isOne ? nodes.groupFirst[group] as number : 0,
      lastRow: isOne ? nodes.groupFirst[group + 1] as number : nodes.rows,
      most: HEIGHTS.nodes,
    });
    return bands;
  }

  #xOf(ms: number): number {
    const { from, to } = this.#view;
    return gutterOf(this.#width) + (ms - from) / (to - from) * this.plotWidth;
  }

  #paintAxis(context: CanvasRenderingContext2D): void {
    const { from, to } = this.#view;
    context.textAlign = "center";
    context.textBaseline = "middle";
    for (const { ms, text } of timeTicks({ from, to, count: this.plotWidth / 90 })) {
      const x = Math.round(this.#xOf(ms)) + 0.5;
      context.strokeStyle = styleValue("--rule");
      context.beginPath();
      context.moveTo(x, AXIS_PX - 4);
      context.lineTo(x, this.#height);
      context.stroke();
      context.fillStyle = styleValue("--muted");
      const half = context.measureText(text).width / 2;
      context.fillText(text, Math.min(this.#width - half, x), AXIS_PX / 2);
    }
  }

  #paintBand(
    context: CanvasRenderingContext2D,
    { band, scale }: { readonly band: Band; readonly scale: number },
  ): void {
    const gutter = gutterOf(this.#width);
    context.textAlign = "left";
    context.textBaseline = "middle";
    context.fillStyle = styleValue("--ink");
    context.fillText(band.title, 0, band.top - TITLE_PX / 2);
    const width = Math.round(this.plotWidth * scale);
    const height = Math.max(1, Math.round(band.height * scale));
    const pixels = new Uint32Array(width * height);
    const rowHeight = band.rowHeight * scale;
    paintRows(band.packed, {
      view: {
        from: this.#view.from,
        to: this.#view.to,
        width,
        height,
        firstRow: band.firstRow,
        lastRow: band.lastRow,
        rowHeight: rowHeight < 1 ? rowHeight : Math.round(rowHeight),
      },
      categories: this.#categoriesOf(band.packed),
      pixels,
    });
    this.#buffer.width = width;
    this.#buffer.height = height;
    const image = new ImageData(new Uint8ClampedArray(pixels.buffer), width, height);
    this.#buffer.getContext("2d")?.putImageData(image, 0, 0);
    context.drawImage(this.#buffer, gutter, band.top, this.plotWidth, band.height);
    if (band.kind === "nodes") this.#paintNodes(context, band);
    this.#paintLabels(context, band);
  }

  #categoriesOf(packed: PackedRows): ReturnType<typeof categoriesOf> {
    const done = this.#categories.get(packed);
    if (done !== undefined) return done;
    const made = categoriesOf(this.#colours, packed);
    this.#categories.set(packed, made);
    return made;
  }

  /** Names of nodes at the left, as many as there is room for, and lines between nodes. */
  #paintNodes(context: CanvasRenderingContext2D, band: Band): void {
    const { groupFirst } = band.packed;
    const gutter = gutterOf(this.#width);
    let free = band.top;
    context.textAlign = "right";
    for (let group = 0; group + 1 < groupFirst.length; group++) {
      const first = groupFirst[group] as number;
      const last = groupFirst[group + 1] as number;
      if (last <= band.firstRow || first >= band.lastRow || first === last) continue;
      const top = band.top + (first - band.firstRow) * band.rowHeight;
      const bottom = band.top + (last - band.firstRow) * band.rowHeight;
      if (bottom - top >= 8 && first > band.firstRow) {
        context.fillStyle = styleValue("--rule");
        context.fillRect(0, Math.round(top) - 1, this.#width, 1);
      }
      const middle = (top + bottom) / 2;
      if (middle - 7 < free && middle !== top && free !== band.top) continue;
      context.fillStyle = styleValue("--muted");
      context.fillText(
        fitted(context, shownName(this.#packed.names[group] as string), gutter - 8),
        gutter - 6,
        middle,
      );
      free = middle + 8;
    }
  }

  /** Tasks of `band` in view; null: more than `most`. */
  #inView(band: Band, most: number): { task: number; row: number }[] | null {
    const { packed } = band;
    const found: { task: number; row: number }[] = [];
    for (let row = band.firstRow; row < band.lastRow; row++) {
      const stop = packed.first[row + 1] as number;
      for (
        let at = firstEndingAfter(packed, { row, time: this.#view.from });
        at < stop && (packed.begin[at] as number) < this.#view.to;
        at++
      ) {
        found.push({ task: packed.item[at] as number, row });
        if (found.length > most) return null;
      }
    }
    return found;
  }

  #boxOf(band: Band, { task, row }: { readonly task: number; readonly row: number }): {
    readonly x: number;
    readonly y: number;
    readonly width: number;
    readonly height: number;
  } {
    const { tasks } = this.#run;
    const [begin, end] = band.kind === "waiting"
      ? [tasks.enqueue[task] as number, tasks.begin[task] as number]
      : [tasks.begin[task] as number, tasks.end[task] as number];
    const left = Math.max(gutterOf(this.#width), this.#xOf(begin));
    const right = Math.min(this.#width, this.#xOf(Number.isNaN(end) ? this.#run.head.spanMs : end));
    const y = band.top + (row - band.firstRow) * band.rowHeight;
    return {
      x: left,
      y,
      width: Math.max(1, right - left),
      height: Math.max(1, band.rowHeight - 1),
    };
  }

  /** What each task is called, the part in which it started, and a cross on what did not end well. */
  #paintLabels(context: CanvasRenderingContext2D, band: Band): void {
    if (band.rowHeight < 9) return;
    const shown = this.#inView(band, LABELLED);
    if (shown === null) return;
    const { tasks } = this.#run;
    const ids = tasks.ids;
    const paper = styleValue("--paper");
    context.textAlign = "left";
    for (const one of shown) {
      const box = this.#boxOf(band, one);
      const { [one.task]: colour = 0 } = this.#colours.of;
      if (band.kind === "nodes") {
        const start = this.#xOf(tasks.start[one.task] as number);
        if (start - box.x > 1) {
          context.fillStyle = paper;
          context.globalAlpha = 0.6;
          context.fillRect(box.x, box.y, Math.min(start - box.x, box.width), box.height);
          context.globalAlpha = 1;
        }
        const state = tasks.nameOf("state", one.task);
        if (state !== "done" && state !== "running" && box.width > 8) {
          cross(context, { x: box.x + box.width - 6, y: box.y + box.height / 2 });
        }
      }
      // Bars that follow each other at once are told apart by a line of background.
      context.fillStyle = paper;
      if (box.width > 3) context.fillRect(box.x, box.y, 1, box.height);
      if (box.width < 34 || band.rowHeight < 12) continue;
      context.fillStyle = contrasting(this.#colours.meanings[colour]?.colour ?? "#000000");
      const label = fitted(
        context,
        shownName((ids[one.task] as string).slice(this.#prefix)),
        box.width - 18,
      );
      context.fillText(label, box.x + 4, box.y + box.height / 2 + 0.5);
    }
  }

  #paintSelection(context: CanvasRenderingContext2D): void {
    const task = this.#view.task;
    if (task === null || task >= this.#run.tasks.count) return;
    context.strokeStyle = styleValue("--ink");
    context.lineWidth = 2;
    for (const band of this.#bands) {
      const row = rowOf(band.packed, task);
      if (row === null || row < band.firstRow || row >= band.lastRow) continue;
      const box = this.#boxOf(band, { task, row });
      context.strokeRect(
        box.x - 1,
        box.y - 1,
        Math.max(4, box.width + 2),
        Math.max(4, box.height + 2),
      );
    }
    context.lineWidth = 1;
  }

  /** What is at a point of the canvas, CSS pixels from its corner. */
  at(x: number, y: number): Pointed {
    const { from, to } = this.#view;
    const perPixel = (to - from) / this.plotWidth;
    const ms = from + (x - gutterOf(this.#width)) * perPixel;
    const band = this.#bands.find(({ top, height }) => y >= top && y < top + height);
    if (band === undefined || x < gutterOf(this.#width)) return { ms, task: null };
    const place = band.firstRow + Math.floor((y - band.top) / band.rowHeight);
    // Where rows are narrower than a pixel, the pointer is on several of them.
    const stop = Math.max(
      place + 1,
      band.firstRow + Math.ceil((y + 1 - band.top) / band.rowHeight),
    );
    for (const tolerance of [0, 3 * perPixel]) {
      for (let row = place; row < Math.min(stop, band.lastRow); row++) {
        const task = hitRow(band.packed, { row, time: ms, tolerance });
        if (task !== null) return { ms, task };
      }
    }
    return { ms, task: null };
  }

  /** Tasks in view, in the order of rows, then time; null: more than `most`. */
  tasksInView(most: number): number[] | null {
    const band = this.#bands.find(({ kind }) => kind === "nodes");
    if (band === undefined) return [];
    return this.#inView(band, most)?.map(({ task }) => task) ?? null;
  }

  /** Boxes of all tasks in view for a picture of lines; null: more than `most`. */
  boxes(
    most: number,
  ): { task: number; x: number; y: number; width: number; height: number }[] | null {
    const all = [];
    for (const band of this.#bands) {
      const shown = this.#inView(band, most);
      if (shown === null) return null;
      for (const one of shown) all.push({ task: one.task, ...this.#boxOf(band, one) });
    }
    return all;
  }
}
