/// <reference lib="dom" />
/**
 * The strip above the timeline: all of the run, and which part of it is shown.
 *
 * @module
 */

import { loadOf } from "../load.ts";
import type { ReadRun } from "../run_columns.ts";
import { styleValue } from "./colouring.ts";
import { gutterOf } from "./gantt.ts";
import type { View } from "./view.ts";

const HEIGHT_PX = 34;

/** What the strip tells its owner. */
export interface MapOwner {
  /** The pointer asks for this moment, ms since the run's zero, in the middle of the view. */
  readonly onMoved: (ms: number) => void;
}

/** The strip. */
export class RunMap {
  readonly #canvas: HTMLCanvasElement;
  #spanMs = 1;
  #drawn: { readonly run: ReadRun; readonly width: number; readonly load: Float64Array } | null =
    null;

  constructor(canvas: HTMLCanvasElement, owner: MapOwner) {
    this.#canvas = canvas;
    let isPressed = false;
    const follow = (event: PointerEvent) => {
      const box = canvas.getBoundingClientRect();
      const gutter = gutterOf(box.width);
      const part = (event.clientX - box.left - gutter) / Math.max(1, box.width - gutter);
      owner.onMoved(part * this.#spanMs);
    };
    canvas.addEventListener("pointerdown", (event) => {
      isPressed = true;
      canvas.setPointerCapture(event.pointerId);
      follow(event);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (isPressed) follow(event);
    });
    canvas.addEventListener("pointerup", () => isPressed = false);
  }

  /** Draw which part of `run` is in `view`. */
  paint(run: ReadRun, view: View): void {
    const width = Math.max(200, this.#canvas.parentElement?.clientWidth ?? 800);
    const gutter = gutterOf(width);
    const plot = Math.max(1, width - gutter);
    this.#spanMs = Math.max(1, run.head.spanMs);
    const load = this.#loadOf(run, { width, count: Math.ceil(plot) });
    const scale = devicePixelRatio || 1;
    this.#canvas.width = Math.round(width * scale);
    this.#canvas.height = Math.round(HEIGHT_PX * scale);
    this.#canvas.style.height = `${HEIGHT_PX}px`;
    const context = this.#canvas.getContext("2d") as CanvasRenderingContext2D;
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.font = `12px ${getComputedStyle(document.body).fontFamily}`;
    context.textBaseline = "middle";
    context.fillStyle = styleValue("--muted");
    context.fillText(gutter < 70 ? "All" : "Whole run", 0, HEIGHT_PX / 2);
    const most = load.reduce((all, one) => Math.max(all, one), 1e-9);
    context.fillStyle = styleValue("--other");
    load.forEach((one, at) => {
      const bar = one / most * (HEIGHT_PX - 4);
      context.fillRect(gutter + at, HEIGHT_PX - bar, 1, bar);
    });
    const x = (ms: number) => gutter + ms / this.#spanMs * plot;
    const [from, to] = [x(view.from), x(view.to)];
    context.fillStyle = styleValue("--paper");
    context.globalAlpha = 0.65;
    context.fillRect(gutter, 0, from - gutter, HEIGHT_PX);
    context.fillRect(to, 0, width - to, HEIGHT_PX);
    context.globalAlpha = 1;
    context.strokeStyle = styleValue("--accent");
    context.lineWidth = 2;
    context.strokeRect(from + 1, 1, Math.max(2, to - from - 2), HEIGHT_PX - 2);
  }

  #loadOf(
    run: ReadRun,
    { width, count }: { readonly width: number; readonly count: number },
  ): Float64Array {
    if (this.#drawn?.run === run && this.#drawn.width === width) return this.#drawn.load;
    const { begin, end } = run.tasks;
    const load = loadOf({ begin, end }, { from: 0, to: this.#spanMs, count });
    this.#drawn = { run, width, load };
    return load;
  }
}
