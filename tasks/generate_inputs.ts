/** Make a set of test videos. */

import type { OptionsOf } from "./command/flag_table.ts";
import { type Io, runMain } from "./command/main.ts";
import type { Parsed } from "./command/parse.ts";
import { UsageError } from "./command/usage_error.ts";
import { generateInputs, type GenerateOptions } from "./inputs/generate.ts";
import { GENERATE_INPUTS } from "./flags/generate_inputs.ts";

/** `deno task generate-inputs`. */
export async function main(
  { options }: Parsed<typeof GENERATE_INPUTS.flags>,
  io: Io,
): Promise<number> {
  const { paths, made } = await generateInputs(optionsOf(options), io);
  io.say(`${made} made, ${paths.length - made} kept in ${options.out}`);
  return 0;
}

function optionsOf(options: OptionsOf<typeof GENERATE_INPUTS.flags>): GenerateOptions {
  const durationsS = options.durations.split(",").map(Number);
  if (!durationsS.every((seconds) => Number.isInteger(seconds) && seconds >= 1)) {
    throw new UsageError(
      `--durations must be whole seconds like 30,60, got "${options.durations}"`,
    );
  }
  const [, width = 0, height = 0] = (/^(\d+)x(\d+)$/.exec(options.size) ?? []).map(Number);
  // yuv420p halves both sides of the colour planes; H.264 needs a macroblock, and ends at 16384.
  const isSize = [width, height].every((side) => side >= 16 && side <= 16_384 && side % 2 === 0);
  if (!isSize) {
    throw new UsageError(
      `--size must be even and at least 16x16, like 1920x1080, got "${options.size}"`,
    );
  }
  const { out, seed, jobs, "per-duration": perDuration } = options;
  return { out, durationsS, perDuration, width, height, seed, jobs };
}

if (import.meta.main) await runMain(GENERATE_INPUTS, main);
