import { assertEquals } from "@std/assert";
import {
  countText,
  durationText,
  memoryText,
  numberText,
  shareText,
  shownName,
  timeTicks,
} from "../../../export/report/words.ts";

const DURATIONS: readonly (readonly [number | null, string])[] = [
  [0, "0 ms"],
  [0.4, "0.40 ms"],
  [12.6, "13 ms"],
  [999.4, "999 ms"],
  [999.6, "1.00 s"],
  [4410, "4.41 s"],
  [59_990, "60.0 s"],
  [119_499, "119 s"],
  [119_500, "2 min"],
  [153_190, "2 min 33 s"],
  [7_199_400, "119 min 59 s"],
  [7_199_600, "2 h"],
  [18_720_000, "5 h 12 min"],
  [86_400_000 * 3.5, "3 d 12 h"],
  [-1500, "−1.50 s"],
  [null, "–"],
  [NaN, "–"],
];

Deno.test("durationText() has the unit that people would use", () => {
  for (const [ms, text] of DURATIONS) assertEquals(durationText(ms), text, String(ms));
});

Deno.test("numbers read as people write them", () => {
  assertEquals([0, 999, 1000, 1_234_567].map(countText), ["0", "999", "1,000", "1,234,567"]);
  assertEquals([7, 0.123, 12.34, 123.4].map(numberText), ["7", "0.12", "12.3", "123"]);
  assertEquals(
    [0, 0.0001, 0.1234, 0.99999, 1].map(shareText),
    ["0 %", "< 0.1 %", "12.3 %", "> 99.9 %", "100 %"],
  );
  assertEquals([12, 2048, 1536 * 1024].map(memoryText), ["12 KiB", "2 MiB", "1.50 GiB"]);
});

Deno.test("shownName() makes what deceives visible, and cuts what is too long", () => {
  assertEquals(shownName("plain ünïcode 名前"), "plain ünïcode 名前");
  assertEquals(shownName("a\u202eb\u0007c\nd"), "a\ufffdb\ufffdc\ufffdd");
  assertEquals(shownName("x".repeat(1 << 20)), `${"x".repeat(200)}… (1,048,576 characters)`);
});

Deno.test("timeTicks() counts in steps of people", () => {
  const texts = (...[from, to, count]: [number, number, number]) =>
    timeTicks({ from, to, count }).map(({ text }) => text);
  assertEquals(texts(0, 153_000, 6), ["0 s", "30 s", "1:00", "1:30", "2:00", "2:30"]);
  assertEquals(texts(1000, 1400, 4), ["1.0 s", "1.1 s", "1.2 s", "1.3 s", "1.4 s"]);
  assertEquals(texts(60_000, 60_100, 2), ["1:00.00", "1:00.05", "1:00.10"]);
  assertEquals(texts(0, 7_200_000, 2), ["0 s", "1:00:00", "2:00:00"]);
  assertEquals(texts(0, 4 * 86_400_000, 4), ["0 s", "1 d", "2 d", "3 d", "4 d"]);
});
