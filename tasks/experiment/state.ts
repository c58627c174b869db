/** Which runs of an experiment are done: a file beside the runs, so that it can be resumed. */

import { dirname, join } from "@std/path";
import { writeFileAtomic } from "../../trace/atomic_file.ts";
import { readRecordFile } from "../../trace/record_file.ts";
import { mapOf, record, type RecordOf, string } from "../../trace/schema.ts";

const EXPERIMENT_STATE = record("experiment state", {
  name: string({ doc: "Name of the experiment." }),
  runs: mapOf(string({ doc: "RUN_ID." }), {
    doc: "RUN_ID of each run that is done, by its flags.",
  }),
});

/** Which runs are done, {@linkcode EXPERIMENT_STATE}. */
export type ExperimentState = RecordOf<typeof EXPERIMENT_STATE>;

/** Where the state of the experiment `name` is. */
function stateFile(logs: string, name: string): string {
  return join(logs, `${name}.experiment.json`);
}

/** The state of the experiment; none of its runs is done where there is no file. */
export async function readState(logs: string, name: string): Promise<ExperimentState> {
  const path = stateFile(logs, name);
  return await readRecordFile(path, EXPERIMENT_STATE.decode) ?? { name, runs: {} };
}

/** Keep the state. */
export async function writeState(logs: string, state: ExperimentState): Promise<void> {
  const path = stateFile(logs, state.name);
  await Deno.mkdir(dirname(path), { recursive: true });
  await writeFileAtomic(path, `${JSON.stringify(state, null, 2)}\n`);
}
