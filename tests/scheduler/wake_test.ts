import { assert, assertEquals } from "@std/assert";
import { Wake } from "../../scheduler/wake.ts";

/** Longer than any test: a wait that is not ended early hangs and is seen. */
const NEVER_MS = 3_600_000;

Deno.test("Wake.notify() ends every wait", async () => {
  const wake = new Wake();
  const waits = [wake.wait(NEVER_MS), wake.wait(NEVER_MS)];
  wake.notify();
  await Promise.all(waits);
});

Deno.test("Wake.notify() while nobody waits ends the next wait, once", async () => {
  const wake = new Wake();
  wake.notify();
  wake.notify();
  await wake.wait(NEVER_MS);
  let isOver = false;
  const second = wake.wait(NEVER_MS).then(() => isOver = true);
  await new Promise((resolve) => setTimeout(resolve, 0));
  assertEquals(isOver, false);
  wake.notify();
  await second;
});

Deno.test("Wake.wait() ends with its limit or its signal", async () => {
  const wake = new Wake();
  await wake.wait(1);
  const stop = new AbortController();
  const wait = wake.wait(NEVER_MS, stop.signal);
  stop.abort();
  await wait;
  await wake.wait(NEVER_MS, stop.signal);
  assert(stop.signal.aborted);
});
