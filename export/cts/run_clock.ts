/**
 * One timeline for a node's records. Where the boot clock is beside a time, the boot clock decides,
 * so that a wall clock that is set in the middle of a run shifts no interval; the wall clock as it was
 * at the run's first reading gives the date. `--align controller` puts the whole on the controller's clock.
 *
 * @module
 */

import type { ClockOffset } from "../../trace/records.ts";
import { msToUs } from "../../trace/units.ts";

/**
 * Smallest step of the wall clock that is told, µs. Two clocks are read one after the other, and where
 * the boot clock comes from /proc/uptime it has steps of 10 ms: less would be noise. Worst outcome: a
 * smaller step is not told; it shifts nothing in any case.
 */
const STEP_MIN_US = 25_000;

/**
 * A boot clock that goes back by more than this was started again, µs; lines of one file may be a little
 * out of order.
 */
const REBOOT_DISORDER_US = 1_000_000;

/** Two boots are at least so far apart on the wall clock, µs: no machine starts in less. */
const REBOOT_MIN_US = 1_000_000;

/** Offsets further apart than their error bounds and this drift are a step, µs per µs: 500 ppm, the most
 * by which the kernel slews a clock (adjtimex(2)). */
const DRIFT_MAX_RATIO = 500e-6;

/** Whose clock times can be put on: the controller's, or the node's own. */
export const ALIGNMENTS = ["controller", "none"] as const;
/** Whose clock times are put on. */
export type Alignment = (typeof ALIGNMENTS)[number];

/** A time of a record: wall clock, and boot clock where it is known. */
export interface RecordTime {
  /** Wall clock, epoch µs. */
  readonly tsUs: number;
  /** Boot clock, µs; -1: not known. */
  readonly bootUs: number;
}

/** How far the wall clock was set. */
export interface ClockStep {
  /** When, on the timeline of the run, µs. */
  readonly atUs: number;
  /** By how much, µs; below 0: back. */
  readonly stepUs: number;
}

/** One measured offset, on the timeline of the run. */
interface OffsetPoint {
  readonly atUs: number;
  /** What to add for the controller's clock, µs. */
  readonly shiftUs: number;
  readonly errorUs: number;
}

/** Puts times on the timeline. */
export class RunClock {
  /** Steps of the wall clock against the boot clock. */
  readonly steps: ClockStep[] = [];
  /** Wall clock minus boot clock at the first reading of each boot, µs; none: no boot clock is known. */
  readonly #anchorsUs: readonly number[];
  #levelUs: number;
  /** A differing level that was seen once: two readings make a step. */
  #candidateUs = NaN;
  #points: readonly OffsetPoint[] = [];
  #point = 0;

  /**
   * A timeline of the run that `sequences` are records of, each in the order in which it was written.
   * Where a boot clock goes back in one, the machine was started again.
   */
  constructor(sequences: readonly (readonly RecordTime[])[]) {
    const anchorsUs: number[] = [];
    for (const times of sequences) {
      let lastUs = -Infinity;
      for (const { tsUs, bootUs } of times.filter((time) => time.bootUs >= 0)) {
        const isReboot = bootUs < lastUs - REBOOT_DISORDER_US;
        const isKnown = anchorsUs.some((one) => Math.abs(tsUs - bootUs - one) < REBOOT_MIN_US);
        if (anchorsUs.length === 0 || (isReboot && !isKnown)) anchorsUs.push(tsUs - bootUs);
        lastUs = bootUs;
      }
    }
    this.#anchorsUs = anchorsUs;
    this.#levelUs = anchorsUs[0] ?? 0;
  }

