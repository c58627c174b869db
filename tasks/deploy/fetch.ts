/**
 * Fetching a host's records. Files arrive in a staging folder with their times, which tar sets last: a
 * fetch that is cut off continues with what is not there yet in full, and nothing half-written ever
 * is under a final name.
 */

import { dirname, join } from "@std/path";
import { RunDir } from "../../trace/run_dir.ts";
import { listScript, packScript } from "./scripts.ts";
import { CommandError } from "../command/main.ts";
import type { RemoteHost } from "./ssh.ts";

/** Where records are on a host. */
export interface RemoteRecords {
  /** The host. */
  readonly host: RemoteHost;
  /** Its folder below the home. */
  readonly folder: string;
  /** RUN_ID. */
  readonly runId: string;
}

/** What was fetched. */
export interface Fetched {
  /** How many files. */
  readonly fetched: number;
  /** Node whose records they are; null for the controller's. */
  readonly node: string | null;
}

interface RemoteFile {
  readonly sizeBytes: number;
  readonly mtimeMs: number;
  readonly path: string;
}

/** Fetch the records of one host into `logs/RUN_ID/` (the controller's) or a folder of its node there. */
export async function fetchRecords(records: RemoteRecords, logs: string): Promise<Fetched> {
  const { host, folder, runId } = records;
  const files = parseList(await host.run(folder, listScript(runId)));
  const node = host.host.role === "controller" ? null : await nodeOf(records);
  const target = (node === null ? RunDir.of(logs, runId) : RunDir.of(logs, runId, node)).path;
  const staging = join(logs, runId, ".fetch", node ?? ".controller");
  const wanted: RemoteFile[] = [];
  for (const file of files) {
    if (!await isSame(join(target, file.path), file)) wanted.push(file);
  }
  const missing: RemoteFile[] = [];
  for (const file of wanted) {
    if (!await isSame(join(staging, file.path), file)) missing.push(file);
  }
  await Deno.mkdir(staging, { recursive: true });
  if (missing.length > 0) {
    await host.pipe(folder, {
      script: packScript(runId),
      input: missing.map(({ path }) => `${path}\n`).join(""),
      program: ["tar", "-xf", "-", "-C", staging],
    });
  }
  for (const { path } of wanted) {
    await Deno.mkdir(dirname(join(target, path)), { recursive: true });
    await Deno.rename(join(staging, path), join(target, path));
  }
  await Deno.remove(staging, { recursive: true });
  await removeWhenEmpty(dirname(staging));
  return { fetched: wanted.length, node };
}

/** What was fetched of another host in part stays. */
async function removeWhenEmpty(folder: string): Promise<void> {
  for await (const _ of Deno.readDir(folder)) return;
  await Deno.remove(folder);
}

/** The node that a worker called itself. */
async function nodeOf({ host, folder, runId }: RemoteRecords): Promise<string> {
  const text = await host.run(folder, `cat logs/${runId}/node_meta.json 2>/dev/null || true`);
  if (text === "") throw new CommandError(`${host}: it has no records of run ${runId}`);
  const { node_id } = JSON.parse(text) as { node_id?: unknown };
  if (typeof node_id === "string") return node_id;
  throw new CommandError(`${host}: logs/${runId}/node_meta.json names no node_id`);
}

/** Lines `size mtime path` of find; mtime in seconds with decimals. */
function parseList(text: string): RemoteFile[] {
  return text.split("\n").filter((line) => line !== "").map((line) => {
    const [, size, mtime, path = ""] = /^(\d+) ([\d.]+) (.*)$/.exec(line) ?? [];
    return { sizeBytes: Number(size), mtimeMs: Number(mtime) * 1000, path };
  });
}

async function isSame(path: string, { sizeBytes, mtimeMs }: RemoteFile): Promise<boolean> {
  try {
    const { size, mtime } = await Deno.stat(path);
    // The runtime tells whole milliseconds.
    return size === sizeBytes && Math.abs((mtime?.getTime() ?? 0) - mtimeMs) <= 1;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
