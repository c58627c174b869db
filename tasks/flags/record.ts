/** Flags of record. */

import { resolve } from "@std/path";
import { ARGV_MODES } from "../../collector/finding/service_log.ts";
import { command, integer, number, type OptionsOf, text, toggle } from "../command/flag_table.ts";
import { UsageError } from "../command/usage_error.ts";
import { commandNamed } from "../commands.ts";
import { CONTAINER_FLAGS } from "./groups/container.ts";
import { RUN_FLAGS } from "./groups/run.ts";

/** `deno task record`. */
export const RECORD = command({
  ...commandNamed("record"),
  operands: "[-- COMMAND ARG…]",
  flags: {
    "pid": integer("Follow this process and its descendants.", { min: 1, placeholder: "PID" }),
    ...CONTAINER_FLAGS,
    "cgroup": text("Follow the processes of this cgroup, below /sys/fs/cgroup or absolute.", {
      placeholder: "PATH",
    }),
    "unit": text("Follow the processes of this systemd unit.", { placeholder: "NAME" }),
    "for": number("Without a command: stop after this many seconds; default: at Ctrl-C.", {
      min: 0.1,
      placeholder: "S",
    }),
    "interval-ms": integer("Sampling interval.", { fallback: 200, min: 10, placeholder: "MS" }),
    "argv": text("Command lines of followed processes: without secrets, or as they are.", {
      choices: ARGV_MODES,
      fallback: "redacted",
    }),
    "host": toggle("Write the series of the whole host too."),
    // Of a recording alone: RUN_ID names a batch, and records of two runs in one folder would be one run.
    "run-id": text("Name of the run; default: record-TIME.", { placeholder: "ID" }),
    "node-id": RUN_FLAGS["node-id"],
    "logs": RUN_FLAGS.logs,
    "json": toggle("Print the invocations as JSON instead of a table."),
  },
  notes: [
    "One command starts a collector, follows, stops, parses, and shows what was used.",
    "The exit code is that of the command; without one, 0 when something was followed.",
    "",
    "  deno task record -- make -j2",
    "  deno task record --container web --for 60",
  ],
});

/** Options of record. */
export type RecordFlags = OptionsOf<typeof RECORD.flags>;

/** What is recorded. */
export type RecordTarget =
  | { readonly kind: "command"; readonly argv: readonly string[] }
  | { readonly kind: "pid"; readonly pid: number }
  | { readonly kind: "container" | "unit"; readonly name: string }
  | { readonly kind: "cgroup"; readonly path: string };

/**
 * What to record.
 *
 * @throws {UsageError} when not exactly one target is named.
 */
export function recordTarget(options: RecordFlags, operands: readonly string[]): RecordTarget {
  const { pid, container, cgroup, unit } = options;
  const targets: RecordTarget[] = [
    ...operands.length === 0 ? [] : [{ kind: "command", argv: operands } as const],
    ...pid === null ? [] : [{ kind: "pid", pid } as const],
    ...container === null ? [] : [{ kind: "container", name: container } as const],
    ...unit === null ? [] : [{ kind: "unit", name: unit } as const],
    ...cgroup === null
      ? []
      : [{ kind: "cgroup", path: resolve("/sys/fs/cgroup", cgroup) } as const],
  ];
  const [target, ...more] = targets;
  if (target === undefined || more.length > 0) {
    throw new UsageError(
      "one of -- COMMAND, --pid, --container, --cgroup and --unit is required",
    );
  }
  if (target.kind === "command" && options.for !== null) {
    throw new UsageError("--for is for what runs already; a command is recorded to its end");
  }
  return target;
}
