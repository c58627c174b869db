/** Flags that say which run a command is part of, and what follows from their values. */

import { resolve } from "@std/path";
import { parseNodeId, parseRunId, RunDir } from "../../../trace/run_dir.ts";
import { asUsage, UsageError } from "../../command/usage_error.ts";
import { text, toggle } from "../../command/flag_table.ts";
import type { RolePlace } from "../../command/role.ts";

/** Which run, where it is, and whose part of it this is. */
export const RUN_FLAGS = {
  "run-id": text("Name of the run, the same on all nodes.", {
    env: "RUN_ID",
    placeholder: "ID",
  }),
  "node-id": text("Name of this node; default: the host name.", {
    env: "NODE_ID",
    placeholder: "ID",
  }),
  "stage": text("Label of the environment.", {
    env: "STAGE",
    fallback: "cloud",
    placeholder: "TAG",
  }),
  "logs": text("Folder of all runs.", { env: "LOGS_DIR", fallback: "logs", placeholder: "DIR" }),
  "per-node": toggle("Use logs/RUN_ID/NODE_ID/ instead of logs/RUN_ID/.", { env: "PER_NODE" }),
} as const;

/** Values of {@linkcode RUN_FLAGS}. */
export interface RunOptions {
  readonly "run-id": string | null;
  readonly "node-id": string | null;
  readonly "logs": string;
  readonly "per-node": boolean;
}

/**
 * The RUN_ID that was given.
 *
 * @throws {UsageError} when none was given, or it is not valid.
 */
export function requireRunId(options: Pick<RunOptions, "run-id">): string {
  const runId = options["run-id"];
  if (runId === null) {
    throw new UsageError(
      "RUN_ID is required: RUN_ID=…, --run-id …, or a line RUN_ID=… in run_id.env",
    );
  }
  return asUsage(() => parseRunId(runId));
}

/**
 * NODE_ID, by default the host name.
 *
 * @throws {UsageError} when it is not valid.
 */
export function nodeIdOf(options: RunOptions): string {
  return asUsage(() => parseNodeId(options["node-id"] ?? Deno.hostname()));
}

/** The run directory of this node, absolute. */
export function runDirOf(options: RunOptions): RunDir {
  const runId = requireRunId(options);
  const logs = resolve(options.logs);
  return options["per-node"] ? RunDir.of(logs, runId, nodeIdOf(options)) : RunDir.of(logs, runId);
}

/** Where a role of a node registers. */
export function placeOf(options: RunOptions): RolePlace {
  return { runDir: runDirOf(options), runId: requireRunId(options), nodeId: nodeIdOf(options) };
}
