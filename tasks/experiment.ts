/** Run a batch under several policies, arrivals and seeds, and compare them over the repeats. */

import { join, resolve } from "@std/path";
import { readRecordFile } from "../trace/record_file.ts";
import type { OptionsOf } from "./command/flag_table.ts";
import { CommandError, type Io, runMain } from "./command/main.ts";
import { programCommand } from "./command/own_program.ts";
import type { Parsed } from "./command/parse.ts";
import { UsageError } from "./command/usage_error.ts";
import { type CellRun, experimentLines, readCells } from "./experiment/report.ts";
import {
  type Cell,
  cellsOf,
  EXPERIMENT_SPEC,
  type ExperimentSpec,
  keyOf,
} from "./experiment/spec.ts";
import { type ExperimentState, readState, writeState } from "./experiment/state.ts";
import { EXPERIMENT } from "./flags/experiment.ts";
import { paintOf } from "./summary/open.ts";

type Options = OptionsOf<typeof EXPERIMENT.flags>;

/** Runs one cell; returns its RUN_ID. */
export type RunCell = (
  cell: Cell,
  context: { readonly logs: string; readonly io: Io },
) => Promise<string>;

/** `deno task experiment`. */
export async function main(
  { options, operands }: Parsed<typeof EXPERIMENT.flags>,
  io: Io,
  runCell: RunCell = runDemo,
): Promise<number> {
  const spec = await readSpec(operands);
  const logs = resolve(options.logs);
  const state = await readState(logs, spec.name);
  const cells = cellsOf(spec);
  if (!options.show) await runCells(cells, { state, logs, io, runCell });
  const done = runsOf(cells, { state, logs });
  await report(done, { spec, options, io });
  return done.length === cells.length ? 0 : 1;
}

async function readSpec(operands: readonly string[]): Promise<ExperimentSpec> {
  const [path, ...rest] = operands;
  if (path === undefined || rest.length > 0) throw new UsageError("one SPEC is required");
  const spec = await readRecordFile(path, EXPERIMENT_SPEC.decode);
  if (spec === null) throw new CommandError(`Cannot read "${path}": there is no such file`);
  return spec;
}

interface Place {
  readonly state: ExperimentState;
  readonly logs: string;
}

async function runCells(
  cells: readonly Cell[],
  { state, logs, io, runCell }: Place & { readonly io: Io; readonly runCell: RunCell },
): Promise<void> {
  const runs: Record<string, string> = { ...state.runs };
  state.runs = runs;
  for (const [at, cell] of cells.entries()) {
    if (io.signal.aborted) return;
    const key = keyOf(cell);
    const known = runs[key];
    const progress = `${at + 1} of ${cells.length}: ${nameOf(cell)}, seed ${cell.seed}`;
    if (known !== undefined) {
      io.say(`${progress}: done before (${known})`);
      continue;
    }
    io.say(progress);
    runs[key] = await runCell(cell, { logs, io });
    await writeState(logs, state);
  }
}

function nameOf({ policy, arrivals, replicate }: Cell): string {
  return [policy, ...arrivals === null ? [] : [arrivals], ...replicate === 2 ? ["A/A"] : []].join(
    " ",
  );
}

function runsOf(cells: readonly Cell[], { state, logs }: Place): CellRun[] {
  return cells.flatMap((cell) => {
    const runId = state.runs[keyOf(cell)];
    return runId === undefined ? [] : [{ cell: nameOf(cell), folder: join(logs, runId) }];
  });
}

async function report(
  runs: readonly CellRun[],
  { spec, options, io }: {
    readonly spec: ExperimentSpec;
    readonly options: Options;
    readonly io: Io;
  },
): Promise<void> {
  if (options.json) {
    io.print(JSON.stringify(runs));
    return;
  }
  const cells = await readCells(runs, { warmUpMs: (spec.warm_up_s ?? 0) * 1000 });
  for (const line of experimentLines(cells, paintOf())) io.print(line);
}

/** A demo with the settings of the cell. Tasks that fail do not end the experiment: they are a result. */
async function runDemo(
  { flags }: Cell,
  { logs, io }: { readonly logs: string; readonly io: Io },
): Promise<string> {
  const [program = "", ...args] = programCommand("demo", ["-A", "-q"]);
  const { stdout } = await new Deno.Command(program, {
    // Of a run of an experiment the records are wanted: its export is overwritten by the next one's.
    args: [
      ...args,
      ...flags,
      `--logs=${logs}`,
      `--out=${join(logs, ".experiment-export")}`,
      "--json",
    ],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
    signal: io.signal,
  }).output();
  const text = new TextDecoder().decode(stdout).trim();
  if (!text.startsWith("{")) throw new CommandError("a run of the experiment failed; run it again");
  return String(JSON.parse(text).run_id);
}

if (import.meta.main) {
  await runMain(EXPERIMENT, (parsed, io) => main(parsed, io));
}
