/** Fit OpenDC's power models to the readings of a meter. */

import { calibratePower, type PowerFile } from "../export/power/calibrate.ts";
import { writeJsonAtomic } from "../trace/atomic_file.ts";
import { type Io, runMain } from "./command/main.ts";
import type { Parsed } from "./command/parse.ts";
import { CALIBRATE_POWER, calibrationPaths } from "./flags/calibrate_power.ts";

/** `deno task calibrate-power`. */
export async function main(
  { options }: Parsed<typeof CALIBRATE_POWER.flags>,
  io: Io,
): Promise<number> {
  const { run, meter, output } = calibrationPaths(options);
  const file = await calibratePower({ run, meter });
  await writeJsonAtomic(output, file);
  if (options.json) io.print(JSON.stringify(file));
  else for (const line of linesOf(file)) io.print(line);
  io.say(`Wrote ${output}: deno task export-opendc --power ${output}`);
  return 0;
}

function linesOf({ machines }: PowerFile): string[] {
  return machines.flatMap(({ nodes, readings, models }) => [
    `${nodes.join(", ")}: ${readings.length} readings`,
    ...models.map(({ model, mape, cv_mape, rmse_w }, at) =>
      [
        at === 0 ? "*" : " ",
        model.modelType.padEnd(10),
        `idle ${model.idlePower.toFixed(1)} W, max ${model.maxPower.toFixed(1)} W`,
        `MAPE ${percent(mape)}, cross-validated ${percent(cv_mape)}, RMSE ${rmse_w.toFixed(2)} W`,
      ].join("  ")
    ),
  ]);
}

function percent(part: number): string {
  return `${(100 * part).toFixed(2)} %`;
}

if (import.meta.main) await runMain(CALIBRATE_POWER, main);
