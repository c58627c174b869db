import { assertEquals } from "@std/assert";
import { startTimer } from "../../trace/timer.ts";
import { LONGEST_DELAY_MS } from "../../trace/units.ts";

/** Delays that setTimeout is asked for while `act` runs; its callbacks are called at once, in order. */
function delaysOf(act: () => void, rounds: number): number[] {
  const delays: number[] = [];
  const { setTimeout } = globalThis;
  globalThis.setTimeout = ((action: () => void, delayMs: number) => {
    delays.push(delayMs);
    if (delays.length < rounds) action();
    return 0;
  }) as unknown as typeof setTimeout;
  try {
    act();
  } finally {
    globalThis.setTimeout = setTimeout;
  }
  return delays;
}

Deno.test("startTimer() asks the runtime for no delay that it cannot take", () => {
  const limits = [2 ** 31, 1e12, Infinity].map((delayMs) =>
    delaysOf(() => startTimer(delayMs, () => {}), 3)[0]
  );
  assertEquals(limits, [LONGEST_DELAY_MS, LONGEST_DELAY_MS, LONGEST_DELAY_MS]);
  const short = [LONGEST_DELAY_MS, 5, 0, -5, NaN].map((delayMs) =>
    delaysOf(() => startTimer(delayMs, () => {}), 1)[0]
  );
  assertEquals(short, [LONGEST_DELAY_MS, 5, 0, 0, 0]);
});

Deno.test("startTimer() does its action once, and not after clear()", async () => {
  const done = Promise.withResolvers<void>();
  let count = 0;
  const cleared = startTimer(1, () => count++);
  cleared.clear();
  startTimer(2, done.resolve);
  await done.promise;
  assertEquals(count, 0);
});
