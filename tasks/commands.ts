/**
 * Every command, in one table. From it come the tasks of `deno.json` (tested), the launcher, the
 * executables, the description in `--help` and the reference.
 *
 * To add a command: an entry here, its program `tasks/<name>.ts`, its flags in `tasks/flags/`, and the
 * line of `deno.json` that the test of this table prints. A hyphen in a name is an underscore in file
 * names, and `NAME_IN_CAPITALS` is the export that declares its flags.
 */

/** One command. */
export interface CommandEntry {
  /** What a user types behind `deno task` or `tracekit`; also the name of its program in `tasks/`. */
  readonly name: string;
  /** What it does, one sentence: in the list of tasks, in `--help` and in the reference. */
  readonly description: string;
  /** File below `tasks/flags/` that declares its flags and its grant. Default: named as the command. */
  readonly flags?: string;
  /**
   * `all`: it runs with every permission, and loads no third-party code unless it must be a developer's
   * tool. `granted`: it runs under a grant that is computed from its flags, `NAME_ROLE` in its flag file.
   */
  readonly privilege: "all" | "granted";
  /**
   * True for a command under a grant that loads no third-party code and ends soon: it runs in the process
   * of its launcher, which gives up the permissions of each kind that the grant has none of. That saves
   * the start of a second Deno; hosts and files stay as wide as they are baked into an executable.
   * Default: false.
   */
  readonly isInPlace?: boolean;
  /** Executables that hold it, `tracekit-<key>`, and what it is called there. Default: none. */
  readonly executables?: Partial<Readonly<Record<ExecutableRole, string>>>;
  /** Commands that are run before it. Default: none. */
  readonly dependencies?: readonly string[];
  /** False for a program that only other commands start: it has no task. Default: true. */
  readonly isTask?: boolean;
}

/** Role of an executable: the file is `tracekit-<role>`. */
export type ExecutableRole =
  | "controller"
  | "dispatcher"
  | "scheduler"
  | "worker"
  | "adapter"
  | "collector"
  | "exporter";

/**
 * The commands, in the order in which `deno task` lists them: the way of a run, from its set-up to its
 * simulation, then what an operator does, then what a developer does. The first command of an executable
 * is the one that it runs when no command is named.
 */
