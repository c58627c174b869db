/** Raw runs through parse, and parsed runs through export and verify. */

import { join } from "@std/path";
import { exportOpendc } from "../../export/opendc/export.ts";
import { parseNode } from "../../export/parse.ts";
import { verifyOpendc } from "../../export/verify/verify.ts";
import { writeTwoNodeRun } from "../support/cts_run.ts";
import { collectorStats, invocationEvent, rawSample, writeRawRun } from "../support/raw_run.ts";
import { tempFolder } from "../support/temp_folder.ts";
import { readTree, writeChanged } from "./files.ts";
import type { Mutator } from "./mutate.ts";
import { type FuzzTarget, isTold } from "./target.ts";

/** A raw run with any bytes changed is parsed, and every task keeps its exact total. */
export async function rawRuns(): Promise<FuzzTarget> {
  await using folder = await tempFolder();
  await writeRawRun(folder.path, {
    samples: [100, 200, 300].map((at) => rawSample(at, { cpu_ns: at * 0.9e6 })),
    events: [
      invocationEvent({ startMs: 0, endMs: null }),
      invocationEvent({ startMs: 0, endMs: 310 }, { user_ms: 295, system_ms: 1 }),
    ],
    stats: [collectorStats(2), collectorStats(1)],
  });
  const files = await readTree(folder.path);
  return {
    name: "raw_run",
    async round(mutator: Mutator): Promise<void> {
      await using changed = await writeChanged(files, { mutator });
      try {
        const { audit } = await parseNode(changed.path);
        if (audit.cpu_residual_max_ms === 0) return;
      } catch (error) {
        if (isTold(error)) return;
        throw error;
      }
      throw new Error("the rows of a task are not its total");
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

/** A run in which a task used more than its host has is exported as it is, and verify says so. */
const DATA_CHECK = "tasks_fit";

/** A parsed run with any bytes changed is exported as a workload that verifies, or refused. */
export async function parsedRuns(): Promise<FuzzTarget> {
  await using folder = await tempFolder();
  await writeTwoNodeRun(folder.path);
  const files = await readTree(folder.path);
  return {
    name: "parsed_run",
    async round(mutator: Mutator): Promise<void> {
      await using changed = await writeChanged(files, { mutator });
      const output = join(changed.path, "out");
      try {
        await exportOpendc({ input: changed.path, output, version: "fuzz" });
      } catch (error) {
        if (isTold(error)) return;
        throw error;
      }
      const { checks } = await verifyOpendc({ input: output });
      const failed = checks.filter(({ id, status }) => status === "fail" && id !== DATA_CHECK);
      if (failed.length > 0) throw new Error(`the export does not verify: ${failed[0]?.reason}`);
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
