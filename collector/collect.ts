/**
 * The collector: writes the node's metadata, then samples until it is told to stop.
 *
 * @module
 */

import { writeJsonAtomic } from "../trace/atomic_file.ts";
import type { Clock } from "../trace/clock.ts";
import { PatientWriter } from "../trace/patient_writer.ts";
import type { RunDir } from "../trace/run_dir.ts";
import { openAlarm } from "./sampling/alarm.ts";
import { BirthWatch } from "./finding/birth_watch.ts";
import type { Finder } from "./finding/finder.ts";
import { FollowedSet } from "./following/followed_set.ts";
import { HostSeries } from "./sampling/host_metrics.ts";
import { SamplingCalls } from "./sampling_calls.ts";
import { type NodeMetaOptions, readNodeMeta } from "./node_meta.ts";
import { readOwnAccount } from "./own_account.ts";
import { openProcessReader } from "./following/process_reader.ts";
import { ProcessTable } from "./finding/process_table.ts";
import { Procfs } from "./proc/procfs.ts";
import { Realtime } from "./sampling/realtime.ts";
import { openReadingClock } from "./sampling/reading_clock.ts";
import { runSampler } from "./sampling/sampler.ts";
import { Scan } from "./finding/scan.ts";
import { type ARGV_MODES, type EventWriter, ServiceLog } from "./finding/service_log.ts";
import { Cgroup, Tree } from "./finding/tree.ts";
import { Whitelist } from "./finding/whitelist.ts";

/** How processes are found. */
export type Selection =
  /** By the sentinels in `folder`; empty ones only for names that match. */
  | { readonly mode: "whitelist"; readonly folder: string; readonly match: RegExp }
  /** By name. */
  | { readonly mode: "scan"; readonly match: RegExp }
  /** The processes of the cgroup directory `path`. */
  | { readonly mode: "cgroup"; readonly path: string }
  /** Process `pid` and its descendants. */
  | { readonly mode: "tree"; readonly pid: number };

/** What is collected, and where to. */
export interface CollectOptions {
  /** Where it is written. */
  readonly runDir: RunDir;
  /** Where proc(5) is mounted. */
  readonly procfs: string;
  /** False does without FFI: clock ticks instead of nanoseconds. */
  readonly isFfiWanted: boolean;
  /** True gives the sampling thread real-time priority where that is permitted. */
  readonly isRealtimeWanted: boolean;
  /** What describes the node. */
  readonly node: Omit<NodeMetaOptions, "now">;
  /** How processes are found. */
  readonly selection: Selection;
  /** How the arguments of subjects that nobody launched are written down. */
  readonly argv: typeof ARGV_MODES[number];
  /** PROC_INTERVAL_MS. */
  readonly intervalMs: number;
  /** True writes the series of the whole host. */
  readonly isHostWanted: boolean;
  /** PROC_REFRESH. */
  readonly isRefreshing: boolean;
  /** PROC_SAMPLING: false writes the metadata only. */
  readonly isSampling: boolean;
  /** Ends the collection; what was read is written first. */
  readonly signal: AbortSignal;
  /** Called once, when samples are really taken. */
  readonly onStarted: () => void;
  /** Tells the user. */
  readonly report: (line: string) => void;
}

/** What there is at the end. */
export interface Collected {
  /** Samples written. */
  readonly samples: number;
}

/**
 * Collect until the signal is aborted.
 *
 * @throws {RangeError} when the node or the selection names what this machine does not have.
 * @throws {Error} when a file cannot be written.
 */
export async function collect(options: CollectOptions): Promise<Collected> {
  const { runDir, selection } = options;
  using resources = new DisposableStack();
  const procfs = new Procfs(options.procfs, options.report);
  const libc = options.isFfiWanted ? SamplingCalls.open() : null;
  if (libc !== null) resources.use(libc);
  const clock = resources.use(openReadingClock(procfs, { ffi: libc !== null }));
  await Deno.mkdir(runDir.path, { recursive: true });
  const meta = readNodeMeta(procfs, { ...options.node, now: clock.now() });
  await writeJsonAtomic(runDir.nodeMeta, meta);
  if (!options.isSampling) return { samples: 0 };

  const folder = selection.mode === "whitelist" ? selection.folder : null;
  if (folder !== null) await Deno.mkdir(folder, { recursive: true });
  const alarm = resources.use(openAlarm({ folder, clock, libc, signal: options.signal }));
  const reader = openProcessReader({ procfs, clock, libc, alarm });
  const followed = resources.use(new FollowedSet({ procfs, reader, clock }));
  const births = resources.use(new BirthWatch(procfs));
  const open = (path: string): PatientWriter => resources.use(PatientWriter.open(path, options));
  const services = new ServiceLog({
    procfs,
    followed,
    clock,
    events: selection.mode === "whitelist" ? NO_EVENTS : open(runDir.events("service")),
    node: meta.node_id,
    stage: meta.stage ?? "",
    argv: options.argv,
  });
  const samples = await runSampler({
    finder: openFinder(options, { procfs, followed, clock, births, services }),
    followed,
    services,
    alarm,
    clock,
    samples: open(runDir.procMetrics),
    processes: open(runDir.processes),
    stats: open(runDir.collectorStats),
    host: options.isHostWanted
      ? new HostSeries(procfs, {
        clock,
        interface: meta.interface,
        writer: open(runDir.hostMetrics),
      })
      : null,
    intervalMs: options.intervalMs,
    isRefreshing: options.isRefreshing,
    cpuSource: reader.cpuSource,
    realtime: options.isRealtimeWanted && libc !== null ? Realtime.enter(libc) : Realtime.none(),
    takeProblems: () => procfs.problems.take(),
    readAccount: () => readOwnAccount(procfs, libc),
    signal: options.signal,
    onStarted: options.onStarted,
    report: options.report,
  });
  return { samples };
}

/** In whitelist mode the launchers write the events. */
const NO_EVENTS: EventWriter = { append: () => {} };

interface FinderTools {
  readonly procfs: Procfs;
  readonly followed: FollowedSet;
  readonly clock: Clock;
  readonly births: BirthWatch;
  readonly services: ServiceLog;
}

function openFinder({ selection, report }: CollectOptions, tools: FinderTools): Finder {
  const { procfs, followed, clock, births, services } = tools;
  const table = new ProcessTable(procfs);
  switch (selection.mode) {
    case "whitelist": {
      const { folder, match } = selection;
      return new Whitelist({ folder, match, births, table, followed, clock, report });
    }
    case "scan":
      return new Scan({ match: selection.match, births, table, followed, clock, services });
    case "cgroup":
      requireFolder(selection.path);
      return new Cgroup({ path: selection.path, followed, services });
    case "tree": {
      const tree = new Tree({ pid: selection.pid, births, table, followed, clock, services });
      const { kind } = tree.start();
      if (kind === "followed") return tree;
      throw new RangeError(
        `Cannot follow the tree of process ${selection.pid}: a running process is required, it is ${kind}`,
      );
    }
  }
}

function requireFolder(path: string): void {
  let isFolder = false;
  try {
    isFolder = Deno.statSync(path).isDirectory;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  if (isFolder) return;
  throw new RangeError(`Cannot follow cgroup "${path}": a directory that is there is required`);
}
