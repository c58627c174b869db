/** Show a run on one screen, its groups, or several runs beside each other. */

import { compareSides, comparisonLines, type Side } from "../export/summary/compare.ts";
import { groupLines, groupTasks } from "../export/summary/groups.ts";
import { screenLines } from "../export/summary/screen.ts";
import { summarizeRun } from "../export/summary/summary.ts";
import { type Io, runMain } from "./command/main.ts";
import type { OptionsOf } from "./command/flag_table.ts";
import type { Parsed } from "./command/parse.ts";
import { UsageError } from "./command/usage_error.ts";
import { SHOW } from "./flags/show.ts";
import { openRun, openSide, paintOf } from "./summary/open.ts";

type Options = OptionsOf<typeof SHOW.flags>;

/** `deno task show`. */
export async function main(
  { options, operands }: Parsed<typeof SHOW.flags>,
  io: Io,
): Promise<number> {
  const isComparison = operands.length > 1;
  if (isComparison && options["group-by"] !== null) {
    throw new UsageError("--group-by takes one run");
  }
  if (isComparison) await showSides(operands, { options, io });
  else await showRun(operands[0] ?? null, { options, io });
  return 0;
}

interface Context {
  readonly options: Options;
  readonly io: Io;
}

async function showRun(operand: string | null, { options, io }: Context): Promise<void> {
  if (operand?.includes(",")) throw new UsageError("repeats are compared: name a second run too");
  const run = await openRun(operand, options);
  const grouping = options["group-by"];
  if (grouping !== null) {
    const groups = groupTasks(run.tasks, grouping);
    if (options.json) io.print(JSON.stringify(groups));
    else groupLines(groups, grouping).forEach(io.print);
    return;
  }
  const summary = await summarizeRun(run);
  if (options.json) io.print(JSON.stringify(summary));
  else screenLines(summary, paintOf()).forEach(io.print);
}

async function showSides(operands: readonly string[], { options, io }: Context): Promise<void> {
  const sides: Side[] = [];
  for (const operand of operands) sides.push(await openSide(operand, options));
  const [base, ...others] = sides as [Side, ...Side[]];
  if (options.json) {
    io.print(JSON.stringify(others.map((other) => ({
      a: base.name,
      b: other.name,
      changes: compareSides(base, other),
    }))));
    return;
  }
  for (const [at, other] of others.entries()) {
    if (at > 0) io.print("");
    comparisonLines({ base, other }, paintOf()).forEach(io.print);
  }
}

if (import.meta.main) await runMain(SHOW, main);
