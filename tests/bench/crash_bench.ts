/**
 * Histories in which two things fail at once: `deno task bench crash [COUNT] [FIRST_SEED] [AT_ONCE]`.
 * Printed: each history that broke a promise, with its seed, and how many held.
 */

import { describeHistory, historyOf, playHistory } from "../support/crash_history.ts";

const [count = 20, firstSeed = 1, atOnce = 4] = Deno.args.map(Number);
let next = firstSeed;
let held = 0;
const broken: number[] = [];

async function playNext(): Promise<void> {
  while (next < firstSeed + count) {
    const seed = next++;
    const history = historyOf(seed);
    const from = performance.now();
    try {
      await playHistory(history);
      held += 1;
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      broken.push(seed);
      console.log(`${seed} BROKEN: ${error.stack}`);
      continue;
    }
    const seconds = ((performance.now() - from) / 1000).toFixed(0);
    console.log(`${seed} held in ${seconds} s: ${describeHistory(history)}`);
  }
}

await Promise.all(Array.from({ length: atOnce }, playNext));
console.log(`${held} of ${count} histories held; broken: ${broken.join(", ") || "none"}`);
Deno.exit(broken.length === 0 ? 0 : 1);
