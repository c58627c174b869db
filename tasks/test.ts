/**
 * `deno task test`: type-check everything, run the tests that stay inside a sandbox under the
 * permission set `test` of deno.json, and the others (real /proc, FFI, child processes) with every
 * permission, those that mostly wait beside the rest. What was left out is listed at the end, and the
 * last line has the counts of all of them. However the suite ends, no process that it started is left.
 */

import { fromFileUrl } from "@std/path";
import type { Parsed } from "./command/parse.ts";
import { dieWithParent } from "./command/process.ts";
import { type Io, runMain } from "./command/main.ts";
import { TEST } from "./flags/test.ts";

/** Tests that need this repository, a folder for temporary files, loopback and a few programs. */
const SANDBOXED: readonly string[] = [
  "tests/architecture_test.ts",
  "tests/documents_test.ts",
  "tests/lint/",
  "tests/scheduler/",
];

/** Tests that measure what share of the machine they get: nothing of ours runs beside them. */
const ALONE: readonly string[] = ["tests/adapter/place/cpu_effect_test.ts"];

/** Tests that mostly wait, for leases to end and for machines to come up. */
const PATIENT: readonly string[] = ["tests/crash/", "tests/e2e/cluster_test.ts"];

/** Tests that passed, failed and were left out. */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly ignored: number;
}

/**
 * The counts in what `deno test` printed: of its last summary line, which also counts a file that
 * failed to load. Null when there is none, as after a type error or a crash.
 */
export function countsIn(output: string): Counts | null {
  const summary =
    /^(?:ok|FAILED) \| (\d+) passed(?: \(.*?\))? \| (\d+) failed(?: \(.*?\))?(?: \| (\d+) ignored)?/;
  const line = output.split("\n").findLast((one) => summary.test(one));
  if (line === undefined) return null;
  const [, passed, failed, ignored = "0"] = summary.exec(line) ?? [];
  return { passed: Number(passed), failed: Number(failed), ignored: Number(ignored) };
}

/** Why tests were left out: what they printed of it, each reason once. */
export function reasonsIn(output: string): string[] {
  const reasons = output.split("\n").map((line) => /^left out: (.+)$/.exec(line)?.[1]);
  return [...new Set(reasons.filter((reason) => reason !== undefined))];
}

/** Stages of the whole test, or of `paths` alone: for each, what runs side by side, as arguments of `deno`. */
function stages(paths: readonly string[]): string[][][] {
  const test = ["test", "--no-check", "--trace-leaks"];
  if (paths.length > 0) return [[[...test, "-A", ...paths]]];
  // deno by its path: on a machine that has it from npx it is not on PATH.
  const programs = [Deno.execPath(), "bash", "ffmpeg", "redis-cli", "redis-server", "setpriv"];
  const elsewhere = [...SANDBOXED, ...ALONE, ...PATIENT];
  return [
    [[...test, "-q", "-P=test", `--allow-run=${programs.join(",")}`, ...SANDBOXED]],
    [[...test, "-A", ...ALONE]],
    [
      [...test, "-A", `--ignore=${elsewhere.join(",")}`, "tests/"],
      [...test, "-A", ...PATIENT],
    ],
  ];
}

/** What a run of `deno` left behind. */
interface Ended {
  readonly success: boolean;
  readonly output: string;
}

/** The variable by which every process of a suite is known, whoever started it. */
const SUITE = "TRACEKIT_SUITE";

/**
 * Waits for its input to end, as it does when the suite ends in whatever way, and kills every process
 * that has the suite's id ($1) in its environment: twice, as one may just be starting another.
 */
const GUARD = `
cat >/dev/null
for turn in 1 2 3; do
  left=$(grep -lzsxF "${SUITE}=$1" /proc/[0-9]*/environ | cut -d/ -f3)
  [ -n "$left" ] || break
  kill -KILL $left 2>/dev/null
done
`;

/** The processes of one suite: `deno`, and all that comes of it. */
class Suite implements AsyncDisposable {
  readonly #id = crypto.randomUUID();
  readonly #signal: AbortSignal;
  readonly #guard: Deno.ChildProcess;

  /** A suite that is told to end by `signal`. */
  constructor(signal: AbortSignal) {
    this.#signal = signal;
    this.#guard = new Deno.Command("sh", {
      args: ["-c", GUARD, "sh", this.#id],
      stdin: "piped",
      stdout: "null",
      stderr: "null",
      // In a process group of its own, out of reach of Ctrl-C.
      detached: true,
    }).spawn();
  }

  /** Run `deno` with `args`; what it prints is passed on meanwhile, unless it `isKept`. */
  async deno(
    args: readonly string[],
    { isKept = false }: { readonly isKept?: boolean } = {},
  ): Promise<Ended> {
    await using child = new Deno.Command(Deno.execPath(), {
      args: [...args],
      cwd: fromFileUrl(new URL("..", import.meta.url)),
      stdin: "null",
      stdout: "piped",
      env: { NO_COLOR: "1", [SUITE]: this.#id },
    }).spawn();
    const stop = () => child.kill("SIGTERM");
    this.#signal.addEventListener("abort", stop, { once: true });
    const [shown, kept] = child.stdout.tee();
    const [output] = await Promise.all([
      new Response(kept).text(),
      isKept ? shown.cancel() : shown.pipeTo(Deno.stdout.writable, { preventClose: true }),
    ]);
    const { success } = await child.status;
    this.#signal.removeEventListener("abort", stop);
    return { success, output };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#guard.stdin.close();
    await this.#guard.status;
  }
}

function countsOf({ success, output }: Ended): Counts {
  const counts = countsIn(output) ?? { passed: 0, failed: 1, ignored: 0 };
  // A runner that fails without a failed test (a leak at its end, a signal) is a failure of its own.
  return success || counts.failed > 0 ? counts : { ...counts, failed: 1 };
}

/** Check all types and run the tests; returns 1 when anything failed. */
export async function main({ operands }: Parsed<typeof TEST.flags>, io: Io): Promise<number> {
  const { signal } = io;
  await using suite = new Suite(signal);
  const ends: Ended[] = [];
  // All files at once, also those that no test imports; what does not type-check is not run.
  const check = await suite.deno(["check", "--quiet", ...operands]);
  for (const runs of check.success ? stages(operands) : []) {
    if (signal.aborted) break;
    const ended = await Promise.all(runs.map((args, at) => suite.deno(args, { isKept: at > 0 })));
    for (const { output } of ended.slice(1)) io.print(output.trimEnd());
    ends.push(...ended);
  }
  const counts = ends.map(countsOf);
  const sumOf = (field: keyof Counts) => counts.reduce((sum, one) => sum + one[field], 0);
  const passed = sumOf("passed");
  const failed = sumOf("failed") + (check.success ? 0 : 1) + (signal.aborted ? 1 : 0);
  const reasons = reasonsIn(ends.map(({ output }) => output).join("\n"));
  if (sumOf("ignored") > 0 || reasons.length > 0) {
    io.print(`\n${sumOf("ignored")} tests left out${reasons.length > 0 ? ":" : ""}`);
    for (const reason of reasons) io.print(`  ${reason}`);
  }
  io.print(`${passed} passed, ${failed} failed`);
  return failed === 0 && passed > 0 ? 0 : 1;
}

if (import.meta.main) {
  // A suite whose `deno task` was killed has nobody left to report to.
  dieWithParent();
  await runMain(TEST, main);
}
