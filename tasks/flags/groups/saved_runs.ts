/** Runs that are named as operands: a RUN_ID below the logs, or a folder. */

import { dirname, join, resolve } from "@std/path";
import { isIdentifier } from "../../../trace/run_dir.ts";
import { text } from "../../command/flag_table.ts";
import type { Grant } from "../../command/role.ts";
import { RUN_FLAGS } from "./run.ts";

/** Where runs are searched. */
export const SAVED_RUN_FLAGS = {
  "run-id": text("Name of the run; default: the one whose records were written last.", {
    env: "RUN_ID",
    placeholder: "ID",
  }),
  "logs": RUN_FLAGS.logs,
} as const;

/** Values of {@linkcode SAVED_RUN_FLAGS}. */
export interface SavedRunOptions {
  readonly "run-id": string | null;
  readonly "logs": string;
}

/** Folder of the run that `operand` names, absolute: a RUN_ID below `logs`, or a path. */
export function runFolder(operand: string, { logs }: SavedRunOptions): string {
  return resolve(isIdentifier(operand) ? join(logs, operand) : operand);
}

/** Permission to read these runs, and the folders above them, which have the records of the whole run. */
export function readGrant(options: SavedRunOptions, operands: readonly string[]): Grant {
  const folders = operands.map((one) => runFolder(one, options));
  return { read: [resolve(options.logs), ...folders, ...folders.map(dirname)] };
}
