/// <reference lib="dom" />
/**
 * The colour of each task, and what each colour means.
 *
 * @module
 */

import type { Categories } from "../raster.ts";
import type { PackedRows } from "../lanes.ts";
import type { RunTasks } from "../run_columns.ts";
import { shownName } from "../words.ts";
import type { Colouring } from "./view.ts";

/** One colour and what it means. */
export interface Meaning {
  readonly name: string;
  /** Tasks that have it. */
  readonly count: number;
  /** CSS colour. */
  readonly colour: string;
}

/** Colours of all tasks of a run. */
export interface Colours {
  /** Place in `meanings` of each task. */
  readonly of: Uint8Array;
  readonly meanings: readonly Meaning[];
  /** How much each counts where several share a pixel. */
  readonly weights: Float32Array;
}

/** Names with a colour of their own; the others share one. */
const NAMED = 6;

/** A value of the page's style. */
export function styleValue(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** The colour of each task. */
export function coloursOf(tasks: RunTasks, colouring: Colouring): Colours {
  switch (colouring) {
    case "profile":
    case "node":
      return byName(tasks, colouring);
    case "state":
      return byState(tasks);
    case "used": {
      const cpu = tasks.numbers("cpu_ms");
      return byStep(
        tasks.run.map((run, at) => (cpu[at] as number) / run / (tasks.units[at] as number)),
        {
          bounds: [0.25, 0.5, 0.75, 1],
          names: [
            "up to 25 % of its reservation",
            "up to 50 %",
            "up to 75 %",
            "up to 100 %",
            "more",
          ],
        },
      );
    }
    case "wait":
      return byStep(tasks.start.map((start, at) => start - (tasks.enqueue[at] as number)), {
        bounds: [1000, 10_000, 60_000, 600_000],
        names: ["waited up to 1 s", "up to 10 s", "up to 1 min", "up to 10 min", "longer"],
      });
  }
}

function countsOf(codes: ArrayLike<number>, size: number): Float64Array {
  const counts = new Float64Array(size);
  for (let at = 0; at < codes.length; at++) {
    counts[codes[at] as number] = (counts[codes[at] as number] as number) + 1;
  }
  return counts;
}

function byName(tasks: RunTasks, column: "profile" | "node"): Colours {
  const { codes, names } = tasks.codes(column);
  const counts = countsOf(codes, names.length);
  const order = names.map((_, at) => at).filter((at) => (counts[at] as number) > 0);
  const isAll = order.length <= NAMED + 1;
  // All in the order of their names, as in the distributions; of too many the most frequent ones.
  if (!isAll) order.sort((a, b) => (counts[b] as number) - (counts[a] as number));
  const named = isAll ? order : order.slice(0, NAMED);
  const place = new Uint8Array(names.length).fill(named.length);
  named.forEach((code, at) => place[code] = at);
  const meanings = named.map((code, at) => ({
    name: shownName(names[code] as string) || `no ${column}`,
    count: counts[code] as number,
    colour: styleValue(`--series-${at}`),
  }));
  if (!isAll) {
    const rest = order.slice(NAMED);
    meanings.push({
      name: `${rest.length} other ${column}s`,
      count: rest.reduce((sum, code) => sum + (counts[code] as number), 0),
      colour: styleValue("--other"),
    });
  }
  return {
    of: Uint8Array.from(codes, (code) => place[code] as number),
    meanings,
    weights: new Float32Array(meanings.length).fill(1),
  };
}

const STATE_COLOURS: Readonly<Record<string, string>> = {
  done: "--series-0",
  running: "--series-5",
  superseded: "--other",
  cancelled: "--series-4",
  failed: "--series-1",
  dead: "--bad",
};

/** Weight of what did not go well: one failure among many successes in a pixel is still seen. */
const BAD_WEIGHT = 1e6;

function byState(tasks: RunTasks): Colours {
  const { codes, names } = tasks.codes("state");
  const counts = countsOf(codes, names.length);
  return {
    of: Uint8Array.from(codes),
    meanings: names.map((name, at) => ({
      name: name || "unknown",
      count: counts[at] as number,
      colour: styleValue(STATE_COLOURS[name] ?? "--series-3"),
    })),
    weights: Float32Array.from(names, (name) => name === "done" ? 1 : BAD_WEIGHT),
  };
}

function byStep(
  values: Float64Array,
  { bounds, names }: { readonly bounds: readonly number[]; readonly names: readonly string[] },
): Colours {
  const unknown = names.length;
  const of = Uint8Array.from(values, (value) => {
    if (Number.isNaN(value)) return unknown;
    const step = bounds.findIndex((bound) => value <= bound);
    return step < 0 ? names.length - 1 : step;
  });
  const counts = countsOf(of, unknown + 1);
  // Light to dark, so that the order is seen without telling hues apart.
  const meanings = names.map((name, at) => ({
    name,
    count: counts[at] as number,
    colour: mixed(
      styleValue("--series-0"),
      styleValue("--paper"),
      0.68 * (1 - at / (names.length - 1)),
    ),
  }));
  return {
    of,
    meanings: [...meanings, {
      name: "unknown",
      count: counts[unknown] as number,
      colour: styleValue("--other"),
    }],
    weights: new Float32Array(unknown + 1).fill(1),
  };
}

/** Red, green and blue of a colour in hexadecimal. */
export function channels(colour: string): [number, number, number] {
  const value = parseInt(colour.slice(1), 16);
  return [value >> 16 & 255, value >> 8 & 255, value & 255];
}

function mixed(colour: string, ...[paper, part]: [string, number]): string {
  const other = channels(paper);
  const parts = channels(colour).map((one, at) =>
    Math.round(one + ((other[at] as number) - one) * part).toString(16).padStart(2, "0")
  );
  return `#${parts.join("")}`;
}

/** `colours` in the form that rows are painted with. */
export function categoriesOf({ of, meanings, weights }: Colours, packed: PackedRows): Categories {
  const categories = new Uint8Array(packed.item.length);
  for (let at = 0; at < categories.length; at++) {
    categories[at] = of[packed.item[at] as number] as number;
  }
  return {
    of: categories,
    colours: Uint32Array.from(meanings, ({ colour }) => {
      const [red, green, blue] = channels(colour);
      return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
    }),
    weights,
  };
}
