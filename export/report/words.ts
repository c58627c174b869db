/**
 * Numbers as a person reads them: durations, sizes, counts, shares.
 *
 * @module
 */

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** What is shown for a number that is not known. */
export const UNKNOWN = "–";

/** Three digits or so: as exact as a figure in a text should be. */
function significant(value: number): string {
  const size = Math.abs(value);
  return value.toFixed(size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2);
}

/** A duration of `ms` with its unit: `820 ms`, `4.41 s`, `2 min 33 s`, `5 h 12 min`, `3 d 4 h`. */
export function durationText(ms: number | null): string {
  if (ms === null || Number.isNaN(ms)) return UNKNOWN;
  const sign = ms < 0 ? "−" : "";
  const size = Math.abs(ms);
  if (size < 999.5) {
    return `${sign}${size === 0 ? "0" : size < 9.995 ? size.toFixed(2) : size.toFixed(0)} ms`;
  }
  if (size < 119_500) return `${sign}${significant(size / SECOND_MS)} s`;
  if (size < 2 * HOUR_MS - SECOND_MS / 2) return sign + twoUnits(size, MINUTE_MS, "min", "s");
  if (size < 2 * DAY_MS) return sign + twoUnits(size, HOUR_MS, "h", "min");
  return sign + twoUnits(size, DAY_MS, "d", "h");
}

function twoUnits(ms: number, large: number, ...[name, smallName]: [string, string]): string {
  const small = large === DAY_MS ? HOUR_MS : large / 60;
  const total = Math.round(ms / small);
  const perLarge = large / small;
  const rest = total % perLarge;
  return `${Math.floor(total / perLarge)} ${name}${rest === 0 ? "" : ` ${rest} ${smallName}`}`;
}

/** `count` with thousands apart. */
export function countText(count: number | null): string {
  if (count === null || Number.isNaN(count)) return UNKNOWN;
  return Math.round(count).toString().replace(/\B(?=(\d{3})+$)/g, ",");
}

/** A number with about three digits; whole where it is one. */
export function numberText(value: number | null): string {
  if (value === null || Number.isNaN(value)) return UNKNOWN;
  if (Number.isInteger(value) || Math.abs(value) >= 1000) return countText(value);
  return significant(value);
}

/** `part` of 1 in percent; never 0 % or 100 % where it is not quite. */
export function shareText(part: number | null): string {
  if (part === null || Number.isNaN(part)) return UNKNOWN;
  const percent = 100 * part;
  if (part > 0 && percent < 0.1) return "< 0.1 %";
  if (part < 1 && percent > 99.9) return "> 99.9 %";
  return `${percent === 100 || percent === 0 ? percent : percent.toFixed(1)} %`;
}

/** Memory of `kb` (1024 bytes each). */
export function memoryText(kb: number | null): string {
  if (kb === null || Number.isNaN(kb)) return UNKNOWN;
  const units = ["KiB", "MiB", "GiB", "TiB"];
  let value = kb;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) [value, unit] = [value / 1024, unit + 1];
  return `${numberText(value)} ${units[unit]}`;
}

/** The moment `epochMs`, in UTC. */
export function momentText(epochMs: number): string {
  return `${new Date(epochMs).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

/** Letters of a name that are shown; what is longer is cut, and says so. */
const SHOWN_LENGTH = 200;

/**
 * A name of any origin as text to show: cut when it is long; control characters and marks that turn the
 * direction of what follows are made visible.
 */
export function shownName(name: string): string {
  // C0, DEL, C1; line separators; marks, embeddings, overrides and isolates of direction; BOM.
  const plain = name.slice(0, SHOWN_LENGTH + 1).replace(
    // deno-lint-ignore no-control-regex
    /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g,
    "\ufffd",
  );
  if (name.length <= SHOWN_LENGTH) return plain;
  return `${plain.slice(0, SHOWN_LENGTH)}… (${countText(name.length)} characters)`;
}

/** Steps of a time axis, ms, that people count in. */
const TIME_STEPS_MS = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500],
  ...[1, 2, 5, 10, 15, 30].map((one) => one * SECOND_MS),
  ...[1, 2, 5, 10, 15, 30].map((one) => one * MINUTE_MS),
  ...[1, 2, 3, 6, 12].map((one) => one * HOUR_MS),
  ...[1, 2, 5, 10, 20, 50, 100].map((one) => one * DAY_MS),
];

/** A tick of a time axis. */
export interface TimeTick {
  readonly ms: number;
  readonly text: string;
}

/** Ticks from `from` to `to` (ms since the run began), at most `count` of them. */
export function timeTicks(
  { from, to, count }: { readonly from: number; readonly to: number; readonly count: number },
): TimeTick[] {
  const least = (to - from) / Math.max(1, count);
  const step = TIME_STEPS_MS.find((one) => one >= least) ?? TIME_STEPS_MS.at(-1) as number;
  const ticks: TimeTick[] = [];
  for (let at = Math.ceil(from / step); at * step <= to; at++) {
    ticks.push({ ms: at * step, text: tickText(at * step, step) });
  }
  return ticks;
}

/** Time since the run began, as exact as `step`: `1:02:30`, `2:30`, `12.4 s`. */
function tickText(ms: number, step: number): string {
  const sign = ms < 0 ? "−" : "";
  const size = Math.abs(ms);
  const digits = step < SECOND_MS ? step % 100 === 0 ? 1 : step % 10 === 0 ? 2 : 3 : 0;
  if (size < MINUTE_MS) return `${sign}${(size / SECOND_MS).toFixed(digits)} s`;
  if (size >= DAY_MS && step >= HOUR_MS) {
    const hours = Math.floor(size % DAY_MS / HOUR_MS);
    return `${sign}${Math.floor(size / DAY_MS)} d${hours === 0 ? "" : ` ${hours} h`}`;
  }
  const seconds = size % MINUTE_MS / SECOND_MS;
  const minutes = Math.floor(size / MINUTE_MS);
  const last = seconds.toFixed(digits).padStart(digits === 0 ? 2 : digits + 3, "0");
  if (minutes < 60) return `${sign}${minutes}:${last}`;
  return `${sign}${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}:${last}`;
}
