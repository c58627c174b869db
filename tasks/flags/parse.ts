/** Flags of parse, and the permissions that they need. */

import { join, resolve } from "@std/path";
import { LAYOUTS } from "../../export/cts/rows.ts";
import { ALIGNMENTS } from "../../export/cts/run_clock.ts";
import { command, type OptionsOf, text, toggle } from "../command/flag_table.ts";
import { commandNamed } from "../commands.ts";
import { requireRunId, RUN_FLAGS } from "./groups/run.ts";
import { role } from "../command/role.ts";

/** `deno task parse`. */
export const PARSE = command({
  ...commandNamed("parse"),
  flags: {
    "run-id": text("Name of the run; default: the one whose records were written last.", {
      env: "RUN_ID",
      placeholder: "ID",
    }),
    "node-id": text("Parse only this node; names a node that has no metadata.", {
      env: "NODE_ID",
      placeholder: "ID",
    }),
    "stage": text("Label of the environment, instead of the recorded one.", {
      env: "STAGE",
      placeholder: "TAG",
    }),
    "logs": RUN_FLAGS.logs,
    "layout": text("Files to write: CTS/, or the older cctf/.", {
      choices: LAYOUTS,
      fallback: "cts",
    }),
    "align": text("Convert times to the controller's clock, by the offsets in clock.jsonl.", {
      choices: ALIGNMENTS,
      fallback: "none",
    }),
    "strict": toggle("Exit code 1 if the audit has findings."),
    "json": toggle("Print the summaries as JSON."),
  },
  notes: [
    "Reads logs/RUN_ID/, or each logs/RUN_ID/NODE_ID/ where the runs of several nodes are together,",
    "and writes CTS/{invocations,proc_metrics}.jsonl, nodes.json, audit_report.md and audit.json there.",
    "Findings are printed and do not fail the command, because a run with gaps can still be useful.",
  ],
});

/** Options of parse. */
export type ParseFlags = OptionsOf<typeof PARSE.flags>;

/** Parse as a role: it reads runs, to find the newest one, and writes beside the records. */
export const PARSE_ROLE = role({
  command: PARSE,
  grant: (options) => {
    const logs = resolve(options.logs);
    const isGiven = options["run-id"] !== null;
    return { read: [logs], write: [isGiven ? join(logs, requireRunId(options)) : logs] };
  },
});
