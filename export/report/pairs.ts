/**
 * Tasks of the same name in two runs, one against the other.
 *
 * @module
 */

import { logAxis, QUANTITIES, type Quantity } from "./axes.ts";
import type { SummedRun } from "./comparison.ts";
import type { Figure } from "./figures.ts";
import { drawSvg, Plot } from "./plot.ts";
import { gather } from "./run_columns.ts";
import { type TaskFigures, taskFigures } from "./summary.ts";
import { countText, shownName } from "./words.ts";

/** Points of a picture at most: more would cover each other. */
const POINTS = 2000;

/** Sides of the picture, px. */
const SIZE = { width: 460, height: 400 } as const;

/** Waits and run times of the tasks that both runs have; nothing where there are none. */
export function pairFigures(first: SummedRun, second: SummedRun): Figure[] {
  return [
    { quantity: QUANTITIES.wait, of: ({ wait }: TaskFigures) => wait },
    { quantity: QUANTITIES.run, of: ({ run }: TaskFigures) => run },
  ].flatMap(({ quantity, of }) => {
    const pairs = matchedPairs(first, { second, of });
    return pairs.x.length === 0 ? [] : [pairFigure(pairs, { quantity, first, second })];
  });
}

interface Pairs {
  readonly ids: readonly string[];
  readonly x: Float64Array;
  readonly y: Float64Array;
}

function matchedPairs(
  first: SummedRun,
  { second, of }: {
    readonly second: SummedRun;
    readonly of: (figures: TaskFigures) => Float64Array;
  },
): Pairs {
  const [a, b] = [taskFigures(first.run.tasks), taskFigures(second.run.tasks)];
  const [x, y] = [of(a), of(b)];
  const names = first.run.tasks.ids;
  const rowOf = new Map(Array.from(a.counted, (row) => [names[row], row]));
  const pairs = Array.from(b.counted, (row) => ({
    first: rowOf.get(second.run.tasks.ids[row]) ?? -1,
    second: row,
  })).filter((one) =>
    one.first >= 0 && !Number.isNaN((x[one.first] as number) + (y[one.second] as number))
  );
  return {
    ids: pairs.map((one) => names[one.first] as string),
    x: gather(x, Uint32Array.from(pairs, (one) => one.first)),
    y: gather(y, Uint32Array.from(pairs, (one) => one.second)),
  };
}

function pairFigure(
  { ids, x, y }: Pairs,
  { quantity, first, second }: {
    readonly quantity: Quantity;
    readonly first: SummedRun;
    readonly second: SummedRun;
  },
): Figure {
  const axis = logAxis([x, y], quantity);
  const texts = new Map(axis.ticks);
  const ticks = axis.ticks.map(([value]) => value);
  const scale = { type: "log", domain: [...axis.domain], clamp: true, axis: null } as const;
  const every = Math.ceil(x.length / POINTS);
  const points = Array.from(x, (one, at) => [one, y[at] as number] as const)
    .filter((_, at) => at % every === 0);
  const names = [shownName(first.summary.name), shownName(second.summary.name)] as const;
  const id = `${quantity.id}-by-task`;
  const title = `${quantity.title}, task by task`;
  const caption =
    `${quantity.meaning} of each task that both have; on the line it is the same in ` +
    `both, above the line longer in ${names[1]}${
      every === 1 ? "" : `; one point for each ${every} tasks`
    }; N = ${countText(x.length)}.`;
  const text = (value: number) => texts.get(value) ?? "";
  const least = axis.domain[0];
  return {
    id,
    title,
    caption,
    svg: drawSvg({
      ...SIZE,
      marginLeft: 62,
      marginBottom: 44,
      x: scale,
      y: scale,
      marks: [
        Plot.line([axis.domain, axis.domain].map((_, at) => axis.domain[at] as number), {
          x: (value: number) => value,
          y: (value: number) => value,
          stroke: "var(--muted)",
        }),
        Plot.dot(points, {
          x: ([value]) => Math.max(value, least),
          y: ([, value]) => Math.max(value, least),
          r: 2.5,
          stroke: "var(--series-0)",
          strokeOpacity: 0.7,
        }),
        Plot.axisX(ticks, {
          text,
          label: names[0],
          labelAnchor: "center",
          labelArrow: "none",
          labelOffset: 38,
        }),
        Plot.axisY(ticks, {
          text,
          label: names[1],
          labelAnchor: "center",
          labelArrow: "none",
          labelOffset: 56,
        }),
      ],
    }, { id, title, description: caption }),
    columns: ["task", `${quantity.column} of ${names[0]}`, `${quantity.column} of ${names[1]}`],
    rows: points.map((point, at) => [shownName(ids[at * every] as string), ...point]),
    legend: [],
  };
}
