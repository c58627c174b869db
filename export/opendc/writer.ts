/**
 * Writes the workloads of an export: the whole one in the order of submission, and one per host as it
 * really started.
 *
 * @module
 */

import { kbToOpendcMemory } from "../../trace/units.ts";
import type { CarbonTrace } from "./carbon.ts";
import { REPLAY_TIME_FACTOR } from "./experiment.ts";
import { writeExperiment } from "./experiment_files.ts";
import { type Fragments, wholeSpan } from "./fragments.ts";
import { fragmentsOfTask, type PlannedTask, spanOf } from "./plan.ts";
import type { RowStore } from "./rows.ts";
import type { CompressionName } from "./schema.ts";
import type { Stage } from "./stage.ts";
import { byStart, type CAPACITY_CHOICES, coresAt95, coresAtPeak, submissionOf } from "./tasks.ts";
import { type TaskFragments, type WorkloadTask, writeFragments, writeTasks } from "./workload.ts";
import { topologyOf, vcpusOf } from "./topology.ts";
import type { Written, WrittenTask } from "./written.ts";

/** What a writer works with. */
export interface WriterOptions {
  /** Where the files are prepared. */
  readonly stage: Stage;
  /** Rows of all tasks, sealed. */
  readonly store: RowStore;
  /** Codec. */
  readonly compression: CompressionName;
  /** What cpu_capacity says. */
  readonly capacity: typeof CAPACITY_CHOICES[number];
  /** Program, for the footers. */
  readonly createdBy: string;
  /** Carbon intensities of the grid; null: not known. */
  readonly carbon: CarbonTrace | null;
  /** Called after each task. */
  readonly onTask: () => void;
}

/** Write the whole workload, in the order of submission. */
export async function writeMain(
  tasks: readonly PlannedTask[],
  options: WriterOptions,
): Promise<{ readonly tasks: readonly WrittenTask[]; readonly written: Written }> {
  const written: Written = {
    outputs: [],
    experiments: [],
    fragments: 0,
    duplicateRows: 0,
    rowsOutside: 0,
  };
  const rows: WrittenTask[] = [];
  function* series(): Generator<TaskFragments> {
    for (const task of tasks) {
      const fragments = fragmentsOfTask(task, options.store);
      rows.push(describeTask(task, fragments, options.capacity));
      written.duplicateRows += fragments.duplicates;
      written.rowsOutside += fragments.outside;
      options.onTask();
      yield { id: task.id, freqMhz: task.host.freqMhz, fragments };
    }
  }
  const { stage } = options;
  const name = "fragments.parquet";
  const fragments = await writeFragments(await stage.path(name), {
    ...options,
    tasks: series(),
    timeFactor: 1,
  });
  written.fragments = fragments.rows;
  written.outputs.push({ name, bytes: fragments.bytes, sha256: fragments.sha256 });
  await writeTaskTable("tasks.parquet", { rows: rows.map(({ row }) => row), written, options });
  return { tasks: rows, written };
}

/**
 * Write one workload and experiment per host under `replay/`: submitted when it started, so that the
 * simulation has nothing to decide.
 */
export async function writeReplays(
  tasks: readonly WrittenTask[],
  { written, options }: { readonly written: Written; readonly options: WriterOptions },
): Promise<void> {
  const byHost = Map.groupBy(tasks, ({ task }) => task.host);
  for (const [host, own] of byHost) {
    const folder = `replay/${host.node.node_id}`;
    const firstMs = await writeReplay(folder, {
      tasks: own.toSorted((a, b) => byStart(a.task.candidate, b.task.candidate)),
      written,
      options,
    });
    written.experiments.push(
      await writeExperiment(options.stage, {
        name: `replay-${host.node.node_id}`,
        file: `${folder}/experiment.json`,
        topology: `${folder}/topology.json`,
        topologySpec: topologyOf([host]).spec,
        workload: folder,
        policy: { weighers: [], slots: null },
        exportIntervalS: REPLAY_TIME_FACTOR,
        timeFactor: REPLAY_TIME_FACTOR,
        node: host.node.node_id,
        hasLatencies: false,
        extraTasks: 0,
        carbon: options.carbon,
        firstMs,
        createdBy: options.createdBy,
      }),
    );
  }
}

/** Write the workload of a replay; the first submission in it, epoch ms. */
async function writeReplay(
  folder: string,
  { tasks, written, options }: {
    readonly tasks: readonly WrittenTask[];
    readonly written: Written;
    readonly options: WriterOptions;
  },
): Promise<number> {
  function* series(): Generator<TaskFragments> {
    for (const { task } of tasks) {
      options.onTask();
      const fragments = fragmentsOfTask(task, options.store);
      yield { id: task.id, freqMhz: task.host.freqMhz, fragments };
    }
  }
  const name = `${folder}/fragments.parquet`;
  const { bytes, sha256 } = await writeFragments(await options.stage.path(name), {
    ...options,
    tasks: series(),
    timeFactor: REPLAY_TIME_FACTOR,
  });
  written.outputs.push({ name, bytes, sha256 });
  const starts = tasks.map(({ task }) => wholeSpan(spanOf(task)).startMs);
  const first = starts[0] ?? 0;
  const rows = tasks.map(({ row }, index): WorkloadTask => ({
    ...row,
    submissionMs: first + ((starts[index] as number) - first) * REPLAY_TIME_FACTOR,
    durationMs: row.durationMs * REPLAY_TIME_FACTOR,
  }));
  await writeTaskTable(`${folder}/tasks.parquet`, { rows, written, options });
  return first;
}

export async function writeTaskTable(
  name: string,
  { rows, written, options }: {
    readonly rows: readonly WorkloadTask[];
    readonly written: Written;
    readonly options: WriterOptions;
  },
): Promise<void> {
  const path = await options.stage.path(name);
  const { bytes, sha256 } = await writeTasks(path, { ...options, tasks: rows });
  written.outputs.push({ name, bytes, sha256 });
}

function describeTask(
  task: PlannedTask,
  fragments: Fragments,
  capacity: WriterOptions["capacity"],
): WrittenTask {
  const { cpu_units } = task.candidate;
  // A traced command reserved nothing: what it had in use nearly all the time stands for it. A task of a
  // few milliseconds can seem to use more than the host has, by rounding.
  const used = Math.min(Math.ceil(coresAt95(fragments)), vcpusOf(task.host.node));
  const cpuCount = cpu_units ?? Math.max(1, used);
  const cores = capacity === "reserved"
    ? cpuCount
    : capacity === "p95"
    ? coresAt95(fragments)
    : coresAtPeak(fragments);
  return {
    task,
    isCountFromUse: cpu_units === null,
    row: {
      id: task.id,
      name: task.name,
      submissionMs: Math.round(submissionOf(task.candidate)),
      durationMs: wholeSpan(spanOf(task)).durationMs,
      cpuCount,
      capacityMhz: cores * task.host.freqMhz,
      memCapacity: kbToOpendcMemory(task.memoryKb ?? 0),
      fragmentCount: fragments.length,
    },
  };
}
