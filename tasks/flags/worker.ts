/** Flags of the worker. */

import { resolve } from "@std/path";
import { privilegedCommand } from "../command/own_program.ts";
import { command, integer, number, type OptionsOf, text, toggle } from "../command/flag_table.ts";
import { UsageError } from "../command/usage_error.ts";
import { commandNamed } from "../commands.ts";
import { DURABILITY_FLAGS, REDIS_FLAGS, redisGrant } from "./groups/redis.ts";
import { placeOf, RUN_FLAGS, runDirOf } from "./groups/run.ts";
import { role } from "../command/role.ts";

/** Runs the tasks of one node. */
export const WORKER = command({
  ...commandNamed("worker"),
  flags: {
    "outputs": text("The only folder that tasks may write to.", {
      fallback: "outputs",
      placeholder: "DIR",
    }),
    "parallel": integer("Slots: maximum number of tasks at once; 0: only capacity limits.", {
      fallback: 0,
      min: 0,
    }),
    "slots-key": text("Redis list of slot tokens.", {
      fallback: "slots:available",
      placeholder: "KEY",
    }),
    "capacity-units": integer("Capacity in vCPUs; 0: allocation ratio × logical cores.", {
      fallback: 0,
      min: 0,
    }),
    "allocation-ratio": number("vCPUs offered per logical core.", { fallback: 1, min: 0 }),
    "cpus": text("CPUs of this node, as in cpuset(7): 0-3,8; default: all.", {
      env: "CPUS",
      placeholder: "LIST",
    }),
    "cpu-binding": text("exclusive: each task gets its own cores; shared: a weight on all cores.", {
      choices: ["exclusive", "shared"],
      fallback: "exclusive",
    }),
    "cpuweight-per-vcpu": integer("shared: CPU weight of a task per vCPU.", {
      fallback: 100,
      min: 1,
    }),
    "cpu-control": text("How CPU limits are applied.", {
      choices: ["auto", "systemd", "cgroup", "none"],
      fallback: "auto",
    }),
    "reset-capacity": toggle(
      "Accepted for older scripts: a start always resets the free capacity.",
    ),
    "clear-queue": toggle("Cancel tasks left in this node's queue."),
    "allow-commands": text("Names of the programs that tasks of kind command may run.", {
      fallback: "ffmpeg,ffprobe",
      placeholder: "NAME,…",
      isEmptyGiven: true,
    }),
    "allow-any": toggle(
      "Let tasks run any program with any variable, for a cluster that only you use.",
    ),
    "allow-env": text(
      "Variables that tasks of kind command may set, by name; NAME* for all that begin so.",
      { fallback: "LANG,LC_*,TZ,OMP_NUM_THREADS", placeholder: "NAME,…", isEmptyGiven: true },
    ),
    "task-log-max-mb": integer("Largest log of a task, MiB; its start and end are kept.", {
      fallback: 16,
      min: 1,
    }),
    "adapter-command": text(
      "Command that starts the adapter; default: this Deno with all permissions.",
      {
        env: "ADAPTER_COMMAND",
        placeholder: "COMMAND",
      },
    ),
    ...RUN_FLAGS,
    ...REDIS_FLAGS,
    ...DURABILITY_FLAGS,
  },
  notes: [
    "First Ctrl-C: finish running tasks, take no new ones. Second: stop and return them to the queue.",
    'CPU limits may need root: --adapter-command "sudo -n /opt/tracekit/tracekit-adapter". Tasks still',
    "run as the user who called sudo. Only root may be able to write to that program and its folder.",
  ],
});

/** Options of the worker. */
export type WorkerFlags = OptionsOf<typeof WORKER.flags>;

/** What the adapter's process gets of this environment; no password of Redis is among it. */
export const ADAPTER_VARIABLES = [
  "PATH",
  "HOME",
  "USER",
  "LOGNAME",
  "LANG",
  "LC_ALL",
  "TZ",
  "TMPDIR",
  "DENO_DIR",
  "TRACEKIT_CACHE_DIR",
  "XDG_CACHE_HOME",
  "XDG_RUNTIME_DIR",
  "DBUS_SESSION_BUS_ADDRESS",
] as const;

/**
 * Program and arguments of the adapter.
 *
 * @throws {UsageError} when the command is empty.
 */
export function adapterCommand(options: Pick<WorkerFlags, "adapter-command">): {
  readonly program: string;
  readonly args: readonly string[];
} {
  const given = options["adapter-command"];
  if (given === null) {
    const [program = "", ...args] = privilegedCommand("adapter");
    return { program, args };
  }
  const [program, ...args] = given.trim().split(/\s+/);
  if (!program) throw new UsageError("--adapter-command must name a program");
  return { program, args };
}

/** The worker as a role. */
export const WORKER_ROLE = role({
  command: WORKER,
  grant: (options) => {
    const redis = redisGrant(options);
    const { path } = runDirOf(options);
    const outputs = resolve(options.outputs);
    return {
      ...redis,
      read: [...redis.read, Deno.cwd(), Deno.execPath(), path, outputs],
      write: [path, outputs],
      run: [adapterCommand(options).program],
      env: [...redis.env, ...ADAPTER_VARIABLES],
      sys: ["hostname", "uid", "gid"],
    };
  },
  registersIn: placeOf,
});