export const COMMANDS = [
  {
    name: "demo",
    description: "Run a small batch from the queue to OpenDC, on this machine, with real parts.",
    privilege: "all",
    dependencies: ["setup"],
  },
  {
    name: "setup",
    description: "Install the programs that Tracekit needs and that are missing here.",
    privilege: "all",
  },
  {
    name: "doctor",
    description: "Print what this machine offers to Tracekit, and what each missing thing costs.",
    privilege: "all",
    executables: { adapter: "doctor" },
  },
  {
    name: "adapter",
    description: "Start tasks for a worker and account for them: JSON Lines over stdin and stdout.",
    privilege: "all",
    executables: { adapter: "adapter" },
    isTask: false,
  },
  {
    name: "adapt",
    description:
      "Run one command and record it: its times, CPU, memory, and a sentinel for the collector.",
    flags: "adapter",
    privilege: "all",
    executables: { adapter: "adapt" },
  },
  {
    name: "adapt-http",
    description:
      "Trace the requests to a service: a transparent proxy that shares its CPU time out.",
    privilege: "all",
    executables: { adapter: "adapt-http" },
  },
  {
    name: "collector",
    description: "Sample processes of this node until it is told to stop.",
    privilege: "all",
    executables: { collector: "collector" },
    isTask: false,
  },
  {
    name: "start-collect",
    description: "Start the collector of this node in the background, and return when it samples.",
    flags: "collector",
    privilege: "all",
    executables: { collector: "start" },
  },
  {
    name: "stop-collect",
    description: "Stop the collector of this node and say how many samples there are.",
    flags: "collector",
    privilege: "all",
    executables: { collector: "stop" },
  },
  {
    name: "controller",
    description:
      "Set up and run the Redis of a cluster, locked to its roles; or check one from outside.",
    privilege: "all",
    executables: { controller: "controller" },
  },
  {
    name: "scheduler",
    description: "Place pending tasks on nodes, in strict order; a second one stands by.",
    privilege: "granted",
    executables: { scheduler: "scheduler" },
  },
  {
    name: "worker",
    description: "Run the tasks that the scheduler places on this node.",
    privilege: "granted",
    executables: { worker: "worker" },
  },
  {
    name: "generate-inputs",
    description:
      "Make a set of test videos of known complexity; those that are there already are kept.",
    privilege: "all",
  },
  {
    name: "dispatch",
    description: "Make tasks from inputs and a mix of profiles, and hand them to the queue.",
    privilege: "granted",
    executables: { dispatcher: "dispatch" },
  },
  {
    name: "submit",
    description: "Submit a command as tasks to the queue, once or for each item of a list.",
    privilege: "granted",
    executables: { dispatcher: "submit" },
  },
  {
    name: "wait",
    description: "Wait until tasks, a dispatch or all tasks have ended; the exit code is theirs.",
    privilege: "granted",
    executables: { dispatcher: "wait" },
  },
  {
    name: "parse",
    description: "Parse a node's run directory, or those of all nodes of a run, and audit it.",
    privilege: "granted",
    executables: { exporter: "parse" },
  },
  {
    name: "merge",
    description:
      "Put run directories of several nodes, or chunks of one run, together and parse them.",
    privilege: "granted",
    executables: { exporter: "merge" },
  },
  {
    name: "import",
    description: "Import accounts, traces and readings of another system as a parsed run.",
    privilege: "granted",
    executables: { exporter: "import" },
  },
  {
    name: "export-opendc",
    description: "Export a parsed run as an OpenDC workload with topology and experiments.",
    privilege: "granted",
    executables: { exporter: "export-opendc" },
  },
  {
    name: "export-tables",
    description: "Export a parsed run as typed tables: Parquet or CSV files with units.",
    privilege: "granted",
    executables: { exporter: "export-tables" },
  },
  {
    name: "verify-opendc",
    description: "Read an OpenDC workload back, say what it holds, and check it.",
    privilege: "granted",
    executables: { exporter: "verify-opendc" },
  },
  {
    name: "simulate",
    description: "Run an export in OpenDC and compare the outcome with the run.",
    privilege: "granted",
  },
  {
    name: "compare-opendc",
    description: "Compare what OpenDC simulated with what was measured.",
    privilege: "granted",
    executables: { exporter: "compare-opendc" },
  },
  {
    name: "replay",
    description:
      "Decide every placement of a recorded run again, and report the first that differs.",
    privilege: "granted",
  },
  {
    name: "status",
    description: "Show queues, nodes, what runs, and why the head of the queue waits.",
    flags: "operator",
    privilege: "granted",
    isInPlace: true,
    executables: { scheduler: "status" },
  },
  {
    name: "tasks",
    description: "List the tasks that are pending, assigned or running.",
    privilege: "granted",
    executables: { scheduler: "tasks" },
  },
  {
    name: "logs",
    description: "Print what a task wrote to stdout and stderr.",
    privilege: "granted",
  },
  {
    name: "explain",
    description: "Say where a task is, where it was considered, and why it was not placed.",
    flags: "operator",
    privilege: "granted",
    isInPlace: true,
    executables: { scheduler: "explain" },
  },
  {
    name: "drain",
    description: "Give nodes nothing new, and take back what they have not begun.",
    flags: "operator",
    privilege: "granted",
    isInPlace: true,
    executables: { scheduler: "drain" },
  },
  {
    name: "cancel",
    description: "End tasks wherever they are; those that run are stopped by their worker.",
    flags: "operator",
    privilege: "granted",
    isInPlace: true,
    executables: { scheduler: "cancel" },
  },
  {
    name: "requeue",
    description:
      "Take back all that waits in the queues of nodes: pending again, at its old place.",
    flags: "operator",
    privilege: "granted",
    isInPlace: true,
    executables: { scheduler: "requeue" },
  },
  {
    name: "dead",
    description: "List dead letters, try them again as new tasks, or drop them.",
    flags: "operator",
    privilege: "granted",
    isInPlace: true,
    executables: { scheduler: "dead" },
  },
  {
    name: "stop",
    description:
      "End every role that was started on this node: dispatchers, schedulers, workers, collectors.",
    privilege: "all",
    executables: { controller: "stop-all", collector: "stop-all" },
  },
  {
    name: "clean",
    description: "Remove the files of one run, logs/RUN_ID; outputs and exports stay.",
    privilege: "all",
  },
  {
    name: "deploy",
    description:
      "Bring a run to a cluster by ssh: copy the executables, start and stop roles, fetch records.",
    privilege: "all",
  },
  {
    name: "units",
    description: "Write unit files for systemd: collector, worker with its adapter, scheduler.",
    privilege: "all",
  },
  {
    name: "compile",
    description: "Make one standalone executable per role, to be copied to machines without Deno.",
    privilege: "all",
  },
  {
    name: "test",
    description:
      "Type-check everything and run the tests; the last line says how many passed and failed.",
    privilege: "all",
    dependencies: ["setup"],
  },
  {
    name: "bench",
    description: "Measure one part of Tracekit; without a name, list what can be measured.",
    privilege: "all",
  },
  {
    name: "readme",
    description: "Write docs/reference/, from the tables that the commands read.",
    privilege: "all",
  },
  {
    name: "ok",
    description:
      "Check everything that must hold before a commit: format, lint, types, docs, tests.",
    privilege: "all",
  },
] as const satisfies readonly CommandEntry[];

/** Name of a command of the table. */
export type CommandName = (typeof COMMANDS)[number]["name"];

/** The entry of `name`, or undefined. */
export function findCommand(name: string): CommandEntry | undefined {
  return COMMANDS.find((entry) => entry.name === name);
}

/** What the declaration of a command's flags says of the command itself. */
export function commandNamed(
  name: CommandName,
): { readonly name: CommandName; readonly description: string } {
  const { description } = COMMANDS.find((entry) => entry.name === name) as CommandEntry;
  return { name, description };
}

/** Program of `entry` below `tasks/`, without the ending. */
export function programOf({ name }: Pick<CommandEntry, "name">): string {
  return name.replaceAll("-", "_");
}

/** File of `entry` below `tasks/flags/`, without the ending. */
export function flagFileOf({ name, flags }: CommandEntry): string {
  return flags ?? programOf({ name });
}

/** Export of the flag file that declares the flags of `entry`; that of its grant ends in `_ROLE`. */
export function exportOf({ name }: Pick<CommandEntry, "name">): string {
  return programOf({ name }).toUpperCase();
}
