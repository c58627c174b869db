/**
 * Times, durations and sizes as other systems write them. Each function returns null for what is missing
 * there (`-`, `None`, `Unknown`, empty) and NaN for what it cannot read: pure.
 *
 * @module
 */

const MISSING: ReadonlySet<string> = new Set([
  "",
  "-",
  "None",
  "none",
  "Unknown",
  "N/A",
  "NA",
  "null",
]);

/** True for the words by which other systems say that a value is missing. */
export function isMissing(text: string | undefined): boolean {
  return text === undefined || MISSING.has(text.trim());
}

/** A decimal number. */
export function parseNumber(text: string | undefined): number | null {
  if (text === undefined || isMissing(text)) return null;
  const value = Number(text.trim());
  return Number.isFinite(value) ? value : NaN;
}

/**
 * A date and time as epoch ms: ISO 8601 with `T` or a blank, with or without a zone (then local, by
 * `utcOffsetMs`); or a number, epoch s below 1e11 and epoch ms above.
 */
export function parseTime(text: string | undefined, utcOffsetMs: number): number | null {
  if (text === undefined || isMissing(text)) return null;
  const trimmed = text.trim();
  if (/^\d+(\.\d+)?$/.test(trimmed)) {
    const value = Number(trimmed);
    return value < EPOCH_MS_FROM ? value * 1000 : value;
  }
  const found = LOCAL_TIME.exec(trimmed);
  if (found === null) return NaN;
  const [, date, time, zone] = found;
  const value = Date.parse(`${date}T${time}${zone === undefined ? "Z" : zoneOf(zone)}`);
  return zone === undefined ? value - utcOffsetMs : value;
}

/** Epoch s reach this in the year 5138, epoch ms did in 1973. */
const EPOCH_MS_FROM = 1e11;

const LOCAL_TIME = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d(?:\.\d+)?)\s*(Z|[+-]\d\d:?\d\d)?$/;

function zoneOf(zone: string): string {
  return zone === "Z" || zone.includes(":") ? zone : `${zone.slice(0, 3)}:${zone.slice(3)}`;
}

/** An offset such as `+02:00`, ms; null when it is not one. */
export function parseUtcOffset(text: string): number | null {
  const found = /^([+-])(\d\d):?(\d\d)$/.exec(text);
  if (found === null) return text === "Z" ? 0 : null;
  const minutes = Number(found[2]) * 60 + Number(found[3]);
  return (found[1] === "-" ? -1 : 1) * minutes * 60_000;
}

const DURATION_UNITS_MS: Readonly<Record<string, number>> = {
  d: 86_400_000,
  h: 3_600_000,
  m: 60_000,
  s: 1000,
  ms: 1,
};

/** A duration in words, `1d 2h 3m 4.5s` or `120ms`, or a plain number of ms; in ms. */
export function parseWordDuration(text: string | undefined): number | null {
  if (text === undefined || isMissing(text)) return null;
  const trimmed = text.trim();
  if (/^\d+(\.\d+)?$/.test(trimmed)) return Number(trimmed);
  if (!/^(\d+(\.\d+)?\s*(ms|d|h|m|s)\s*)+$/.test(trimmed)) return NaN;
  let sumMs = 0;
  for (const [, value, unit] of trimmed.matchAll(/(\d+(?:\.\d+)?)\s*(ms|d|h|m|s)/g)) {
    sumMs += Number(value) * (DURATION_UNITS_MS[unit ?? ""] ?? NaN);
  }
  return sumMs;
}

/** A duration by colons, `[DD-[HH:]]MM:SS[.fff]` or `HH:MM:SS`, as Slurm and Snakemake write it; in ms. */
export function parseColonDuration(text: string | undefined): number | null {
  if (text === undefined || isMissing(text)) return null;
  const found = /^(?:(\d+)-|(\d+) days?, )?(?:(\d+):)?(\d+):(\d+(?:\.\d+)?)$/.exec(text.trim());
  if (found === null) return NaN;
  const [, dashDays, wordDays, hours, minutes, seconds] = found;
  const days = Number(dashDays ?? wordDays ?? 0);
  return (((days * 24 + Number(hours ?? 0)) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1000;
}

const SIZE_UNITS: Readonly<Record<string, number>> = { "": 0, K: 1, M: 2, G: 3, T: 4, P: 5 };

/** A size such as `1.5 GB`, `2048K` or `3 MiB`, or a plain number of `plain`; in kB of 1024 bytes. */
export function parseSizeKb(
  text: string | undefined,
  plain: "bytes" | "kb" | "mb" = "bytes",
): number | null {
  if (text === undefined || isMissing(text)) return null;
  const found = /^(\d+(?:\.\d+)?)\s*([KMGTP]?)(i?B?)[nc]?$/i.exec(text.trim());
  if (found === null) return NaN;
  const [, value, prefix = "", suffix] = found;
  const exponent = SIZE_UNITS[prefix.toUpperCase()] ?? NaN;
  const isPlain = prefix === "" && suffix === "";
  const power = isPlain ? { bytes: 0, kb: 1, mb: 2 }[plain] : exponent;
  return Math.round(Number(value) * 1024 ** (power - 1));
}

/** The hosts of a list in Slurm's short form: `n[01-03,7],gpu1`. Empty when the list cannot be read. */
export function expandHosts(list: string): string[] {
  const hosts: string[] = [];
  for (const [, prefix = "", ranges, suffix = ""] of list.matchAll(HOST_PART)) {
    if (ranges === undefined) hosts.push(prefix);
    else for (const one of expandRanges(ranges)) hosts.push(`${prefix}${one}${suffix}`);
    if (hosts.length > HOSTS_MAX) return [];
  }
  return hosts;
}

const HOST_PART = /([^,[\]]+)(?:\[([\d,-]+)\]([^,[\]]*))?/g;

/** More hosts than the largest machines have: a longer list is a mistake or an attack. */
const HOSTS_MAX = 100_000;

function expandRanges(ranges: string): string[] {
  return ranges.split(",").flatMap((range) => {
    const [from = "", to = from] = range.split("-");
    const count = Number(to) - Number(from) + 1;
    if (!(count > 0 && count <= HOSTS_MAX)) return [];
    return Array.from(
      { length: count },
      (_, at) => String(Number(from) + at).padStart(from.length, "0"),
    );
  });
}
