/**
 * One pass over a node's records: rows are written while samples are read. Samples that are not in the
 * order of time are sorted on the disk first, and the pass is made again.
 *
 * @module
 */

import { RunDir } from "../../trace/run_dir.ts";
import { msToUs } from "../../trace/units.ts";
import { type Attempt, makeAttempts } from "./attempts.ts";
import { type Layout, openRowFiles, type RowFiles } from "./rows.ts";
import type { NodeInputs } from "./node_inputs.ts";
import { type LineCounts, noLines, RawSampleFile, type SampleSource } from "./raw_samples.ts";
import { type Alignment, type RecordTime, recordTime, RunClock } from "./run_clock.ts";
import { type LedgerCounts, RunLedger, UnsortedError } from "./run_ledger.ts";
import { readServiceShares, type ServiceTotals } from "./service_shares.ts";
import { MergedSamples, sortSamples } from "./sorted_samples.ts";
import type { StagedFiles } from "../staged_files.ts";

/** Sampling interval where the collector did not leave one, ms: the default of PROC_INTERVAL_MS. */
const DEFAULT_INTERVAL_MS = 200;

/** How far a parse is. */
export interface ParseProgress {
  /** Bytes of samples read. */
  readonly doneBytes: number;
  /** Bytes of samples there are. */
  readonly totalBytes: number;
  /** Readings taken. */
  readonly samples: number;
}

/** What a pass works with. */
export interface PassOptions {
  /** Everything but the samples. */
  readonly inputs: NodeInputs;
  /** Takes the files of rows. */
  readonly staged: StagedFiles;
  /** Layout of the rows. */
  readonly layout: Layout;
  /** Whose clock times are put on. Default: none, the node's own. */
  readonly align?: Alignment;
  /** Told now and then how far it is. */
  readonly onProgress?: (progress: ParseProgress) => void;
  /** Aborting it stops the pass. */
  readonly signal?: AbortSignal;
}

/** What a pass found. */
export interface RunPass {
  /** The attempts with their finished accounts, by their start. */
  readonly attempts: readonly Attempt[];
  /** What was found besides rows. */
  readonly counts: LedgerCounts;
  /** The timeline. */
  readonly clock: RunClock;
  /** What services behind the HTTP adapter used. */
  readonly service: ServiceTotals;
  /** Lines of the file of samples. */
  readonly lines: LineCounts;
  /** Sampling interval, ms. */
  readonly intervalMs: number;
  /** True where the samples had to be sorted. */
  readonly isSorted: boolean;
}

/** Read the records of `runDir` and write its rows. */
export async function readRun(runDir: RunDir, options: PassOptions): Promise<RunPass> {
  const path = runDir.procMetrics;
  const times = await timesOf(path, options.inputs);
  using source = await openIfThere(path);
  try {
    return { ...await readOnce(runDir, { ...options, times, source }), isSorted: false };
  } catch (error) {
    if (!(error instanceof UnsortedError)) throw error;
  }
  const order = new RunClock(times);
  const orderOf = (time: RecordTime): number => order.toUs(time);
  const folder = await options.staged.folder("sorting");
  const { pieces, counts } = await sortSamples(path, { orderOf, folder });
  using sorted = await MergedSamples.open(pieces, orderOf);
  const pass = await readOnce(runDir, { ...options, times, source: sorted });
  return { ...pass, lines: counts, isSorted: true };
}

/** What one pass works with besides. */
interface OnceOptions extends PassOptions {
  readonly times: readonly (readonly RecordTime[])[];
  readonly source: SampleSource | null;
}

async function readOnce(
  runDir: RunDir,
  options: OnceOptions,
): Promise<Omit<RunPass, "isSorted">> {
  const { inputs, staged, layout, source } = options;
  using rows = await openRowFiles(layout, staged);
  const cores = inputs.meta?.cpu_cores ?? Infinity;
  const clock = new RunClock(options.times);
  if (options.align === "controller") clock.align(inputs.offsets);
  const { results } = inputs;
  const attempts = makeAttempts([...inputs.events.spans.values()], { results, clock, cores });
  const service = await readServiceShares(runDir.serviceCpu, { attempts, clock, sink: rows });
  const intervalMs = inputs.stats.at(-1)?.interval_ms ?? DEFAULT_INTERVAL_MS;
  const intervalUs = msToUs(intervalMs);
  const ledger = new RunLedger({ attempts, clock, cores, intervalUs, sink: rows });
  if (source !== null) await readSamples(source, { ...options, runDir, ledger, rows });
  ledger.finish();
  await rows.sync();
  const lines = source?.counts ?? noLines();
  return { attempts, counts: ledger.counts, clock, service, lines, intervalMs };
}

async function readSamples(
  source: SampleSource,
  { runDir, ledger, rows, onProgress, signal }: OnceOptions & {
    readonly runDir: RunDir;
    readonly ledger: RunLedger;
    readonly rows: RowFiles;
  },
): Promise<void> {
  const totalBytes = (await Deno.stat(runDir.procMetrics)).size;
  while (await source.fill()) {
    signal?.throwIfAborted();
    while (source.next()) ledger.read(source.reading);
    await rows.flush();
    const { samples } = ledger.counts;
    onProgress?.({ doneBytes: source.bytesRead, totalBytes, samples });
  }
}

/** Times that tell where the run is: its first one, and those of files that are in order. */
async function timesOf(path: string, inputs: NodeInputs): Promise<RecordTime[][]> {
  const first = await firstTime(path) ?? firstStart(inputs);
  return [
    first === null ? [] : [first],
    inputs.stats.map(recordTime),
    inputs.offsets.map(recordTime),
  ];
}

/** The time of the first sample; null: there is none, or it has no boot clock. */
export async function firstTime(path: string): Promise<RecordTime | null> {
  using source = await openIfThere(path);
  if (source === null || !await source.fill() || !source.next()) return null;
  const { tsUs, bootUs } = source.reading;
  return bootUs < 0 ? null : { tsUs, bootUs };
}

/** The first start of an attempt that is known with its boot clock. */
function firstStart({ events }: NodeInputs): RecordTime | null {
  for (const { ts_start, boot_start_ms } of events.spans.values()) {
    if (ts_start === null || boot_start_ms === null) continue;
    return recordTime({ ts_ms: ts_start, boot_ms: boot_start_ms });
  }
  return null;
}

async function openIfThere(path: string): Promise<RawSampleFile | null> {
  try {
    return await RawSampleFile.open(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}
