/// <reference lib="dom" />
/**
 * The pointer on the timeline: what is under it, zooming by a brush, moving, selecting.
 *
 * @module
 */

import type { ReadRun } from "../run_columns.ts";
import { durationText, shownName } from "../words.ts";
import { byId, make } from "./elements.ts";
import { type Gantt, gutterOf } from "./gantt.ts";
import { type View, zoomed } from "./view.ts";

/** Pixels that a pointer may move in a click. */
const CLICK_PX = 4;

/** Part of the view that a step of a wheel zooms by. */
const WHEEL_FACTOR = 0.002;

/** What the pointer tells its owner, and asks of it. */
export interface PointerOwner {
  readonly view: () => View;
  readonly run: () => ReadRun;
  readonly onView: (view: View) => void;
}

interface Press {
  readonly x: number;
  readonly view: View;
  readonly isPan: boolean;
}

/** Listens to the pointer on the canvas of a timeline. */
export class TimelinePointer {
  readonly #gantt: Gantt;
  readonly #canvas: HTMLCanvasElement;
  readonly #owner: PointerOwner;
  readonly #tip = byId("tip");
  readonly #brushBox = byId("brush");
  #press: Press | null = null;
  #brush: readonly [number, number] | null = null;

  constructor(gantt: Gantt, owner: PointerOwner) {
    this.#gantt = gantt;
    this.#canvas = gantt.canvas;
    this.#owner = owner;
    const canvas = this.#canvas;
    canvas.addEventListener("pointerdown", (event) => this.#onDown(event));
    canvas.addEventListener("pointermove", (event) => this.#onMove(event));
    canvas.addEventListener("pointerup", (event) => this.#onUp(event));
    canvas.addEventListener("pointerleave", () => this.#tip.hidden = true);
    canvas.addEventListener("pointercancel", () => this.#press = null);
    canvas.addEventListener("wheel", (event) => this.#onWheel(event), { passive: false });
  }

  #placeOf(event: MouseEvent): [number, number] {
    const box = this.#canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  #onDown(event: PointerEvent): void {
    const [x] = this.#placeOf(event);
    const isPan = event.shiftKey || event.pointerType === "touch";
    this.#press = { x, view: this.#owner.view(), isPan };
    this.#canvas.setPointerCapture(event.pointerId);
  }

  #onMove(event: PointerEvent): void {
    const [x, y] = this.#placeOf(event);
    if (this.#press === null) return this.#showTip(x, y);
    if (Math.abs(x - this.#press.x) < CLICK_PX) return;
    this.#tip.hidden = true;
    if (!this.#press.isPan) {
      this.#brush = [Math.min(x, this.#press.x), Math.max(x, this.#press.x)];
      this.#showBrush();
      return;
    }
    const { view } = this.#press;
    const shift = (this.#press.x - x) * (view.to - view.from) / this.#gantt.plotWidth;
    this.#owner.onView({ ...view, from: view.from + shift, to: view.to + shift });
  }

  #onUp(event: PointerEvent): void {
    const [x, y] = this.#placeOf(event);
    const [brush, press] = [this.#brush, this.#press];
    this.#press = null;
    this.#brush = null;
    this.#showBrush();
    const view = this.#owner.view();
    if (brush !== null) {
      const [from, to] = brush.map((one) => this.#gantt.at(one, 0).ms) as [number, number];
      this.#owner.onView({ ...view, from, to });
    } else if (press !== null && Math.abs(x - press.x) < CLICK_PX) {
      this.#owner.onView({ ...view, task: this.#gantt.at(x, y).task });
    }
  }

  #onWheel(event: WheelEvent): void {
    const isSideways = Math.abs(event.deltaX) > Math.abs(event.deltaY);
    const isZoom = event.ctrlKey || event.metaKey;
    // Without a key the wheel scrolls the page, as everywhere.
    if (!isZoom && !event.shiftKey && !isSideways) return;
    event.preventDefault();
    const [x, y] = this.#placeOf(event);
    const view = this.#owner.view();
    if (isZoom) {
      const factor = Math.exp(event.deltaY * WHEEL_FACTOR);
      this.#owner.onView(zoomed(view, { factor, at: this.#gantt.at(x, y).ms }));
      return;
    }
    const moved = (isSideways ? event.deltaX : event.deltaY) / this.#gantt.plotWidth;
    const shift = (view.to - view.from) * moved;
    this.#owner.onView({ ...view, from: view.from + shift, to: view.to + shift });
  }

  #showTip(x: number, y: number): void {
    const { task } = this.#gantt.at(x, y);
    this.#tip.hidden = task === null;
    this.#canvas.style.cursor = task === null ? "crosshair" : "pointer";
    if (task === null) return;
    const { tasks } = this.#owner.run();
    const wait = (tasks.start[task] as number) - (tasks.enqueue[task] as number);
    const about = (["profile", "state", "node"] as const)
      .flatMap((column) => tasks.nameOf(column, task) ?? []).map(shownName).join(", ");
    this.#tip.replaceChildren(
      make("b", {}, make("bdi", {}, shownName(tasks.ids[task] as string))),
      make("br"),
      make("bdi", {}, about),
      make("br"),
      `waited ${durationText(wait)}, ran ${durationText(tasks.run[task] as number)}`,
    );
    const width = this.#canvas.clientWidth;
    const isRight = x > width / 2;
    this.#tip.style.left = isRight ? "auto" : `${x + 14}px`;
    this.#tip.style.right = isRight ? `${width - x + 14}px` : "auto";
    this.#tip.style.top = `${this.#canvas.offsetTop + y + 14}px`;
  }

  #showBrush(): void {
    this.#brushBox.hidden = this.#brush === null;
    if (this.#brush === null) return;
    const [from, to] = this.#brush;
    const left = Math.max(from, gutterOf(this.#canvas.clientWidth));
    this.#brushBox.style.left = `${left}px`;
    this.#brushBox.style.width = `${Math.max(0, to - left)}px`;
    this.#brushBox.style.top = `${this.#canvas.offsetTop}px`;
    this.#brushBox.style.height = `${this.#canvas.clientHeight}px`;
  }
}
