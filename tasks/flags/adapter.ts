/** Flags of the adapter, which its worker starts, and of `adapt`, which traces one command. */

import { command, integer, number, text, toggle } from "../command/flag_table.ts";
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
    "ts-enqueue": number("Time at which the command entered a queue, epoch ms.", {
      env: "TS_ENQUEUE",
      min: 0,
      placeholder: "MS",
    }),
    "cpuset": text("CPUs that the command may use, as in cpuset(7): 0-3,8.", {
      env: "CPUSET",
      placeholder: "LIST",
    }),
    "cpu-quota": number("CPU quota; 100 is one core.", {
      env: "CPU_QUOTA",
      min: 1,
      placeholder: "PERCENT",
    }),
    "cpu-weight": integer("CPU weight as in cgroup v2, 1 to 10000; 100 is the kernel's default.", {
      env: "CPU_WEIGHT",
      min: 1,
      placeholder: "WEIGHT",
    }),
    "unit-name": text("Name of the systemd scope, if systemd controls CPUs.", {
      env: "UNIT_NAME",
      placeholder: "NAME",
    }),
    "quiet": toggle("Leave out the line on stderr at the end: time, CPU, peak memory, record."),
    "cpu-control": text("How CPU limits are applied.", {
      choices: ["auto", "systemd", "cgroup", "none"],
      fallback: "auto",
    }),
  },
  operands: "-- COMMAND [ARGUMENT…]",
  notes: [
    "The command inherits stdin, stdout, stderr, environment and folder; signals are forwarded. The exit",
    "code is the command's.",
    "",
    "  RUN_ID=demo deno task adapt -- ffmpeg -i in.mp4 out.mp4",
  ],
});
