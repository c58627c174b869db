/** The executables that are copied to machines: which commands each one holds, under which permissions. */

import { COLLECTOR_V8_FLAGS } from "../command/own_program.ts";
import { REDIS_PASSWORD } from "../flags/groups/redis.ts";
import { variablesOf } from "../command/role.ts";
import { ROLES } from "../flags/roles.ts";
import { ADAPTER_VARIABLES } from "../flags/worker.ts";

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
  /** True where commands take the URL of Redis. */
  readonly isOfQueue: boolean;
  /** The permissions that `deno compile` bakes in. */
  readonly permissions: readonly string[];
  /** What it tells V8: a flag of `deno run` and `deno compile`. Default none. */
  readonly v8Flags?: string;
}

function privileged(name: string, entry: string = name): ExecutableCommand {
  return { name, entry, isPrivileged: true };
}

const EVERY: readonly string[] = ["--allow-all"];

/**
 * What is baked in for `commands`: the variables of their flags, and `more` of them, and other
 * permissions. Where Redis is and which folders are used is known at the start only, and what is baked
 * in cannot be narrowed then: it is wider than the grants of the other form by every host and every file.
 */
function baked(
  commands: readonly ExecutableCommand[],
  { more, others }: { readonly more: readonly string[]; readonly others: readonly string[] },
): readonly string[] {
  const variables = commands.flatMap(({ name }) => {
    const role = ROLES.find(({ command }) => command.name === name);
    return role === undefined ? [] : variablesOf(role.command.flags);
  });
  const names = [...new Set([...variables, ...more])].sort().join(",");
  return [`--allow-env=${names}`, "--allow-read", "--allow-write", ...others];
}

const FILES = { more: [], others: [] };

/**
 * `cat` stands for the start time of a role's own process: Deno gives /proc to none but a program with
 * everything. It is given up once that is read.
 */
const QUEUE = {
  more: [REDIS_PASSWORD],
  others: ["--allow-net", "--allow-sys=hostname", "--allow-run=cat"],
};

/** The worker starts the adapter beside it, whose place is known at the start only. */
const WORKER = {
  more: [REDIS_PASSWORD, ...ADAPTER_VARIABLES],
  others: ["--allow-net", "--allow-sys=hostname,uid,gid", "--allow-run"],
};

function granted(names: readonly string[]): [ExecutableCommand, ...ExecutableCommand[]] {
  return names.map((name) => ({ name, entry: name.replaceAll("-", "_"), isPrivileged: false })) as [
    ExecutableCommand,
    ...ExecutableCommand[],
  ];
}

const DISPATCHER_COMMANDS = granted(["dispatch"]);
const SCHEDULER_COMMANDS = granted(
  ["scheduler", "status", "explain", "drain", "cancel", "requeue", "dead"],
);
const WORKER_COMMANDS = granted(["worker"]);
const EXPORTER_COMMANDS = granted(
  ["parse", "merge", "export-opendc", "verify-opendc", "compare-opendc"],
);

/** Every executable, in the order of the data flow. */
export const EXECUTABLES: readonly Executable[] = [
  {
    role: "controller",
    commands: [privileged("controller"), privileged("stop-all", "stop")],
    isOfQueue: true,
    permissions: EVERY,
  },
  {
    role: "dispatcher",
    commands: DISPATCHER_COMMANDS,
    isOfQueue: true,
    permissions: baked(DISPATCHER_COMMANDS, QUEUE),
  },
  {
    role: "scheduler",
    commands: SCHEDULER_COMMANDS,
    isOfQueue: true,
    permissions: baked(SCHEDULER_COMMANDS, QUEUE),
  },
  {
    role: "worker",
    commands: WORKER_COMMANDS,
    isOfQueue: true,
    permissions: baked(WORKER_COMMANDS, WORKER),
  },
  {
    role: "adapter",
    commands: [
      privileged("adapter"),
      privileged("adapt"),
      privileged("adapt-http", "adapt_http"),
      privileged("doctor"),
    ],
    isOfQueue: false,
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
    isOfQueue: false,
    permissions: EVERY,
    v8Flags: COLLECTOR_V8_FLAGS,
  },
  {
    role: "exporter",
    commands: EXPORTER_COMMANDS,
    isOfQueue: false,
    permissions: baked(EXPORTER_COMMANDS, FILES),
  },
];
