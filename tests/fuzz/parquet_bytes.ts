/** Exports with any bytes changed, through verify. */

import { verifyOpendc } from "../../export/verify/verify.ts";
import { exportTwoNodes } from "../support/exported_run.ts";
import { readTree, writeChanged } from "./files.ts";
import type { Mutator } from "./mutate.ts";
import { type FuzzTarget, isTold } from "./target.ts";

/** A changed export is judged, in bounded time: whatever was changed, its manifest tells. */
export async function parquetBytes(): Promise<FuzzTarget> {
  await using exported = await exportTwoNodes();
  const files = await readTree(exported.output);
  return {
    name: "parquet",
    async round(mutator: Mutator): Promise<void> {
      await using changed = await writeChanged(files, {
        mutator,
        names: /\.parquet$|\.json$/,
      });
      try {
        await verifyOpendc({ input: changed.path });
      } catch (error) {
        if (!isTold(error)) throw error;
      }
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