  /** How often the machine was started again. */
  get reboots(): number {
    return Math.max(0, this.#anchorsUs.length - 1);
  }

  /** Have times put on the controller's clock, as `offsets` measured it. */
  align(offsets: readonly ClockOffset[]): void {
    const points = offsets.map((offset) => {
      const time = recordTime(offset);
      const atUs = this.#nodeUs(time);
      return {
        atUs,
        shiftUs: time.tsUs + msToUs(offset.offset_ms) - atUs,
        errorUs: msToUs(offset.error_ms),
      };
    }).sort((a, b) => a.atUs - b.atUs);
    // A step of the controller's clock must not stretch what runs across it.
    let stepUs = 0;
    this.#points = points.map((point, index) => {
      const before = points[index - 1];
      if (before !== undefined) {
        const changeUs = point.shiftUs - before.shiftUs;
        const drift = (point.atUs - before.atUs) * DRIFT_MAX_RATIO;
        if (Math.abs(changeUs) > point.errorUs + before.errorUs + drift) stepUs += changeUs;
      }
      return { ...point, shiftUs: point.shiftUs - stepUs };
    });
    this.#point = 0;
  }

  /** `time` on the timeline, whole µs. */
  toUs(time: RecordTime): number {
    const atUs = this.#nodeUs(time);
    return this.#points.length === 0 ? atUs : atUs + this.#shiftAt(atUs);
  }

  /**
   * Boot clock `bootUs` of the boot in which `time` is, on the timeline, whole µs; null where no boot
   * clock is known.
   */
  bootToUs(bootUs: number, { tsUs, bootUs: atUs }: RecordTime): number | null {
    if (this.#anchorsUs.length === 0) return null;
    return this.toUs({ tsUs: tsUs - atUs + bootUs, bootUs });
  }

  /** Look for a step of the wall clock. Call it for readings in their order. */
  watch({ tsUs, bootUs }: RecordTime): void {
    // Between two boots the level changes without a step.
    if (this.#anchorsUs.length !== 1 || bootUs < 0) return;
    const levelUs = tsUs - bootUs;
    if (Math.abs(levelUs - this.#levelUs) < STEP_MIN_US) {
      this.#candidateUs = NaN;
      return;
    }
    if (Math.abs(levelUs - this.#candidateUs) < STEP_MIN_US) {
      this.steps.push({ atUs: this.toUs({ tsUs, bootUs }), stepUs: levelUs - this.#levelUs });
      this.#levelUs = levelUs;
      this.#candidateUs = NaN;
    } else this.#candidateUs = levelUs;
  }

  #nodeUs({ tsUs, bootUs }: RecordTime): number {
    const anchors = this.#anchorsUs;
    if (bootUs < 0 || anchors.length === 0) return tsUs;
    let anchorUs = anchors[0] as number;
    for (let boot = 1; boot < anchors.length; boot++) {
      const other = anchors[boot] as number;
      const levelUs = tsUs - bootUs;
      if (Math.abs(levelUs - other) < Math.abs(levelUs - anchorUs)) anchorUs = other;
    }
    return bootUs + anchorUs;
  }

  #shiftAt(atUs: number): number {
    const points = this.#points;
    // Times come nearly sorted: the last place is right or one off.
    let at = this.#point;
    while (at > 0 && (points[at] as OffsetPoint).atUs > atUs) at--;
    while (at < points.length - 2 && (points[at + 1] as OffsetPoint).atUs <= atUs) at++;
    this.#point = at;
    const from = points[at] as OffsetPoint;
    const to = points[at + 1] ?? from;
    const widthUs = to.atUs - from.atUs;
    const part = widthUs === 0 ? 0 : Math.min(1, Math.max(0, (atUs - from.atUs) / widthUs));
    return Math.round(from.shiftUs + part * (to.shiftUs - from.shiftUs));
  }
}

/** The time of a record that has both clocks. */
export function recordTime(
  { ts_ms, boot_ms }: { readonly ts_ms: number; readonly boot_ms: number | null },
): RecordTime {
  return { tsUs: msToUs(ts_ms), bootUs: bootUsOf(boot_ms) };
}

/** A record's `boot_ms` as µs; -1: not known. */
export function bootUsOf(bootMs: number | null): number {
  return bootMs === null ? -1 : msToUs(bootMs);
}
