/**
 * Quantities of OpenDC's JSON files, bare or with a unit: pure.
 *
 * @module
 */

/** MHz of each unit. */
export const FREQUENCY_UNITS: Readonly<Record<string, number>> = {
  hz: 1e-6,
  khz: 1e-3,
  mhz: 1,
  ghz: 1e3,
};

/** MiB of each unit. */
export const MEMORY_UNITS: Readonly<Record<string, number>> = {
  b: 2 ** -20,
  kib: 2 ** -10,
  mib: 1,
  gib: 2 ** 10,
  tib: 2 ** 20,
  kb: 1e3 / 2 ** 20,
  mb: 1e6 / 2 ** 20,
  gb: 1e9 / 2 ** 20,
  tb: 1e12 / 2 ** 20,
};

/** ms of each unit. */
export const TIME_UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1e3,
  sec: 1e3,
  second: 1e3,
  seconds: 1e3,
  min: 6e4,
  minute: 6e4,
  minutes: 6e4,
  hour: 3.6e6,
  hours: 3.6e6,
};

/** A bare number, or one with a unit: "16384 MiB"; null: neither, or not above 0. */
export function quantityOf(
  value: unknown,
  units: Readonly<Record<string, number>>,
): number | null {
  if (typeof value === "number") return value > 0 ? value : null;
  const [, amount, unit = ""] = /^\s*([\d.]+(?:e-?\d+)?)\s*([A-Za-z]+)\s*$/.exec(String(value)) ??
    [];
  const factor = units[unit.toLowerCase()];
  if (amount === undefined || factor === undefined || !(Number(amount) > 0)) return null;
  return Number(amount) * factor;
}
