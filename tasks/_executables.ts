/** The executables that are copied to machines: which commands each one holds. */

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
}

function privileged(name: string, entry: string = name): ExecutableCommand {
  return { name, entry, isPrivileged: true };
}

function granted(name: string): ExecutableCommand {
  return { name, entry: name.replaceAll("-", "_"), isPrivileged: false };
}

/** Every executable, in the order of the data flow. */
export const EXECUTABLES: readonly Executable[] = [
  { role: "dispatcher", commands: [granted("dispatch")] },
  {
    role: "scheduler",
    commands: [
      granted("scheduler"),
      ...["status", "explain", "drain", "cancel", "requeue", "dead"].map(granted),
      privileged("controller"),
      privileged("stop-all", "stop"),
    ],
  },
  { role: "worker", commands: [granted("worker")] },
  {
    role: "adapter",
    commands: [
      privileged("adapter"),
      privileged("adapt"),
      privileged("adapt-http", "adapt_http"),
      privileged("doctor"),
    ],
  },
  {
    role: "collector",
    commands: [
      privileged("collector"),
      privileged("start", "start_collect"),
      privileged("stop", "stop_collect"),
      privileged("stop-all", "stop"),
    ],
  },
  {
    role: "exporter",
    commands: [
      granted("parse"),
      granted("merge"),
      granted("export-opendc"),
      granted("verify-opendc"),
    ],
  },
];
