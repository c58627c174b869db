import { atOnce } from "../support/at_once.ts";
import {
  describeHistory,
  type Fault,
  type History,
  playHistory,
} from "../support/crash_history.ts";

function fault(
  victim: Fault["victim"],
  way: Fault["way"],
  [atMs, forMs]: readonly [atMs: number, forMs: number],
): Fault {
  return { victim, way, atMs, forMs };
}

/** `deno task bench crash` draws others by seeds, as many as wanted. */
const HISTORIES: readonly History[] = [
  {
    afterEnded: 4,
    faults: [fault("dispatcher", "kill", [0, 300]), fault("redis", "kill", [200, 500])],
  },
  {
    afterEnded: 6,
    faults: [fault("redis", "kill", [0, 1000]), fault("scheduler", "kill", [0, 5000])],
  },
  {
    afterEnded: 3,
    faults: [fault("scheduler", "stall", [0, 8000]), fault("dispatcher", "cut", [500, 5000])],
  },
  {
    afterEnded: 5,
    faults: [fault("worker", "kill", [0, 11_000]), fault("scheduler", "stop", [300, 5000])],
  },
  {
    afterEnded: 4,
    faults: [fault("adapter", "stop", [0, 11_000]), fault("worker", "kill", [300, 11_000])],
  },
];

Deno.test("whatever two fail at once, no task is lost or run twice", async (t) => {
  await atOnce(
    t,
    Object.fromEntries(HISTORIES.map((history) => [
      describeHistory(history),
      () => playHistory(history),
    ])),
  );
});
