/** The executables that are copied to machines: which commands each one holds, under which permissions. */

import { COLLECTOR_V8_FLAGS } from "./_program.ts";

/** One command of an executable. */
export interface ExecutableCommand {
  /** What the user types behind the executable's name. */
  readonly name: string;
  /** Its file in this folder, without the ending. */
  readonly entry: string;
  /** True for a program with every permission; others start under a grant computed from their flags. */
  readonly isPrivileged: boolean;
}

/** One executable. */
export interface Executable {
  /** The role: the file is `tracekit-<role>`. */
  readonly role: string;
  /** Its commands; the first one is meant when none is named. */
  readonly commands: readonly [ExecutableCommand, ...ExecutableCommand[]];
  /** The permissions that `deno compile` bakes in. */
  readonly permissions: readonly string[];
  /** What it tells V8: a flag of `deno run` and `deno compile`. Default none. */
  readonly v8Flags?: string;
}

function privileged(name: string, entry: string = name): ExecutableCommand {
  return { name, entry, isPrivileged: true };
}

function granted(name: string): ExecutableCommand {
  return { name, entry: name.replaceAll("-", "_"), isPrivileged: false };
}

const EVERY: readonly string[] = ["--allow-all"];

const FILES: readonly string[] = ["--allow-env", "--allow-read", "--allow-write"];

/**
 * Where Redis is and which folders are used is known at the start only, and what is baked in cannot be
 * narrowed then: wider than the grants of the other forms by every host and every folder. `cat` stands
 * for the start time of a role's own process: Deno gives /proc to none but a program with everything.
 */
const QUEUE: readonly string[] = [
  ...FILES,
  "--allow-net",
  "--allow-sys=hostname",
  "--allow-run=cat",
];

/** The worker starts the adapter beside it, whose place is known at the start only. */
const WORKER: readonly string[] = [
  ...FILES,
  "--allow-net",
  "--allow-sys=hostname,uid,gid",
  "--allow-run",
];

/** Every executable, in the order of the data flow. */
export const EXECUTABLES: readonly Executable[] = [
  {
    role: "controller",
    commands: [privileged("controller"), privileged("stop-all", "stop")],
    permissions: EVERY,
  },
  { role: "dispatcher", commands: [granted("dispatch")], permissions: QUEUE },
  {
    role: "scheduler",
    commands: [
      granted("scheduler"),
      ...["status", "explain", "drain", "cancel", "requeue", "dead"].map(granted),
    ],
    permissions: QUEUE,
  },
  { role: "worker", commands: [granted("worker")], permissions: WORKER },
  {
    role: "adapter",
    commands: [
      privileged("adapter"),
      privileged("adapt"),
      privileged("adapt-http", "adapt_http"),
      privileged("doctor"),
    ],
    permissions: EVERY,
  },
  {
    role: "collector",
    commands: [
      privileged("collector"),
      privileged("start", "start_collect"),
      privileged("stop", "stop_collect"),
      privileged("stop-all", "stop"),
    ],
    permissions: EVERY,
    v8Flags: COLLECTOR_V8_FLAGS,
  },
  {
    role: "exporter",
    commands: [
      granted("parse"),
      ...["merge", "export-opendc", "verify-opendc", "compare-opendc"].map(granted),
    ],
    permissions: FILES,
  },
];
