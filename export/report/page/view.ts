/**
 * What is on screen, and its address: the part of the URL behind `#`. Pure.
 *
 * @module
 */

/** What decides the colour of a task. */
export const COLOURINGS = ["profile", "state", "node", "used", "wait"] as const;
/** What decides the colour of a task. */
export type Colouring = typeof COLOURINGS[number];

/** What is on screen. */
export interface View {
  /** Place of the run that the timeline shows. */
  readonly run: number;
  /** Left edge, ms since the run's zero. */
  readonly from: number;
  /** Right edge. */
  readonly to: number;
  readonly colour: Colouring;
  /** Place of the only node that is shown; null: all. */
  readonly node: number | null;
  /** Row of the task that is selected; null: none. */
  readonly task: number | null;
}

/** Shortest time that is shown from edge to edge, ms. */
const SHORTEST_MS = 1;

/** `view` moved and cut so that it fits into a run of `spanMs`. */
export function within(view: View, spanMs: number): View {
  const length = Math.min(spanMs, Math.max(SHORTEST_MS, view.to - view.from));
  const from = Math.min(Math.max(0, view.from), spanMs - length);
  return { ...view, from, to: from + length };
}

/** `view` with `factor` times its length, around the moment `at`, which keeps its place. */
export function zoomed(
  view: View,
  { factor, at }: { readonly factor: number; readonly at: number },
): View {
  return {
    ...view,
    from: at - (at - view.from) * factor,
    to: at + (view.to - at) * factor,
  };
}

/** The address of `view`. */
export function fragmentOf(view: View, whole: View): string {
  const words = new URLSearchParams();
  if (view.run !== whole.run) words.set("run", String(view.run));
  if (view.from !== whole.from) words.set("from", view.from.toFixed(1));
  if (view.to !== whole.to) words.set("to", view.to.toFixed(1));
  if (view.colour !== whole.colour) words.set("colour", view.colour);
  if (view.node !== null) words.set("node", String(view.node));
  if (view.task !== null) words.set("task", String(view.task));
  return words.toString();
}

/** The view with this address; what it does not say, or says wrongly, is as in `whole`. */
export function viewOf(fragment: string, whole: View): View {
  const words = new URLSearchParams(fragment.replace(/^#/, ""));
  const number = (name: string): number | null => {
    const text = words.get(name);
    return text === null || !/^-?\d+(\.\d+)?$/.test(text) ? null : Number(text);
  };
  const from = number("from") ?? whole.from;
  const to = number("to") ?? whole.to;
  return {
    run: number("run") ?? whole.run,
    ...(from < to ? { from, to } : { from: whole.from, to: whole.to }),
    colour: COLOURINGS.find((one) => one === words.get("colour")) ?? whole.colour,
    node: number("node"),
    task: number("task"),
  };
}
