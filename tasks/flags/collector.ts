/** Flags of the collector, and of the commands that start and stop it. */

import { resolve } from "@std/path";
import type { Selection } from "../../collector/collect.ts";
import { ARGV_MODES } from "../../collector/finding/service_log.ts";
import { parseCpuList } from "../../trace/cpu_list.ts";
import { asUsage, UsageError } from "../command/usage_error.ts";
import { command, integer, number, type OptionsOf, text, toggle } from "../command/flag_table.ts";
import { commandNamed } from "../commands.ts";
import { CONTAINER_FLAGS } from "./groups/container.ts";
import { RUN_FLAGS, runDirOf } from "./groups/run.ts";

/** The variables of the seeds, and ours beside them. */
const COLLECTOR_FLAGS = {
  ...RUN_FLAGS,
  "proc-pid-dir": text(
    "Folder of the sentinels (whitelist mode); default: pids/ of the run directory. Empty: scan mode.",
    { env: "PROC_PID_DIR", placeholder: "DIR", isEmptyGiven: true },
  ),
  "proc-match": text(
    "Names to sample in scan mode and for empty sentinels: regular expression on comm, case-insensitive.",
    { env: "PROC_MATCH", fallback: "^ffmpeg$|^ffprobe$", placeholder: "REGEX" },
  ),
  "interval-ms": integer("Sampling interval.", {
    env: "PROC_INTERVAL_MS",
    fallback: 200,
    min: 10,
    placeholder: "MS",
  }),
  "refresh": toggle("Look for new processes at every tick; 0: only at the start.", {
    env: "PROC_REFRESH",
    fallback: true,
  }),
  "sampling": toggle("Sample processes; 0: write the node's metadata only.", {
    env: "PROC_SAMPLING",
    fallback: true,
  }),
  "tree": integer("Follow this process and its descendants instead.", {
    min: 1,
    placeholder: "PID",
  }),
  "cgroup": text("Follow the processes of this cgroup instead.", { placeholder: "PATH" }),
  "argv": text("Command lines of observed processes: without secrets, or as they are.", {
    choices: ARGV_MODES,
    fallback: "redacted",
  }),
  "host": toggle("Also record the whole host: host_metrics.jsonl."),
  "cpus": text(
    "CPUs of this node, as in cpuset(7): 0-3,8; default: all.",
    {
      placeholder: "LIST",
    },
  ),
  "cpu-freq-mhz": number("Frequency of a core, if the machine reports none or a wrong one.", {
    env: "CPU_FREQ_MHZ",
    min: 1,
    placeholder: "MHZ",
  }),
  "vm-ip": text("Address whose route names the network interface of the node.", {
    env: "VM_IP",
    placeholder: "ADDRESS",
  }),
  "iface": text("Network interface of the node.", { env: "IFACE", placeholder: "NAME" }),
  "procfs": text(
    "Mount point of proc(5). With another than /proc the collector may read nothing else.",
    { fallback: "/proc", placeholder: "DIR" },
  ),
  "sysfs": text("Mount point of sysfs(5).", { fallback: "/sys", placeholder: "DIR" }),
  "realtime": toggle("Give the sampling thread real-time priority, if permitted.", {
    fallback: true,
  }),
  "ffi": toggle("Read CPU clocks in nanoseconds (FFI); off: clock ticks of 10 ms.", {
    fallback: true,
  }),
} as const;

/** Values of {@linkcode COLLECTOR_FLAGS}. */
export type CollectorOptions = OptionsOf<typeof COLLECTOR_FLAGS>;

/** The collector itself, in the foreground. */
export const COLLECTOR = command({
  ...commandNamed("collector"),
  flags: COLLECTOR_FLAGS,
});

/** `deno task start-collect`. */
export const START_COLLECT = command({
  ...commandNamed("start-collect"),
  flags: {
    ...COLLECTOR_FLAGS,
    ...CONTAINER_FLAGS,
    "time-sync": toggle("Set the clock before the run, best effort, for at most 5 s.", {
      env: "TIME_SYNC",
      fallback: true,
    }),
    "ntp-pool": text("NTP server for ntpdate and sntp.", {
      env: "NTP_POOL",
      fallback: "pool.ntp.org",
      placeholder: "HOST",
    }),
    "py-collect": toggle("Accepted for older scripts: both values start this collector.", {
      env: "USE_PY_COLLECT",
      fallback: true,
    }),
  },
});

/** `deno task stop-collect`. */
export const STOP_COLLECT = command({
  ...commandNamed("stop-collect"),
  flags: {
    ...RUN_FLAGS,
    "all": toggle("Stop every collector on this node, of any run.", { env: "STOP_ALL" }),
  },
});

/**
 * How processes are found, as the options say it.
 *
 * @throws {UsageError} when PROC_MATCH is not a regular expression, or two ways are asked for.
 */
export function selectionOf(options: CollectorOptions): Selection {
  const { tree, cgroup } = options;
  const folder = options["proc-pid-dir"];
  if (tree !== null && cgroup !== null) throw new UsageError("--tree excludes --cgroup");
  if (tree !== null) return { mode: "tree", pid: tree };
  if (cgroup !== null) return { mode: "cgroup", path: resolve("/sys/fs/cgroup", cgroup) };
  const match = regularExpression(options["proc-match"]);
  if (folder === "") return { mode: "scan", match };
  const path = folder === null ? runDirOf(options).pids : resolve(folder);
  return { mode: "whitelist", folder: path, match };
}

function regularExpression(source: string): RegExp {
  try {
    return new RegExp(source, "i");
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new UsageError(`PROC_MATCH must be a regular expression: ${error.message}`, {
      cause: error,
    });
  }
}

/**
 * The CPUs of this node as they were given.
 *
 * @throws {UsageError} when it is not a list of CPUs.
 */
export function cpusOf({ cpus }: CollectorOptions): string | null {
  if (cpus !== null) asUsage(() => parseCpuList(cpus));
  return cpus;
}
