/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/**
 * The timeline with all that follows it: curves, table, the task that is selected; pointer and keys.
 *
 * @module
 */

import type { ReadRun } from "../run_columns.ts";
import { countText, durationText, shownName } from "../words.ts";
import { type Colours, coloursOf } from "./colouring.ts";
import { byId, csvOf, make, saveFile } from "./elements.ts";
import { Gantt } from "./gantt.ts";
import { type Packed, packRun } from "./rows.ts";
import { button, timelineSvg } from "./pictures.ts";
import { TimelinePointer } from "./pointer.ts";
import { SeriesPanels } from "./series.ts";
import { RunMap } from "./run_map.ts";
import { showTask } from "./task_panel.ts";
import { TaskTable } from "./task_table.ts";
import { COLOURINGS, fragmentOf, type View, viewOf, within, zoomed } from "./view.ts";

/** Part of the time that curves may take while the view moves: the timeline itself needs the rest. */
const SERIES_PART = 0.2;

/** How long a view must rest, ms. */
const REST_MS = 120;

const ZOOM_STEP = 0.7;
const PAN_PART = 0.12;

const COLOUR_NAMES: Readonly<Record<typeof COLOURINGS[number], string>> = {
  profile: "profile",
  state: "state",
  node: "node",
  used: "used of reserved",
  wait: "wait",
};

interface Shown {
  readonly run: ReadRun;
  readonly packed: Packed;
}

