import { assertEquals } from "@std/assert";
import { checkCapture } from "../support/capture.ts";

/** `deno task bench capture` runs ten times as many: what is rare shows there. */
const SIZE = { shortJobs: 100, atOnce: 8, longLived: 20 };

Deno.test("every job has rows that sum to its total, however short, forked or killed", async (t) => {
  for (const [what, problems] of Object.entries(await checkCapture(SIZE))) {
    await t.step(what, () => assertEquals(problems, []));
  }
});
