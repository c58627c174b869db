/** Fail where a run is worse than its baseline by more than was allowed: for CI. */

import {
  compareSides,
  intervalText,
  type Measure,
  type MeasureChange,
  MEASURES,
  signed,
} from "../export/summary/compare.ts";
import { type Io, runMain } from "./command/main.ts";
import type { OptionsOf } from "./command/flag_table.ts";
import type { Parsed } from "./command/parse.ts";
import { UsageError } from "./command/usage_error.ts";
import { GATE } from "./flags/gate.ts";
import { openSide } from "./summary/open.ts";

/** A measure that was judged. */
interface Judged extends MeasureChange {
  /** Largest increase that passes, percent. */
  readonly limit_percent: number;
  /** True where it is not worse by more than that. */
  readonly is_passed: boolean;
}

/** `deno task gate`. */
export async function main(
  { options, operands }: Parsed<typeof GATE.flags>,
  io: Io,
): Promise<number> {
  const [baseline, run, ...rest] = operands;
  if (baseline === undefined || run === undefined || rest.length > 0) {
    throw new UsageError("BASELINE and RUN are required");
  }
  const limits = limitsOf(options);
  if (limits.size === 0) throw new UsageError("a limit is required: --max-makespan-percent, …");
  const saved = { ...options, "run-id": null };
  const changes = compareSides(await openSide(baseline, saved), await openSide(run, saved));
  const judged = changes.flatMap((change): Judged[] => {
    const limit = limits.get(change.measure);
    if (limit === undefined) return [];
    return [{ ...change, limit_percent: limit, is_passed: isPassed(change, limit) }];
  });
  if (options.json) io.print(JSON.stringify(judged));
  else for (const one of judged) io.print(lineOf(one));
  return judged.every(({ is_passed }) => is_passed) ? 0 : 1;
}

function limitsOf(options: OptionsOf<typeof GATE.flags>): Map<Measure, number> {
  const limits = new Map<Measure, number>();
  for (const measure of MEASURES) {
    const limit = Reflect.get(options, `max-${measure}-percent`);
    if (typeof limit === "number") limits.set(measure, limit);
  }
  return limits;
}

/** Unknown does not pass: a gate that cannot see is no gate. */
function isPassed({ change_percent, interval_percent }: MeasureChange, limit: number): boolean {
  const least = interval_percent?.low ?? change_percent;
  return least !== null && least <= limit;
}

function lineOf(
  { measure, change_percent, interval_percent, limit_percent, is_passed }: Judged,
): string {
  const change = change_percent === null ? "not known" : signed(change_percent);
  return `${is_passed ? "PASS" : "FAIL"} ${measure}: ${change} ${
    intervalText(interval_percent)
  }, ` +
    `at most ${signed(limit_percent)}`;
}

if (import.meta.main) await runMain(GATE, main);
