import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { parseCommand } from "../../tasks/command/parse.ts";
import { UsageError } from "../../tasks/command/usage_error.ts";
import {
  describeMode,
  type DispatchMode,
  modeOf,
  withoutScheduler,
} from "../../tasks/dispatch/mode.ts";
import { DISPATCH } from "../../tasks/flags/dispatch.ts";

function modeFor(line: string): DispatchMode | null {
  const args = line.match(/"[^"]*"|\S+/g)?.map((one) => one.replaceAll('"', "")) ?? [];
  const { options, given } = parseCommand(DISPATCH, args, { env: {}, runIdEnv: {} });
  return modeOf(options, given);
}

const SEEDS = "--inputs inputs/ffmpeg --outputs outputs --redis redis://h:6379/0?password=x";

/** The dispatchers of the seeds' READMEs, as they are there, and one for each mode beside them. */
const MODES: readonly (readonly [flags: string, mode: string | null])[] = [
  [
    `--pending --pending-mode pulse --pulse-size 10 --pulse-interval 100
     --mix "fast1080p=2,medium480p=3,hevc1080p=2,light1c=3" --total 20 --seed 20250901`,
    "to q:pending in pulses of 10 every 100 s, 1 s apart",
  ],
  [
    `--policy rr3 --pending --pending-max 6 --batch-size 1 --dribble-interval 0.1
     --mix "fast1080p=40,medium480p=40,hevc1080p=20" --total 5 --seed 20250901`,
    "to q:pending, 1 every 0.1 s while fewer than 6 wait",
  ],
  ["--pending", "to q:pending in pulses of 10 every 300 s, 1 s apart"],
  ["--pending --pulse-stagger 0", "to q:pending in pulses of 10 every 300 s, 0 s apart"],
  ["--pending --pending-mode fifo", "to q:pending, 1 every 1 s while fewer than 6 wait"],
  [
    "--pending --pending-max 3 --pending-mode pulse",
    "to q:pending in pulses of 10 every 300 s, 1 s apart",
  ],
  ["--nodes cloud1,cloud2", "to cloud1, cloud2 at once by rr3"],
  [`--nodes "cloud1 cloud2" --policy lpt-duration`, "to cloud1, cloud2 at once by lpt-duration"],
  ["--nodes a --drip", "to a by rr3, 1 every 1 s while fewer than 1 wait"],
  [
    "--nodes a,b --policy duration-online --backlog-limit 2 --batch-size 3",
    "to a, b by duration-online, 3 every 1 s while fewer than 2 wait",
  ],
  ["--pending --arrivals poisson:2.5", "to q:pending by arrivals poisson, 2.5 per s"],
  ["--nodes a,b --arrivals every:3", "to a, b by arrivals every 3 s"],
  ["", null],
  ["--arrivals every:3", null],
];

for (const [flags, expected] of MODES) {
  Deno.test(`modeOf() reads ${flags.replaceAll(/\s+/g, " ") || "no queue"}`, () => {
    const mode = modeFor(`${SEEDS} ${flags}`);
    assertEquals(mode === null ? null : describeMode(mode), expected);
  });
}

const WRONG: readonly (readonly [flags: string, message: string])[] = [
  ["--pending --arrivals every:1 --pending-mode fifo", "--arrivals fixes all times beforehand"],
  ["--nodes a --arrivals every:1 --policy online-duration", "--arrivals fixes all times"],
  ["--nodes a,a", "--nodes names a node twice"],
  ["--nodes ,", "--nodes needs names"],
  ["--nodes pending", "Cannot use NODE_ID"],
  ["--pending --policy fastest", "--policy must be one of rr3,"],
  ["--pending --pulse-size 0", "--pulse-size must be a whole number of at least 1"],
];
for (const [flags, message] of WRONG) {
  Deno.test(`modeOf() refuses ${flags}`, () => {
    assertThrows(() => modeFor(flags), UsageError, message);
  });
}

Deno.test("withoutScheduler() tells what waits for one: tasks, or only results", () => {
  for (
    const [flags, what] of [["--pending", "tasks wait"], ["--nodes n1 --drip", "results stay"]]
  ) {
    const mode = modeFor(`${SEEDS} ${flags}`);
    assert(mode !== null);
    assertStringIncludes(withoutScheduler(mode), what ?? "");
  }
});
