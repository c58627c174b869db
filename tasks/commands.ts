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
  /** True for a developer's command, which works on a checkout: an installed package does not have it. */
  readonly isForCheckout?: boolean;
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
 * simulation, then what an operator does, then what a developer does.
 */
export const COMMANDS = [
  {
    name: "demo",
    description: "Run a small batch on this machine, from the queue to a verified OpenDC export.",
    privilege: "all",
    dependencies: ["setup"],
  },
  {
    name: "setup",
    description: "Install the programs that Tracekit needs and this machine lacks.",
    privilege: "all",
  },
  {
    name: "doctor",
    description: "Print which features work on this machine, and what each missing one costs.",
    privilege: "all",
    executables: { adapter: "doctor" },
  },
  {
    name: "adapter",
    description: "Start tasks for a worker and record them; JSON Lines on stdin and stdout.",
    privilege: "all",
    executables: { adapter: "adapter" },
    isTask: false,
  },
  {
    name: "adapt",
    description: "Run one command and record its times, CPU time and memory.",
    flags: "adapter",
    privilege: "all",
    executables: { adapter: "adapt" },
  },
  {
    name: "record",
    description:
      "Record one command, or a process, container or unit that runs, and show the result.",
    privilege: "all",
  },
  {
    name: "adapt-http",
    description: "Trace the requests to an HTTP service through a transparent proxy.",
    privilege: "all",
    executables: { adapter: "adapt-http" },
  },
  {
    name: "collector",
    description: "Sample processes of this node until SIGTERM.",
    privilege: "all",
    executables: { collector: "collector" },
    isTask: false,
  },
  {
    name: "start-collect",
    description: "Start the collector of this node in the background; return when it samples.",
    flags: "collector",
    privilege: "all",
    executables: { collector: "start" },
  },
  {
    name: "stop-collect",
    description: "Stop the collector of this node and print the number of samples.",
    flags: "collector",
    privilege: "all",
    executables: { collector: "stop" },
  },
  {
    name: "controller",
    description: "Run the Redis of a cluster with one user per role; or check one from outside.",
    privilege: "all",
    executables: { controller: "controller" },
  },
  {
    name: "scheduler",
    description:
      "Place pending tasks on nodes in order of submission; a second scheduler stands by.",
    privilege: "granted",
    executables: { scheduler: "scheduler" },
  },
  {
    name: "worker",
    description: "Run the tasks that are placed on this node.",
    privilege: "granted",
    executables: { worker: "worker" },
  },
  {
    name: "generate-inputs",
    description: "Make test videos of known complexity; existing valid ones are kept.",
    privilege: "all",
  },
  {
    name: "dispatch",
    description: "Make tasks from inputs and a mix of profiles, and submit them to the queue.",
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
    description: "Parse and audit the run directory of a node, or those of all nodes of a run.",
    privilege: "granted",
    executables: { exporter: "parse" },
  },
  {
    name: "show",
    description: "Show a run on one screen, its tasks by groups, or several runs side by side.",
    privilege: "granted",
    executables: { exporter: "show" },
  },
  {
    name: "runs",
    description: "List the runs in the logs: when, how many tasks and nodes, verdict, size.",
    privilege: "granted",
    executables: { exporter: "runs" },
  },
  {
    name: "experiment",
    description: "Run a batch under several policies, arrivals and seeds; compare over repeats.",
    privilege: "all",
  },
  {
    name: "gate",
    description: "Fail where a run is worse than its baseline by more than is allowed: for CI.",
    privilege: "granted",
    executables: { exporter: "gate" },
  },
  {
    name: "merge",
    description: "Merge the run directories of several nodes, or parts of one run, and parse them.",
    privilege: "granted",
    executables: { exporter: "merge" },
  },
  {
    name: "import",
    description: "Import accounting records, traces or metrics of another system as a parsed run.",
    privilege: "granted",
    executables: { exporter: "import" },
  },
  {
    name: "check",
    description: "Check the files of a run against the JSON Schemas of their records.",
    privilege: "granted",
    executables: { exporter: "check" },
  },
  {
    name: "anonymize",
    description: "Write a copy of a run without what identifies machines, people and files.",
    privilege: "granted",
    executables: { exporter: "anonymize" },
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
    name: "report",
    description: "Write a run, or several compared, as one page that opens without a network.",
    privilege: "granted",
  },
  {
    name: "sql",
    description: "Query the tables of one or several runs with SQL (DuckDB).",
    privilege: "all",
    // DuckDB is a native library, which a bundle cannot hold.
    isForCheckout: true,
  },
  {
    name: "figures",
    description: "Draw runs for papers: SVG, PDF and PNG with data, captions and LaTeX lines.",
    privilege: "all",
  },
  {
    name: "export-perfetto",
    description: "Export a run as a Perfetto trace: nodes, tasks, counters and flows.",
    privilege: "granted",
  },
  {
    name: "verify-opendc",
    description: "Read an OpenDC workload, summarize it and check it.",
    privilege: "granted",
    executables: { exporter: "verify-opendc" },
  },
  {
    name: "simulate",
    description: "Run an export in OpenDC and compare the outcome with the measurement.",
    privilege: "granted",
  },
  {
    name: "calibrate-power",
    description: "Fit OpenDC's power models to the readings of a meter during a run.",
    privilege: "granted",
  },
  {
    name: "sweep",
    description: "Simulate variants of a run: policies, datacenters, loads, failures, carbon.",
    privilege: "granted",
  },
  {
    name: "compare-opendc",
    description: "Compare the output of OpenDC with the measured run.",
    privilege: "granted",
    executables: { exporter: "compare-opendc" },
  },
  {
    name: "replay",
    description:
      "Repeat every placement decision of a recorded run and report the first difference.",
    privilege: "granted",
  },
  {
    name: "status",
    description: "Show queues, nodes, running tasks, and why the head of the queue waits.",
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
    description: "Show the history of a task: where it is, and why it was not placed elsewhere.",
    flags: "operator",
    privilege: "granted",
    isInPlace: true,
    executables: { scheduler: "explain" },
  },
  {
    name: "drain",
    description: "Take nodes out of service: no new tasks, and unstarted ones return to the queue.",
    flags: "operator",
    privilege: "granted",
    isInPlace: true,
    executables: { scheduler: "drain" },
  },
  {
    name: "cancel",
    description: "Cancel tasks in any state; running ones are stopped by their worker.",
    flags: "operator",
    privilege: "granted",
    isInPlace: true,
    executables: { scheduler: "cancel" },
  },
  {
    name: "requeue",
    description: "Return waiting tasks of nodes to the pending queue, at their old position.",
    flags: "operator",
    privilege: "granted",
    isInPlace: true,
    executables: { scheduler: "requeue" },
  },
  {
    name: "dead",
    description: "List dead letters, retry them as new tasks, or drop them.",
    flags: "operator",
    privilege: "granted",
    isInPlace: true,
    executables: { scheduler: "dead" },
  },
  {
    name: "stop",
    description: "Stop every role on this node: dispatchers, schedulers, workers, collectors.",
    privilege: "all",
    executables: { controller: "stop-all", collector: "stop-all" },
  },
  {
    name: "clean",
    description: "Remove the files of one run, logs/RUN_ID; outputs and exports are kept.",
    privilege: "all",
  },
  {
    name: "deploy",
    description: "Run on a cluster by ssh: copy executables, start and stop roles, fetch records.",
    privilege: "all",
  },
  {
    name: "units",
    description: "Write unit files for systemd: collector, worker with its adapter, scheduler.",
    privilege: "all",
  },
  {
    name: "compile",
    description: "Make one standalone executable per role, for machines without Deno.",
    privilege: "all",
    isForCheckout: true,
  },
  {
    name: "release",
    description: "Make a release without publishing it: packages, sums, notes, version and tag.",
    privilege: "all",
    isForCheckout: true,
  },
  {
    name: "test",
    description: "Type-check everything and run the tests; the last line has the counts.",
    privilege: "all",
    isForCheckout: true,
    dependencies: ["setup"],
  },
  {
    name: "bench",
    description: "Run a benchmark; without a name, list them.",
    privilege: "all",
    isForCheckout: true,
  },
  {
    name: "fuzz",
    description:
      "Change runs, exports, tasks and HTTP messages at random until one is taken wrongly.",
    privilege: "all",
    isForCheckout: true,
  },
  {
    name: "report-page",
    description: "Bundle the program of the report's page into the file that is checked in.",
    privilege: "all",
    isForCheckout: true,
  },
  {
    name: "readme",
    description: "Generate docs/reference/ from the tables that the commands read.",
    privilege: "all",
    isForCheckout: true,
  },
  {
    name: "ok",
    description: "Run every check before a commit: format, lint, types, docs, tests.",
    privilege: "all",
    isForCheckout: true,
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
