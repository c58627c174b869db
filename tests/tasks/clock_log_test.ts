import { assertAlmostEquals, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { ClockLog } from "../../tasks/role/clock_log.ts";
import type { ClockOffset } from "../../trace/records.ts";
import { tempFolder } from "../support/temp_folder.ts";

/** Let the wall clock be `shiftMs()` beside the true one until the block that holds it is left. */
function wallClock(shiftMs: () => number): Disposable {
  const original = Date.now;
  Date.now = () => original() + shiftMs();
  return { [Symbol.dispose]: () => void (Date.now = original) };
}

Deno.test("ClockLog.note() keeps its place on the boot clock when the wall clock is set", async () => {
  await using folder = await tempFolder();
  const path = join(folder.path, "clock.jsonl");
  const startMs = Date.now();
  // The controller is a minute ahead, and continues as it did.
  const origin = startMs + 60_000 - performance.now();
  const time = () => Promise.resolve(origin + performance.now());
  let shiftMs = 0;
  using _wall = wallClock(() => shiftMs);
  const reports: string[] = [];
  {
    using log = new ClockLog(path, { time, report: (line) => reports.push(line) });
    await log.note();
    log.see({ type: "time", ts_ms: Date.now(), boot_ms: 5_000_000 });
    await log.note();
    shiftMs = -3_600_000;
    await log.note();
  }
  const lines: ClockOffset[] = (await Deno.readTextFile(path)).trim().split("\n")
    .map((line) => JSON.parse(line));
  assertEquals(reports, []);
  assertEquals(lines.length, 3);
  const [unseen, before, after] = lines;
  assertEquals(unseen?.boot_ms, null);
  // Both within the second that passed here at most; an hour is not.
  for (const line of [before, after]) {
    assertAlmostEquals(line?.boot_ms ?? NaN, 5_000_000 + 30_000, 30_000);
  }
  assertAlmostEquals(before?.offset_ms ?? NaN, 60_000, 30_000);
  assertAlmostEquals(after?.offset_ms ?? NaN, 60_000 + 3_600_000, 30_000);
});
