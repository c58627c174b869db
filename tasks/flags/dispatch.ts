/** Flags of the dispatcher, and the permissions that they need. */

import { resolve } from "@std/path";
import { NODE_POLICIES } from "../../scheduler/dispatch/node_policy.ts";
import { asUsage } from "../command/usage_error.ts";
import { command, integer, number, type OptionsOf, text, toggle } from "../command/flag_table.ts";
import { commandNamed } from "../commands.ts";
import { RunDir } from "../../trace/run_dir.ts";
import { DURABILITY_FLAGS, REDIS_FLAGS, redisGrant } from "./groups/redis.ts";
import { RUN_FLAGS } from "./groups/run.ts";
import { role, type RolePlace } from "../command/role.ts";

/** `deno task dispatch`. */
export const DISPATCH = command({
  ...commandNamed("dispatch"),
  flags: {
    "inputs": text("Folder with the inputs, used in the order of their names.", {
      placeholder: "DIR",
    }),
    "input-suffix": text("Ending of the names of inputs.", { fallback: ".mp4" }),
    "outputs": text("Folder of the outputs on the workers.", {
      fallback: "outputs",
      placeholder: "DIR",
    }),
    "mix": text("Profiles with weights.", { placeholder: "PROFILE=WEIGHT,…" }),
    "total": integer("Number of tasks, inputs used cyclically; default: one per input.", {
      min: 1,
    }),
    "seed": integer("Seed of the mix, as for CPython's random; 0: unseeded.", { fallback: 0 }),
    "scale": text("Without --mix: size of the outputs.", {
      fallback: "1280:720",
      placeholder: "W:H",
    }),
    "preset": text("Without --mix: encoder preset.", { fallback: "veryfast" }),
    "crf": integer("Without --mix: constant rate factor.", { fallback: 28, min: 0 }),
    "profiles": text("File with profiles, in addition to the built-in ones.", {
      placeholder: "FILE",
    }),
    "tasks": text("File with tasks of any kind, JSON Lines, instead of inputs and mix.", {
      placeholder: "FILE",
    }),
    "dispatch-id": text("Part of each task's id; with the same id no task is submitted twice.", {
      placeholder: "ID",
    }),
    "pending": toggle("Use the central pending queue."),
    "pending-mode": text("How tasks are submitted to the pending queue; default: see below.", {
      choices: ["pulse", "fifo"],
    }),
    "pulse-size": integer("Tasks per pulse.", { fallback: 10, min: 1 }),
    "pulse-interval": number("Time from pulse to pulse, s.", { fallback: 300, min: 0 }),
    "pulse-stagger": number("Time between two tasks of a pulse, s.", { fallback: 1, min: 0 }),
    "pending-max": integer("fifo: maximum number of tasks in the pending queue.", {
      fallback: 6,
      min: 1,
    }),
    "batch-size": integer("fifo, --drip: tasks submitted to a queue at a time.", {
      fallback: 1,
      min: 1,
    }),
    "dribble-interval": number("fifo, --drip: time between two polls of a queue, s.", {
      fallback: 1,
      min: 0,
    }),
    "arrivals": text("Open loop: poisson:RATE (per s), every:SECONDS, or file:CSV (seconds).", {
      placeholder: "SPEC",
    }),
    "nodes": text("Nodes to submit to directly, without the scheduler.", { placeholder: "NODE,…" }),
    "policy": text("--nodes: which node gets which task.", {
      choices: NODE_POLICIES,
      fallback: "rr3",
    }),
    "drip": toggle("--nodes: submit as the queues of the nodes have room."),
    "backlog-limit": integer(
      "--drip, online policies: maximum number of tasks waiting on a node.",
      {
        fallback: 1,
        min: 1,
      },
    ),
    "wait": toggle("Return when every task has ended; exit code 1 unless all are done."),
    "run-id": RUN_FLAGS["run-id"],
    "logs": RUN_FLAGS.logs,
    "dry-run": toggle("Print the tasks as JSON Lines; needs no Redis."),
    ...REDIS_FLAGS,
    ...DURABILITY_FLAGS,
  },
  notes: [
    "--pending-mode is pulse, unless --pending-max, --batch-size or --dribble-interval is given.",
    "Profiles: fast1080p, medium480p, hevc1080p, light1c (also light480p1c, light_1c); your own: in",
    "a file like scheduler/dispatch/profiles.json, described by profiles.schema.json beside it.",
    "Ctrl-C stops between two tasks and prints how to resume.",
  ],
});

/** Options of the dispatcher. */
export type DispatchFlags = OptionsOf<typeof DISPATCH.flags>;

/** The dispatcher as a role. */
export const DISPATCH_ROLE = role({
  command: DISPATCH,
  grant: (options) => {
    const files = [options.inputs, options.tasks, options.profiles, arrivalFile(options.arrivals)];
    const read = files.filter(isGiven).map((file) => resolve(file));
    if (options["dry-run"]) return { read };
    const redis = redisGrant(options);
    const place = dispatchPlace(options);
    const own = place === null ? [] : [place.runDir.path];
    return { ...redis, read: [...redis.read, ...read, ...own], write: own };
  },
  registersIn: (options) => options["dry-run"] ? null : dispatchPlace(options),
});

/** Where a dispatcher registers, so that `stop` finds it; null without a RUN_ID, which it can do without. */
export function dispatchPlace({ "run-id": runId, logs }: DispatchFlags): RolePlace | null {
  if (runId === null) return null;
  const runDir = asUsage(() => RunDir.of(resolve(logs), runId));
  return { runDir, runId, nodeId: null, isOneOfMany: true };
}

function isGiven(path: string | null): path is string {
  return path !== null;
}

/** The file that `file:CSV` names, or null. */
function arrivalFile(arrivals: string | null): string | null {
  return arrivals?.startsWith("file:") ? arrivals.slice("file:".length) : null;
}
