/** Place a recorded run again. */

import { PlacementReplay } from "../scheduler/placement/replay.ts";
import { readRecords } from "../trace/json_lines.ts";
import { PLACEMENT_EVENT } from "../trace/records.ts";
import type { Parsed } from "./command/parse.ts";
import { UsageError } from "./command/usage_error.ts";
import { CommandError, type Io, runMain } from "./command/main.ts";
import { REPLAY } from "./flags/replay.ts";

/** Replay the file that the operand names. */
export async function main({ operands }: Parsed<typeof REPLAY.flags>, io: Io): Promise<number> {
  const [path] = operands;
  if (path === undefined || operands.length > 1) {
    throw new UsageError("one file is required: logs/RUN_ID/placement_events.jsonl");
  }
  const replay = new PlacementReplay();
  let torn = 0;
  const events = readRecords(path, {
    decode: PLACEMENT_EVENT.decode,
    onBadLine: ({ line, reason, isTorn }) => {
      if (!isTorn) throw new CommandError(`${path}:${line} is not a placement event: ${reason}`);
      torn += 1;
    },
  });
  for await (const event of events) {
    const difference = replay.take(event);
    if (difference === null) continue;
    const { taskId, recorded, decided } = difference;
    io.print(
      `decision ${replay.decisions}, task ${taskId}: recorded ${recorded}, decided ${decided}`,
    );
    return 1;
  }
  if (torn > 0) io.say("the last line is torn: skipped");
  io.print(`${replay.decisions} decisions agree`);
  return 0;
}

if (import.meta.main) await runMain(REPLAY, main);
