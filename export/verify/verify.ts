/**
 * Reads a workload back with an independent implementation, says what it holds, and checks it against
 * what OpenDC accepts and where it is known to go wrong.
 *
 * @module
 */

import { join } from "@std/path";
import { type Check, skipped } from "./check.ts";
import { checkAgainstCts } from "./cts.ts";
import {
  checkCarbonTraces,
  checkExperiments,
  checkManifest,
  checkSdkExperiments,
  checkTopologyFile,
  readManifestFor,
} from "./folder.ts";
import { readWorkload, type WorkloadFound } from "./read.ts";
import { checkPolicy, checkReplays } from "./replay.ts";

/** What to verify. */
export interface VerifyOptions {
  /** Folder with `tasks.parquet` and `fragments.parquet`. */
  readonly input: string;
  /** The parsed run that it was made of; null: none to compare with. */
  readonly cts?: string | null;
}

/** What verify found. */
export interface VerifyReport {
  /** The folder. */
  readonly input: string;
  /** True when no check fails. */
  readonly ok: boolean;
  /** What the workload holds; null where it could not be read. */
  readonly found: WorkloadFound | null;
  /** The checks, in the order in which they were made. */
  readonly checks: readonly Check[];
}

/** Verify a workload, and the export around it where there is one. */
export async function verifyOpendc({ input, cts = null }: VerifyOptions): Promise<VerifyReport> {
  const workload = await readWorkload(input);
  const checks = [...workload.checks];
  const { content } = workload;
  const topology = await checkTopologyFile(join(input, "small_datacenter.json"), content?.tasks);
  checks.push(
    ...topology,
    await checkExperiments(input),
    await checkSdkExperiments(input),
    ...await checkCarbonTraces(input),
  );
  const manifest = await readManifestFor(input, checks);
  if (manifest !== null) checks.push(await checkManifest(input, { manifest, content }));
  if (manifest !== null && content !== null) {
    checks.push(
      await checkPolicy(input, { manifest, main: content }),
      ...await checkReplays(input, { manifest, main: content }),
    );
  }
  if (cts !== null) {
    checks.push(
      ...(manifest === null || content === null
        ? [skipped("conservation", "a readable workload and manifest.json are required for it")]
        : await checkAgainstCts({ cts, manifest, ...content })),
    );
  }
  return {
    input,
    ok: checks.every(({ status }) => status !== "fail"),
    found: content?.found ?? null,
    checks,
  };
}
