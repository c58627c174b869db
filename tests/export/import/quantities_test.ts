import { assertEquals } from "@std/assert";
import {
  expandHosts,
  parseColonDuration,
  parseNumber,
  parseSizeKb,
  parseTime,
  parseUtcOffset,
  parseWordDuration,
} from "../../../export/import/quantities.ts";

const HOUR_MS = 3_600_000;

Deno.test("parseTime() reads local and zoned times, epoch seconds and epoch ms", () => {
  const noon = Date.UTC(2024, 0, 2, 12);
  const cases: [string, number | null][] = [
    ["2024-01-02T12:00:00", noon - 2 * HOUR_MS],
    ["2024-01-02 12:00:00.250", noon + 250 - 2 * HOUR_MS],
    ["2024-01-02T12:00:00Z", noon],
    ["2024-01-02T14:00:00+0200", noon],
    [String(noon / 1000), noon],
    [String(noon), noon],
    ["Unknown", null],
    ["-", null],
    ["yesterday", NaN],
    ["2024-13-02T12:00:00Z", NaN],
  ];
  for (const [text, expected] of cases) assertEquals(parseTime(text, 2 * HOUR_MS), expected, text);
});

Deno.test("durations in words and by colons become ms", () => {
  const words: [string, number | null][] = [
    ["1d 2h 3m 4.5s", ((26 * 60 + 3) * 60 + 4.5) * 1000],
    ["120ms", 120],
    ["1500", 1500],
    ["-", null],
    ["5 fortnights", NaN],
  ];
  for (const [text, expected] of words) assertEquals(parseWordDuration(text), expected, text);
  const colons: [string, number | null][] = [
    ["02:03", 123_000],
    ["00:01.250", 1250],
    ["1-02:03:04", ((26 * 60 + 3) * 60 + 4) * 1000],
    ["2 days, 0:00:01", 172_801_000],
    ["", null],
    ["1:2:3:4", NaN],
  ];
  for (const [text, expected] of colons) assertEquals(parseColonDuration(text), expected, text);
});

Deno.test("parseSizeKb() reads sizes with and without units", () => {
  assertEquals(parseSizeKb("1.5 GB"), 1.5 * 1024 * 1024);
  assertEquals(parseSizeKb("2048K"), 2048);
  assertEquals(parseSizeKb("3 MiB"), 3072);
  assertEquals(parseSizeKb("4096"), 4);
  assertEquals(parseSizeKb("4096", "kb"), 4096);
  assertEquals(parseSizeKb("16Gn"), 16 * 1024 * 1024);
  assertEquals(parseSizeKb("-"), null);
  assertEquals(parseSizeKb("much"), NaN);
});

Deno.test("parseNumber() and parseUtcOffset() tell missing from malformed", () => {
  assertEquals([parseNumber("1.5"), parseNumber("N/A"), parseNumber("x")], [1.5, null, NaN]);
  assertEquals(parseUtcOffset("-03:30"), -3.5 * HOUR_MS);
  assertEquals([parseUtcOffset("Z"), parseUtcOffset("CET")], [0, null]);
});

Deno.test("expandHosts() expands Slurm's host lists, and refuses absurd ones", () => {
  assertEquals(expandHosts("n[01-03,7],gpu1"), ["n01", "n02", "n03", "n7", "gpu1"]);
  assertEquals(expandHosts("rack[1-2]-a"), ["rack1-a", "rack2-a"]);
  assertEquals(expandHosts("solo"), ["solo"]);
  assertEquals(expandHosts("n[1-999999999]"), []);
});
