/** Write the figures of runs for papers. */

import { join } from "@std/path";
import { isThere, messageOf, writeFileAtomic } from "../trace/atomic_file.ts";
import { counted } from "../trace/counted.ts";
import { ExportError } from "../export/opendc/input.ts";
import { packTables, unpackTables } from "../export/report/columns.ts";
import type { SummedRun } from "../export/report/comparison.ts";
import { distributionFigures } from "../export/report/distributions.ts";
import {
  csvOf,
  latexOf,
  PX_PER_INCH,
  standaloneSvg,
  WIDTHS,
} from "../export/report/figure_files.ts";
import type { Figure } from "../export/report/figures.ts";
import { readRun, type RunParts } from "../export/report/read_run.ts";
import { timeFigures } from "../export/report/time_figures.ts";
import { readRunAt } from "../export/report/run_columns.ts";
import { summaryOf } from "../export/report/summary.ts";
import type { Parsed } from "./command/parse.ts";
import { CommandError, type Io, runMain } from "./command/main.ts";
import { figurePaths, FIGURES } from "./flags/figures.ts";
import { findProgram } from "./machine/packages.ts";

/** Dots of an inch of the PNG files: what papers ask for. */
const PNG_DPI = 300;

/** `deno task figures`. */
export async function main(
  { options, operands }: Parsed<typeof FIGURES.flags>,
  io: Io,
): Promise<number> {
  const { runs, output } = figurePaths(options, operands);
  const summed = await readSummed(runs, io);
  await Deno.mkdir(output, { recursive: true });
  const figures = figuresOf(summed, Math.round(WIDTHS.column * PX_PER_INCH));
  const wide = figuresOf(summed, WIDTHS.page * PX_PER_INCH);
  const theme = options.theme;
  const svgs: string[] = [];
  const write = async (name: string, figure: Figure) => {
    const path = join(output, `${name}.svg`);
    await writeFileAtomic(path, standaloneSvg(figure, { theme }));
    svgs.push(path);
  };
  for (const figure of figures) {
    await write(figure.id, figure);
    await writeFileAtomic(join(output, `${figure.id}.csv`), csvOf(figure));
  }
  for (const figure of wide) await write(`${figure.id}-wide`, figure);
  const captions = figures.map(({ id, caption }) => `${id}: ${caption}\n`);
  await writeFileAtomic(join(output, "captions.txt"), captions.join(""));
  await writeFileAtomic(join(output, "figures.tex"), latexOf(figures));
  await convert(svgs, io);
  io.say(`Wrote ${output}: ${counted(figures.length, "figure")} in two widths, with data`);
  return 0;
}

/** All figures, `width` px wide: distributions of all runs, and the first one over time. */
function figuresOf(runs: readonly SummedRun[], width: number): Figure[] {
  const first = runs.slice(0, 1).flatMap((one) => timeFigures(one, { width }));
  return [...first, ...distributionFigures(runs, { width })];
}

async function readSummed(runs: readonly string[], io: Io): Promise<SummedRun[]> {
  const parts: RunParts[] = [];
  for (const [place, folder] of runs.entries()) {
    if (!await isThere(folder)) {
      throw new CommandError(`Cannot draw "${folder}": a folder of a run is required, got none`);
    }
    try {
      parts.push(await readRun(folder, { place, signal: io.signal }));
    } catch (error) {
      if (!(error instanceof ExportError)) throw error;
      throw new CommandError(`Cannot draw "${folder}": ${messageOf(error)}`, { cause: error });
    }
  }
  const heads = parts.map(({ head }) => head);
  const unpacked = unpackTables(packTables({ runs: heads }, parts.flatMap(({ tables }) => tables)));
  return parts.map((_, at) => {
    const run = readRunAt(unpacked, at);
    return { run, summary: summaryOf(run) };
  });
}

/** Make PDF and PNG of each picture, where the program for it is installed. */
async function convert(svgs: readonly string[], io: Io): Promise<void> {
  const program = await findProgram("rsvg-convert");
  if (program === null) {
    io.say("No PDF and PNG: rsvg-convert is required, got none (Debian: librsvg2-bin)");
    return;
  }
  for (const svg of svgs) {
    for (const format of ["pdf", "png"]) {
      const output = svg.replace(/svg$/, format);
      const dpi = format === "png" ? [`--dpi-x=${PNG_DPI}`, `--dpi-y=${PNG_DPI}`] : [];
      const args = [`--format=${format}`, ...dpi, `--output=${output}`, svg];
      const { success, stderr } = await new Deno.Command(program, { args }).output();
      if (success) continue;
      const reason = new TextDecoder().decode(stderr).trim();
      throw new CommandError(`Cannot make "${output}": ${reason}`);
    }
  }
}

if (import.meta.main) await runMain(FIGURES, main);
