/**
 * How far this machine's clock is from the controller's, measured through Redis TIME.
 *
 * @module
 */

/** An offset with its bound. */
export interface MeasuredOffset {
  /** When, by this machine's clock, epoch ms. */
  readonly tsMs: number;
  /** The same by `performance.now()`, which nobody sets, ms. */
  readonly monotonicMs: number;
  /** Controller's clock minus this machine's, ms. */
  readonly offsetMs: number;
  /** Bound of the error, ms: half the best round trip. */
  readonly errorMs: number;
}

/** Round trips of one measurement: the best of a few is close to the network's floor. */
const ROUND_TRIPS = 8;

/** Measure the offset with `time`, which asks the controller for its clock. */
export async function measureClockOffset(time: () => Promise<number>): Promise<MeasuredOffset> {
  let best: MeasuredOffset | null = null;
  for (let i = 0; i < ROUND_TRIPS; i++) {
    const edge = await clockEdge();
    const controllerMs = await time();
    const roundTripMs = performance.now() - edge.monotonicMs;
    const errorMs = roundTripMs / 2;
    if (best === null || errorMs < best.errorMs) {
      const tsMs = edge.tsMs + errorMs;
      const monotonicMs = edge.monotonicMs + errorMs;
      best = { tsMs, monotonicMs, offsetMs: controllerMs - tsMs, errorMs };
    }
  }
  if (best === null) throw new Error("Cannot measure the clock offset: no round trip was made");
  return best;
}

/**
 * The wall clock at the moment it steps: Date.now() has whole milliseconds, which would be the largest
 * part of the error on a local network. Costs at most 1 ms of spinning.
 */
function clockEdge(): Promise<{ readonly tsMs: number; readonly monotonicMs: number }> {
  const before = Date.now();
  let tsMs = before;
  while (tsMs === before) tsMs = Date.now();
  return Promise.resolve({ tsMs, monotonicMs: performance.now() });
}
