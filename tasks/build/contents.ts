/** The executables that are copied to machines: which commands each one holds, under which permissions. */

import { type CommandEntry, COMMANDS, type ExecutableRole, programOf } from "../commands.ts";
import { loadCommand } from "../command/load.ts";
import { COLLECTOR_V8_FLAGS } from "../command/own_program.ts";
import { variablesOf } from "../command/role.ts";
import { REDIS_PASSWORD } from "../flags/groups/redis.ts";
import { ADAPTER_VARIABLES } from "../flags/worker.ts";

/** One command of an executable. */
export interface ExecutableCommand {
  /** What the user types behind the executable's name. */
  readonly name: string;
  /** Its entry in the table of commands. */
  readonly entry: CommandEntry;
  /** Its file in this folder, without the ending. */
  readonly program: string;
  /** True for a program with every permission; others start under a grant computed from their flags. */
  readonly isPrivileged: boolean;
}

/** One executable. */
export interface Executable {
  /** The role: the file is `tracekit-<role>`. */
  readonly role: ExecutableRole;
  /** Its commands; the first one is meant when none is named. */
  readonly commands: readonly [ExecutableCommand, ...ExecutableCommand[]];
  /** True if commands take the URL of Redis. */
  readonly isOfQueue: boolean;
  /** What `deno compile` bakes in beside the variables of flags and all files; null: every permission. */
  readonly baked: Baked | null;
  /** What it tells V8: a flag of `deno run` and `deno compile`. Default none. */
  readonly v8Flags?: string;
}

interface Baked {
  /** Variables that no flag names. */
  readonly variables: readonly string[];
  /** Flags of `deno compile`. */
  readonly flags: readonly string[];
}

/** The commands of `role`, in the order of the table but the one named `first`. */
function commandsOf(
  role: ExecutableRole,
  first: string,
): [ExecutableCommand, ...ExecutableCommand[]] {
  const commands = COMMANDS.flatMap((entry: CommandEntry): ExecutableCommand[] => {
    const name = entry.executables?.[role];
    if (name === undefined) return [];
    const isPrivileged = entry.privilege === "all";
    return [{ name, entry, program: programOf(entry), isPrivileged }];
  });
  const [head, ...more] = commands.filter(({ name }) => name === first);
  if (head === undefined || more.length > 0) {
    throw new TypeError(`Cannot build tracekit-${role}: it must have one command "${first}"`);
  }
  return [head, ...commands.filter((one) => one !== head)];
}

const FILES: Baked = { variables: [], flags: [] };

/**
 * `cat` stands for the start time of a role's own process: Deno gives /proc to none but a program with
 * everything. It is given up once that is read.
 */
const QUEUE: Baked = {
  variables: [REDIS_PASSWORD],
  flags: ["--allow-net", "--allow-sys=hostname", "--allow-run=cat"],
};

/** The worker starts the adapter beside it, whose place is known at the start only. */
const WORKER: Baked = {
  variables: [REDIS_PASSWORD, ...ADAPTER_VARIABLES],
  flags: ["--allow-net", "--allow-sys=hostname,uid,gid", "--allow-run"],
};

function executable(
  role: ExecutableRole,
  { first, ...options }: Pick<Executable, "isOfQueue" | "baked" | "v8Flags"> & {
    /** What it runs when no command is named: others start it so. */
    readonly first: string;
  },
): Executable {
  return { role, commands: commandsOf(role, first), ...options };
}

/** Every executable, in the order of the data flow. */
export const EXECUTABLES: readonly Executable[] = [
  executable("controller", { first: "controller", isOfQueue: true, baked: null }),
  executable("dispatcher", { first: "dispatch", isOfQueue: true, baked: QUEUE }),
  executable("scheduler", { first: "scheduler", isOfQueue: true, baked: QUEUE }),
  executable("worker", { first: "worker", isOfQueue: true, baked: WORKER }),
  executable("adapter", { first: "adapter", isOfQueue: false, baked: null }),
  executable("collector", {
    first: "collector",
    isOfQueue: false,
    baked: null,
    v8Flags: COLLECTOR_V8_FLAGS,
  }),
  executable("exporter", { first: "parse", isOfQueue: false, baked: FILES }),
];

/**
 * The permissions that `deno compile` bakes into `executable`: the variables of its flags, all files,
 * and what its table adds. Where Redis is and which folders are used is known at the start only, and what
 * is baked in cannot be narrowed then: it is wider than the grants of the other form by every host and
 * every file.
 */
export async function permissionsOf({ commands, baked }: Executable): Promise<readonly string[]> {
  if (baked === null) return ["--allow-all"];
  const tables = await Promise.all(commands.map(({ entry }) => loadCommand(entry)));
  const variables = [...tables.flatMap(({ flags }) => variablesOf(flags)), ...baked.variables];
  const names = [...new Set(variables)].sort().join(",");
  return [`--allow-env=${names}`, "--allow-read", "--allow-write", ...baked.flags];
}
