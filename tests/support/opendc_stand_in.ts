/**
 * Stands in for OpenDCExperimentRunner where none is installed: takes the same arguments, reads the
 * experiment and the workload as it does, starts every task when it is submitted, and writes its output
 * where and as it does. It schedules nothing: a replay needs no more.
 */

import { join } from "@std/path";
import { ParquetFile } from "../../export/parquet_reader.ts";
import { type SimulatedRow, writeSimulation } from "./opendc_output.ts";

async function main(args: readonly string[]): Promise<void> {
  const [flag, path] = args;
  if (flag !== "--experiment-path" || path === undefined) throw new Error(`usage: ${args}`);
  const experiment = JSON.parse(await Deno.readTextFile(path));
  const topology = JSON.parse(await Deno.readTextFile(experiment.topologies[0].pathToFile));
  const [{ name: host, cpu }] = topology.clusters[0].hosts;
  const workload: string = experiment.workloads[0].pathToFile;
  const { tasks, firstSubmissionMs } = await readWorkload(workload, host);
  await writeSimulation(join("output", experiment.name, "raw-output", "0", "seed=0"), {
    tasks,
    hosts: { [host]: cpu.coreCount * cpu.coreSpeed },
    intervalMs: experiment.exportModels[0].exportInterval * 1000,
    version: "2.4u",
    firstSubmissionMs,
  });
}

async function readWorkload(
  folder: string,
  host: string,
): Promise<{ tasks: SimulatedRow[]; firstSubmissionMs: number }> {
  using file = await ParquetFile.open(join(folder, "tasks.parquet"));
  using fragments = await ParquetFile.open(join(folder, "fragments.parquet"));
  const ids = await file.readNumbers("id", 0);
  const names = await file.readTexts("name", 0);
  const submissions = await file.readNumbers("submission_time", 0);
  const fragmentIds = await fragments.readNumbers("id", 0);
  const durations = await fragments.readNumbers("duration", 0);
  const usage = await fragments.readNumbers("cpu_usage", 0);
  const firstSubmissionMs = Math.min(...submissions);
  const tasks = Array.from(ids, (id, at): SimulatedRow => {
    let durationMs = 0;
    let energy = 0;
    for (const [row, one] of fragmentIds.entries()) {
      if (one !== id) continue;
      durationMs += durations[row] as number;
      energy += (durations[row] as number) * (usage[row] as number);
    }
    const submissionMs = (submissions[at] as number) - firstSubmissionMs;
    return {
      id,
      name: names[at] ?? String(id),
      submissionMs,
      startMs: submissionMs,
      endMs: submissionMs + durationMs,
      host,
      usageMhz: energy / durationMs,
    };
  });
  return { tasks, firstSubmissionMs };
}

await main(Deno.args);
