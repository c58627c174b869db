/** Flags of the demo. */

import { command, integer, text, toggle } from "../command/flag_table.ts";
import { commandNamed } from "../commands.ts";
import { WEIGHER_FLAGS } from "./groups/weigher.ts";

/** The main job on one machine. */
export const DEMO = command({
  ...commandNamed("demo"),
  flags: {
    "total": integer("Tasks to run.", { fallback: 10, min: 1 }),
    "mix": text("Share of each profile.", {
      fallback: "fast1080p=2,medium480p=3,hevc1080p=2,light1c=3",
      placeholder: "PROFILE=WEIGHT,…",
    }),
    "seed": integer("Seed of the mix; 0: unseeded.", { fallback: 20250901, min: 0 }),
    "nodes": integer("Number of nodes, cloud1 to cloudN.", { fallback: 2, min: 1 }),
    "capacity-units": integer("Capacity of each node, in vCPUs.", { fallback: 4, min: 1 }),
    "interval-ms": integer("Sampling interval, ms.", { fallback: 200, min: 1 }),
    "arrivals": text("Arrivals as of dispatch --arrivals; default: pulses of five tasks.", {
      placeholder: "SPEC",
    }),
    ...WEIGHER_FLAGS,
    "scan-pending": integer("Tasks to consider; 1: strict FIFO; more: backfill.", {
      fallback: 1,
      min: 1,
    }),
    "inputs": text("Folder of the test videos; filled if it has none.", {
      fallback: "inputs/demo",
      placeholder: "DIR",
    }),
    "out": text("Folder of the OpenDC export; default: opendc_traces_RUN_ID.", {
      placeholder: "DIR",
    }),
    "logs": text("Folder of all runs.", { env: "LOGS_DIR", fallback: "logs", placeholder: "DIR" }),
    "open": toggle("Open the report in a browser at the end."),
    "json": toggle("Print a JSON summary on stdout instead of the table."),
  },
});