/** The timeline of a page. */
export class Timeline {
  readonly #runs: readonly ReadRun[];
  readonly #packed = new Map<number, Packed>();
  readonly #gantt: Gantt;
  readonly #series: SeriesPanels;
  readonly #table: TaskTable;
  readonly #canvas = byId<HTMLCanvasElement>("gantt");
  readonly #map = new RunMap(byId("map"), {
    onMoved: (ms) => {
      const half = (this.#view.to - this.#view.from) / 2;
      this.#go({ ...this.#view, from: ms - half, to: ms + half });
    },
  });
  #view: View;
  #colours: Colours;
  #frame = 0;
  /** Moment from which curves may be drawn again while the view moves. */
  #seriesDue = 0;
  #rest: ReturnType<typeof setTimeout> | undefined;

  constructor(runs: readonly ReadRun[]) {
    this.#runs = runs;
    this.#view = viewOf(location.hash, this.#whole(0));
    if (this.#runs[this.#view.run] === undefined) this.#view = this.#whole(0);
    this.#view = within(this.#view, this.#shown.run.head.spanMs);
    const { run, packed } = this.#shown;
    this.#colours = coloursOf(run.tasks, this.#view.colour);
    this.#gantt = new Gantt(this.#canvas, {
      run,
      packed,
      colours: this.#colours,
      view: this.#view,
    });
    this.#series = new SeriesPanels(byId("series"), {
      onChosen: (from, to) => this.#go({ ...this.#view, from, to }),
    });
    this.#table = new TaskTable(byId("tasks"), { onTask: (task) => this.#select(task) });
  }

  /** Draw for the first time, and listen. */
  start(): void {
    this.#fillTools();
    this.#listen();
    this.#showLegend();
    this.#gantt.paint(this.#view);
    this.#map.paint(this.#shown.run, this.#view);
    this.#paintRest();
    if (this.#view.task !== null) this.#showSelected();
  }

  #whole(run: number): View {
    const head = this.#runs[run]?.head;
    return {
      run,
      from: 0,
      to: Math.max(1, head?.spanMs ?? 1),
      colour: "profile",
      node: null,
      task: null,
    };
  }

  get #shown(): Shown {
    const place = this.#view.run;
    const run = this.#runs[place] as ReadRun;
    const packed = this.#packed.get(place) ?? packRun(run);
    this.#packed.set(place, packed);
    return { run, packed };
  }

  /** Go to another view and remember it in the address. */
  #go(view: View): void {
    const before = this.#view;
    this.#view = view;
    this.#view = within(view, Math.max(1, this.#shown.run.head.spanMs));
    if (before.run !== view.run || before.colour !== view.colour) {
      this.#colours = coloursOf(this.#shown.run.tasks, view.colour);
      this.#gantt.show({ ...this.#shown, colours: this.#colours });
      this.#fillTools();
      this.#showLegend();
    }
    if (before.task !== view.task || before.run !== view.run) this.#showSelected();
    this.#schedule();
  }

  #schedule(): void {
    document.documentElement.dataset.view = "moving";
    if (this.#frame === 0) {
      this.#frame = requestAnimationFrame(() => {
        this.#frame = 0;
        this.#gantt.paint(this.#view);
        this.#map.paint(this.#shown.run, this.#view);
        if (performance.now() >= this.#seriesDue) this.#paintSeries();
      });
    }
    clearTimeout(this.#rest);
    this.#rest = setTimeout(() => this.#paintRest(), REST_MS);
  }

  /** What need not follow each frame: heavy curves, the table, the address, words for screen readers. */
  #paintRest(): void {
    this.#paintSeries();
    const { run } = this.#shown;
    this.#table.show(run, this.#view);
    const fragment = fragmentOf(this.#view, this.#whole(0));
    history.replaceState(null, "", fragment === "" ? "#" : `#${fragment}`);
    const shown = this.#gantt.tasksInView(100_000);
    byId("timeline-status").textContent = `From ${durationText(this.#view.from)} to ${
      durationText(this.#view.to)
    }${shown === null ? "" : `: ${countText(shown.length)} tasks on their nodes`}`;
    document.documentElement.dataset.view = "resting";
    byId("range").textContent = `${durationText(this.#view.from)} to ${
      durationText(this.#view.to)
    }`;
  }

  #paintSeries(): void {
    const began = performance.now();
    this.#series.paint(this.#shown.run, { view: this.#view });
    const ended = performance.now();
    this.#seriesDue = ended + (ended - began) / SERIES_PART;
  }

  #showLegend(): void {
    byId("legend").replaceChildren(
      ...this.#colours.meanings.filter(({ count }) => count > 0).map(({ name, count, colour }) => {
        const swatch = make("canvas", { width: "12", height: "12", "aria-hidden": "true" });
        const context = swatch.getContext("2d") as CanvasRenderingContext2D;
        context.fillStyle = colour;
        context.fillRect(0, 0, 12, 12);
        return make("li", {}, swatch, make("bdi", {}, `${name} (${countText(count)})`));
      }),
    );
  }

  #select(task: number | null): void {
    this.#go({ ...this.#view, task });
  }

  #showSelected(): void {
    const host = byId("task");
    const { task } = this.#view;
    const { run } = this.#shown;
    if (task === null || task >= run.tasks.count) {
      host.replaceChildren(
        make("p", { class: "note" }, "No task is selected: click one, or search for its id."),
      );
      return;
    }
    showTask(host, { run, task });
  }

  /** Bring a task into view, and select it. */
  #reveal(task: number): void {
    const { tasks, head } = this.#shown.run;
    const begin = tasks.begin[task] as number;
    const end = Number.isNaN(tasks.end[task] as number) ? begin : tasks.end[task] as number;
    const { from, to } = this.#view;
    const isSeen = begin < to && end > from && end - begin > (to - from) / 200;
    const { codes } = tasks.codes("node");
    const node = this.#view.node === null || codes[task] === this.#view.node
      ? this.#view.node
      : null;
    if (isSeen || Number.isNaN(begin)) return this.#go({ ...this.#view, node, task });
    const room = Math.min(head.spanMs, Math.max(1, end - begin) * 20) / 2;
    const middle = (begin + end) / 2;
    this.#go({ ...this.#view, node, task, from: middle - room, to: middle + room });
  }

  #fillTools(): void {
    const { run, packed } = this.#shown;
    fill(byId<HTMLSelectElement>("run"), {
      options: this.#runs.map((
        { head },
        at,
      ) => [String(at), `${shownName(head.id)} (${head.kind})`]),
      value: String(this.#view.run),
    });
    byId("run-label").hidden = this.#runs.length < 2;
    fill(byId<HTMLSelectElement>("colour"), {
      options: COLOURINGS.map((one) => [one, COLOUR_NAMES[one]]),
      value: this.#view.colour,
    });
    const order = packed.names.map((_, at) => at)
      .filter((at) => packed.nodes.groupFirst[at] !== packed.nodes.groupFirst[at + 1])
      .sort((a, b) => (packed.names[a] as string) < (packed.names[b] as string) ? -1 : 1);
    fill(byId<HTMLSelectElement>("node"), {
      options: [
        ["", `all ${countText(run.head.nodes.length)}`],
        ...order.map((at): [string, string] => [
          String(at),
          shownName(packed.names[at] as string) || "no node",
        ]),
      ],
      value: this.#view.node === null ? "" : String(this.#view.node),
    });
  }

  #listen(): void {
    const on = (id: string, action: (value: string) => void) => {
      const element = byId<HTMLSelectElement>(id);
      element.addEventListener("change", () => action(element.value));
    };
    on("run", (value) => this.#go(this.#whole(Number(value))));
    on("colour", (value) => {
      const colour = COLOURINGS.find((one) => one === value);
      if (colour !== undefined) this.#go({ ...this.#view, colour });
    });
    on("node", (value) => this.#go({ ...this.#view, node: value === "" ? null : Number(value) }));
    const middle = () => (this.#view.from + this.#view.to) / 2;
    const click = (id: string, action: () => void) => byId(id).addEventListener("click", action);
    click("zoom-in", () => this.#go(zoomed(this.#view, { factor: ZOOM_STEP, at: middle() })));
    click("zoom-out", () => this.#go(zoomed(this.#view, { factor: 1 / ZOOM_STEP, at: middle() })));
    click("zoom-all", () => this.#goWhole());
    this.#listenToSearch();
    new TimelinePointer(this.#gantt, {
      view: () => this.#view,
      run: () => this.#shown.run,
      onView: (view) => this.#go(view),
    });
    this.#canvas.addEventListener("dblclick", () => this.#goWhole());
    this.#canvas.addEventListener("keydown", (event) => this.#onKey(event));
    byId("save").append(
      button("Save SVG", () =>
        saveFile("timeline.svg", {
          text: timelineSvg(this.#gantt, { run: this.#shown.run, colours: this.#colours }),
          type: "image/svg+xml",
        })),
      button("Save tasks in view as CSV", () => {
        const { columns, rows } = this.#table.data();
        saveFile("tasks.csv", { text: csvOf(columns, rows), type: "text/csv" });
      }),
      button("Save curves as CSV", () => {
        const { columns, rows } = this.#series.data(this.#shown.run, this.#view);
        saveFile("curves.csv", { text: csvOf(columns, rows), type: "text/csv" });
      }),
    );
    addEventListener("hashchange", () => {
      const view = viewOf(location.hash, this.#whole(this.#view.run));
      if (this.#runs[view.run] !== undefined) this.#go(view);
    });
    addEventListener("resize", () => this.#schedule());
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
      this.#colours = coloursOf(this.#shown.run.tasks, this.#view.colour);
      this.#gantt.show({ ...this.#shown, colours: this.#colours });
      this.#showLegend();
      this.#series.paint(this.#shown.run, { view: this.#view, isRestyled: true });
      this.#showSelected();
      this.#schedule();
    });
  }

  #goWhole(): void {
    const { from, to } = this.#whole(this.#view.run);
    this.#go({ ...this.#view, from, to });
  }

  #listenToSearch(): void {
    const input = byId<HTMLInputElement>("search");
    const said = byId("search-result");
    const find = () => {
      const wanted = input.value.trim().toLowerCase();
      if (wanted === "") {
        said.textContent = "";
        return;
      }
      const { ids } = this.#shown.run.tasks;
      const after = this.#view.task ?? -1;
      let found = -1;
      let count = 0;
      for (let task = 0; task < ids.length; task++) {
        const id = (ids[task] as string).toLowerCase();
        if (!id.includes(wanted)) continue;
        count++;
        // The next one behind the selected one, so that Enter goes from one to the next.
        if (found < 0 || (found <= after && task > after)) found = task;
      }
      said.textContent = count === 0 ? "no such task" : `${countText(count)} found`;
      if (found >= 0) this.#reveal(found);
    };
    input.form?.addEventListener("submit", (event) => {
      event.preventDefault();
      find();
    });
    input.addEventListener("search", find);
  }

  #pan(part: number): void {
    const shift = (this.#view.to - this.#view.from) * part;
    this.#go({ ...this.#view, from: this.#view.from + shift, to: this.#view.to + shift });
  }

  #onKey(event: KeyboardEvent): void {
    const actions: Readonly<Record<string, () => void>> = {
      "ArrowLeft": () => this.#pan(-PAN_PART),
      "ArrowRight": () => this.#pan(PAN_PART),
      "+": () => byId("zoom-in").click(),
      "=": () => byId("zoom-in").click(),
      "-": () => byId("zoom-out").click(),
      "0": () => this.#goWhole(),
      "Home": () => this.#goWhole(),
      "n": () => this.#step(1),
      "p": () => this.#step(-1),
      "Escape": () => this.#select(null),
    };
    const action = event.ctrlKey || event.metaKey || event.altKey ? undefined : actions[event.key];
    if (action === undefined) return;
    event.preventDefault();
    action();
  }

  /** Select the next task in the order of starts, or the one before. */
  #step(by: number): void {
    const { tasks } = this.#shown.run;
    const { codes } = tasks.codes("node");
    const isShown = (task: number) => this.#view.node === null || codes[task] === this.#view.node;
    let task = this.#view.task === null
      ? tasks.begin.findIndex((one, at) => one >= this.#view.from && isShown(at))
      : this.#view.task + by;
    while (task >= 0 && task < tasks.count && !isShown(task)) task += by;
    if (task >= 0 && task < tasks.count) this.#reveal(task);
  }
}

function fill(
  select: HTMLSelectElement,
  { options, value }: {
    readonly options: readonly (readonly [value: string, text: string])[];
    readonly value: string;
  },
): void {
  select.replaceChildren(...options.map(([one, text]) => make("option", { value: one }, text)));
  select.value = value;
}
