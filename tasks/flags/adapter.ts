/** Flags of the adapter, which its worker starts, and of `adapt`, which traces one command. */

import { command, integer, number, text } from "../command/flag_table.ts";
import { commandNamed } from "../commands.ts";
import { RUN_FLAGS } from "./groups/run.ts";

/** The adapter takes everything from its worker. */
export const ADAPTER = command({
  ...commandNamed("adapter"),
  flags: {},
  notes: [
    "A worker starts it by itself (--adapter-command); it ends with its stdin.",
  ],
});

/** Traces one command. */
export const ADAPT = command({
  ...commandNamed("adapt"),
  flags: {
    ...RUN_FLAGS,
    "ts-enqueue": number("When the command entered a queue, epoch ms.", {
      env: "TS_ENQUEUE",
      min: 0,
      placeholder: "MS",
    }),
    "cpuset": text("CPUs that it may run on, as cpuset(7) writes them.", {
      env: "CPUSET",
      placeholder: "LIST",
    }),
    "cpu-quota": number("CPU time that it may use, 100 is one core.", {
      env: "CPU_QUOTA",
      min: 1,
      placeholder: "PERCENT",
    }),
    "cpu-weight": integer("CPU weight against its neighbours, 1 to 10000; 100 is usual.", {
      env: "CPU_WEIGHT",
      min: 1,
      placeholder: "WEIGHT",
    }),
    "unit-name": text("systemd unit to run in, where systemd controls CPUs.", {
      env: "UNIT_NAME",
      placeholder: "NAME",
    }),
    "cpu-control": text("What applies these.", {
      choices: ["auto", "systemd", "cgroup", "none"],
      fallback: "auto",
    }),
  },
  operands: "-- COMMAND [ARGUMENT…]",
  notes: [
    "The command keeps stdin, stdout, stderr, environment and folder; signals are passed on, and this",
    "program ends as the command did.",
    "",
    "  RUN_ID=demo deno task adapt -- ffmpeg -i in.mp4 out.mp4",
  ],
});
