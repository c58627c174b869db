/**
 * Which scenarios of a sweep are worth a choice, and in which order: pure.
 *
 * @module
 */

/** Figures to minimize, in the order of the objectives; null: not known. */
export type Point = readonly (number | null)[];

/** True where `a` is nowhere worse than `b` and somewhere better. */
function dominates(a: Point, b: Point): boolean {
  let isBetter = false;
  for (const [at, value] of a.entries()) {
    const other = b[at] ?? null;
    if (value === null || other === null) return false;
    if (value > other) return false;
    if (value < other) isBetter = true;
  }
  return isBetter;
}

/** Whether no other point dominates each of `points`; one with an unknown figure is never in front. */
export function paretoFront(points: readonly Point[]): boolean[] {
  return points.map((point) =>
    !point.includes(null) && !points.some((other) => dominates(other, point))
  );
}

/** Figures are compared in steps of this share: an order in steps has no circles. */
const STEP_SHARE = 0.01;

/** The step of a figure; unknown ones come last, 0 first. */
function stepOf(value: number | null | undefined): number {
  if (value === null || value === undefined) return Infinity;
  return value > 0 ? Math.round(Math.log(value) / Math.log1p(STEP_SHARE)) : -Infinity;
}

/**
 * Places of `points` in lexicographic order: by the first objective, where two are in one step of 1 % by
 * the next.
 */
export function lexicographicOrder(points: readonly Point[]): number[] {
  return points.map((_, place) => place).sort((a, b) => {
    for (const at of (points[a] ?? []).keys()) {
      const x = stepOf(points[a]?.[at]);
      const y = stepOf(points[b]?.[at]);
      if (x !== y) return x < y ? -1 : 1;
    }
    return a - b;
  });
}

/**
 * Places of `points` by the mean of their figures, each scaled to 0 at its least and 1 at its greatest.
 * Unknown figures count as 1.
 */
export function weightedOrder(points: readonly Point[]): number[] {
  const objectives = points[0]?.length ?? 0;
  const score = points.map(() => 0);
  for (let at = 0; at < objectives; at++) {
    const known = points.flatMap((point) => point[at] ?? []);
    const least = Math.min(...known);
    const range = Math.max(...known) - least;
    for (const [place, point] of points.entries()) {
      const value = point[at] ?? null;
      score[place] = (score[place] ?? 0) +
        (value === null ? 1 : range > 0 ? (value - least) / range : 0);
    }
  }
  return points.map((_, place) => place).sort((a, b) => (score[a] ?? 0) - (score[b] ?? 0) || a - b);
}
