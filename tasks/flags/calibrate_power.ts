/** Flags of the calibration of power models, and the permissions that they need. */

import { dirname, resolve } from "@std/path";
import { command, type OptionsOf, text, toggle } from "../command/flag_table.ts";
import { UsageError } from "../command/usage_error.ts";
import { commandNamed } from "../commands.ts";
import { role } from "../command/role.ts";

/** `deno task calibrate-power`. */
export const CALIBRATE_POWER = command({
  ...commandNamed("calibrate-power"),
  flags: {
    "run": text("Parsed run during which the meter was read.", { placeholder: "DIR" }),
    "meter": text("Readings: CSV with timestamp (epoch ms or ISO 8601), node and watts.", {
      placeholder: "FILE",
    }),
    "output": text("File for the models.", { placeholder: "FILE" }),
    "json": toggle("Print the models as JSON."),
  },
  notes: [
    "Fits OpenDC's constant, linear, sqrt, square, cubic, mse and asymptotic per type of machine.",
    "The best one is that with the least error on readings that it was not fitted to.",
    "export-opendc --power FILE puts the models into the topology.",
  ],
});

/** Options of the calibration. */
export type CalibratePowerFlags = OptionsOf<typeof CALIBRATE_POWER.flags>;

/**
 * Paths of a calibration, absolute.
 *
 * @throws {UsageError} when one was not given.
 */
export function calibrationPaths(
  { run, meter, output }: CalibratePowerFlags,
): { run: string; meter: string; output: string } {
  if (run === null) throw new UsageError("--run DIR is required");
  if (meter === null) throw new UsageError("--meter FILE is required");
  if (output === null) throw new UsageError("--output FILE is required");
  return { run: resolve(run), meter: resolve(meter), output: resolve(output) };
}

/** The calibration as a role. */
export const CALIBRATE_POWER_ROLE = role({
  command: CALIBRATE_POWER,
  grant: (options) => {
    const { run, meter, output } = calibrationPaths(options);
    return { read: [run, meter, dirname(output)], write: [dirname(output)] };
  },
});
