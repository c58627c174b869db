/** All that is fuzzed. */

import { httpPeers } from "./http_peers.ts";
import { parquetBytes } from "./parquet_bytes.ts";
import type { FuzzTarget } from "./target.ts";
import { taskJson } from "./task_json.ts";
import { parsedRuns, rawRuns } from "./whole_run.ts";

/** Each target by its name: what opens it. */
export const TARGETS: Readonly<Record<string, () => Promise<FuzzTarget> | FuzzTarget>> = {
  raw_run: rawRuns,
  parsed_run: parsedRuns,
  parquet: parquetBytes,
  http: httpPeers,
  task_json: taskJson,
};
