/**
 * Writes the workload of the policy's experiment: times multiplied, so that OpenDC's scheduling tick of
 * one second becomes a part of a millisecond; each task with the time that it held its capacity before
 * its start and after its end; and for each host that joined after the first submission a task that
 * occupies it until then.
 *
 * @module
 */

import { wholeSpan } from "./fragments.ts";
import type { QueueTimes } from "./occupancy.ts";
import { fragmentsOfTask, spanOf } from "./plan.ts";
import { submissionOf } from "./tasks.ts";
import { type HostNode, vcpusOf } from "./topology.ts";
import { type TaskFragments, type WorkloadTask, writeFragments } from "./workload.ts";
import { type WriterOptions, writeTaskTable } from "./writer.ts";
import type { Written, WrittenTask } from "./written.ts";

/** Folder of the workload. */
export const POLICY_FOLDER = "policy";

/** What is written. */
export interface PolicyOptions {
  /** What the queue knew. */
  readonly times: QueueTimes;
  /** The nodes, in the order of the topology. */
  readonly hosts: readonly HostNode[];
  /** What times are multiplied by. */
  readonly timeFactor: number;
  /** What was written so far. */
  readonly written: Written;
  /** How to write. */
  readonly options: WriterOptions;
}

/** A task of the workload that is not of the run: it occupies a host until that joined. */
interface Absence {
  readonly row: WorkloadTask;
  readonly series: TaskFragments;
}

/**
 * Write the workload of `tasks`, which are in the order of submission.
 *
 * @returns How many tasks it has that are not of the run.
 */
export async function writePolicyWorkload(
  tasks: readonly WrittenTask[],
  { times, hosts, timeFactor, written, options }: PolicyOptions,
): Promise<number> {
  const firstMs = tasks[0]?.row.submissionMs ?? 0;
  const absences = absencesOf(tasks, { times, hosts, timeFactor, firstMs });
  const entries = tasks.map((one) => {
    const { candidate } = one.task;
    const { startMs, durationMs } = wholeSpan(spanOf(one.task));
    // Fragments begin at a whole ms: what rounding took from the task is given to the time before it.
    const assignedMs = candidate.ts_start - times.leadMs(candidate);
    const releasedMs = candidate.ts_end + times.tailMs(candidate);
    const beforeMs = Math.max(0, Math.round((startMs - assignedMs) * timeFactor));
    const afterMs = Math.max(0, Math.round((releasedMs - startMs - durationMs) * timeFactor));
    return { ...one, idle: { beforeMs, afterMs }, durationMs };
  });
  function* series(): Generator<TaskFragments> {
    for (const absence of absences) yield absence.series;
    for (const { task, idle } of entries) {
      options.onTask();
      const fragments = fragmentsOfTask(task, options.store);
      yield { id: task.id, freqMhz: task.host.freqMhz, fragments, idle };
    }
  }
  const name = `${POLICY_FOLDER}/fragments.parquet`;
  const { bytes, sha256 } = await writeFragments(await options.stage.path(name), {
    ...options,
    tasks: series(),
    timeFactor,
  });
  written.outputs.push({ name, bytes, sha256 });
  const rows = entries.map(({ task, row, idle, durationMs }): WorkloadTask => ({
    ...row,
    submissionMs: firstMs +
      Math.max(0, Math.round((submissionOf(task.candidate) - firstMs) * timeFactor)),
    durationMs: durationMs * timeFactor + idle.beforeMs + idle.afterMs,
    fragmentCount: row.fragmentCount + Number(idle.beforeMs > 0) + Number(idle.afterMs > 0),
  }));
  await writeTaskTable(`${POLICY_FOLDER}/tasks.parquet`, {
    rows: [...absences.map(({ row }) => row), ...rows],
    written,
    options,
  });
  return absences.length;
}

/**
 * One task per host, which needs all of it, up to the last host that joined late. First-fit tries the
 * hosts in order, and those before are full: each gets its own. A host that was there is occupied for
 * the shortest time that there is.
 */
function absencesOf(
  tasks: readonly WrittenTask[],
  { times, hosts, timeFactor, firstMs }: {
    readonly times: QueueTimes;
    readonly hosts: readonly HostNode[];
    readonly timeFactor: number;
    readonly firstMs: number;
  },
): Absence[] {
  const absentMs = hosts.map(({ node }) =>
    Math.max(0, (times.joinedMs.get(node.node_id) ?? firstMs) - firstMs)
  );
  const last = absentMs.findLastIndex((ms) => ms > 0);
  let id = tasks.reduce((max, { row }) => Math.max(max, row.id), 0);
  return hosts.slice(0, last + 1).map(({ node, freqMhz }, at): Absence => {
    const durationMs = Math.max(1, Math.round((absentMs[at] as number) * timeFactor));
    id++;
    const vcpus = vcpusOf(node);
    return {
      row: {
        id,
        name: `until ${node.node_id} joined`,
        submissionMs: firstMs,
        durationMs,
        cpuCount: vcpus,
        capacityMhz: vcpus * freqMhz,
        memCapacity: 0,
        fragmentCount: 1,
      },
      series: {
        id,
        freqMhz,
        fragments: {
          length: 0,
          durationMs: new Float64Array(0),
          cores: new Float64Array(0),
          duplicates: 0,
          outside: 0,
        },
        idle: { beforeMs: durationMs, afterMs: 0 },
      },
    };
  });
}
