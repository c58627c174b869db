/**
 * Checks what is beside a workload in an export: topology, experiments, manifest.
 *
 * @module
 */

import { join } from "@std/path";
import { isThere } from "../../trace/atomic_file.ts";
import { hashFile } from "../file_hash.ts";
import { type ReadManifest, readManifest } from "../opendc/manifest.ts";
import { isFile } from "../opendc/input.ts";
import { SDK_FOLDER } from "../opendc/sdk.ts";
import { carbonPaths, checkCarbon, type NamedCarbon } from "./carbon.ts";
import { type Check, checkOf, failed, skipped } from "./check.ts";
import type { WorkloadContent } from "./read.ts";
import { readSdkExperiment, sdkTopologyProblems } from "./sdk.ts";
import { checkFit, checkTopology, readExperiment } from "./topology.ts";
import type { TaskTable } from "./workload.ts";
import { readInputText } from "../../trace/input_file.ts";

/** Check the topology at `path`, and that the tasks fit into its hosts. */
export async function checkTopologyFile(
  path: string,
  tasks: TaskTable | undefined,
): Promise<Check[]> {
  if (!await isFile(path)) return [skipped("topology", "there is no small_datacenter.json")];
  const parsed = await parseJson(path);
  if (parsed.problem !== null) return [failed("topology", parsed.problem)];
  const { check, largest } = checkTopology(parsed.value);
  if (tasks === undefined || largest === null) return [check];
  return [check, checkFit(tasks, largest)];
}

async function parseJson(
  path: string,
): Promise<{ readonly value: unknown; readonly problem: string | null }> {
  try {
    return { value: JSON.parse(await readInputText(path)), problem: null };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return { value: null, problem: `${path} is not JSON: ${error.message}` };
  }
}

/** Check every experiment of an export. */
export async function checkExperiments(folder: string): Promise<Check> {
  const names = await experimentNames(folder);
  if (names.length === 0) return skipped("experiments", "there are none");
  const problems: string[] = [];
  for (const name of names) {
    const { value, problem } = await parseJson(join(folder, name));
    const { paths, problems: found } = problem === null
      ? readExperiment(value)
      : { paths: [], problems: [problem] };
    problems.push(...found.map((one) => `${name}: ${one}`));
    for (const path of paths) {
      if (!await isThere(join(folder, path))) problems.push(`${name}: there is no "${path}"`);
    }
  }
  return checkOf("experiments", { problems, found: `${names.length}: ${names.join(", ")}` });
}

/** Check every experiment of an export in the SDK's form, and the topologies that they import. */
export async function checkSdkExperiments(folder: string): Promise<Check> {
  const names = await filesIn(join(folder, SDK_FOLDER));
  const experiments = names.filter((name) => !name.startsWith("topology-"));
  if (experiments.length === 0) return skipped("sdk_experiments", "there are none");
  const problems: string[] = [];
  for (const name of experiments) {
    const path = join(folder, SDK_FOLDER, name);
    const { value, problem } = await parseJson(path);
    const { imports, sources, problems: found } = problem === null
      ? readSdkExperiment(value)
      : { imports: [], sources: [], problems: [problem] };
    problems.push(...found.map((one) => `${name}: ${one}`));
    for (const source of sources) {
      if (!await isThere(join(folder, SDK_FOLDER, source))) {
        problems.push(`${name}: there is no "${source}"`);
      }
    }
    for (const imported of imports) {
      problems.push(...await importProblems(join(folder, SDK_FOLDER, imported), imported));
    }
  }
  return checkOf("sdk_experiments", {
    problems,
    found: `${experiments.length}: ${experiments.join(", ")}`,
  });
}

/** Check the carbon traces of all topologies of an export, in both forms. */
export async function checkCarbonTraces(folder: string): Promise<Check[]> {
  const replays = (await replayNodes(folder)).map((node) => `replay/${node}/topology.json`);
  const sdk = (await filesIn(join(folder, SDK_FOLDER)))
    .filter((name) => name.startsWith("topology-")).map((name) => `${SDK_FOLDER}/${name}`);
  const named: NamedCarbon[] = [];
  for (const topology of ["small_datacenter.json", ...replays, ...sdk]) {
    if (!await isFile(join(folder, topology))) continue;
    const { value } = await parseJson(join(folder, topology));
    // The older form counts from where OpenDC is started, the SDK's from the file itself.
    const base = topology.startsWith(`${SDK_FOLDER}/`) ? SDK_FOLDER : ".";
    for (const path of carbonPaths(value)) named.push({ topology, path: join(base, path) });
  }
  return await checkCarbon(folder, named);
}

async function importProblems(path: string, name: string): Promise<string[]> {
  if (!await isFile(path)) return [`there is no "${name}" to import`];
  const { value, problem } = await parseJson(path);
  return problem === null ? sdkTopologyProblems(value).map((one) => `${name}: ${one}`) : [problem];
}

async function filesIn(folder: string): Promise<string[]> {
  try {
    const entries = await Array.fromAsync(Deno.readDir(folder));
    return entries.filter((entry) => entry.isFile).map((entry) => entry.name).sort();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

/** The experiments of an export, by their names. */
async function experimentNames(folder: string): Promise<string[]> {
  const names = ["experiment_policy.json"];
  for (const node of await replayNodes(folder)) names.push(`replay/${node}/experiment.json`);
  const there = await Promise.all(names.map((name) => isFile(join(folder, name))));
  return names.filter((_, index) => there[index]);
}

/** The nodes that `folder` has a replay of. */
export async function replayNodes(folder: string): Promise<string[]> {
  try {
    const entries = await Array.fromAsync(Deno.readDir(join(folder, "replay")));
    return entries.filter((entry) => entry.isDirectory).map((entry) => entry.name).sort();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

/** The manifest of an export, or null; what there is to say about it is added to `checks`. */
export async function readManifestFor(
  folder: string,
  checks: Check[],
): Promise<ReadManifest | null> {
  try {
    const manifest = await readManifest(folder);
    if (manifest === null) checks.push(skipped("manifest", "there is none"));
    return manifest;
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof TypeError)) throw error;
    checks.push(failed("manifest", error.message));
    return null;
  }
}

/** Check that the files are those that were exported. */
export async function checkManifest(
  folder: string,
  { manifest, content }: {
    readonly manifest: ReadManifest;
    readonly content: WorkloadContent | null;
  },
): Promise<Check> {
  const problems: string[] = [];
  for (const { name, bytes, sha256 } of manifest.outputs) {
    const path = join(folder, name);
    if (!await isFile(path)) {
      problems.push(`${name} is missing`);
      continue;
    }
    const found = await hashFile(path);
    if (found.bytes !== bytes || found.sha256 !== sha256) {
      problems.push(`${name} is not the file that was exported`);
    }
  }
  if (content !== null && content.tasks.length !== manifest.counts.tasks) {
    problems.push(`${manifest.counts.tasks} tasks were exported, got ${content.tasks.length}`);
  }
  return checkOf("manifest", { problems, found: `${manifest.outputs.length} files as exported` });
}
