/** Export a parsed run to OpenDC. */

import { resolve } from "@std/path";
import { exportOpendc } from "../export/opendc/export.ts";
import { readPower } from "../export/power/power_file.ts";
import type { ExportProgress, ExportSummary } from "../export/opendc/summary.ts";
import { LEFT_OUT_REASONS, type LeftOutReason } from "../export/opendc/tasks.ts";
import type { Parsed } from "./command/parse.ts";
import { type Io, runMain, VERSION } from "./command/main.ts";
import { openProgress } from "./command/progress.ts";
import { EXPORT_OPENDC, exportFolders } from "./flags/export_opendc.ts";

/** `deno task export-opendc`. */
export async function main(
  { options }: Parsed<typeof EXPORT_OPENDC.flags>,
  io: Io,
): Promise<number> {
  const { input, output } = exportFolders(options);
  const power = options.power === null ? new Map() : await readPower(resolve(options.power));
  using progress = openProgress(io, "Export");
  const summary = await exportOpendc({
    input,
    output,
    taskIdMode: options["task-id-mode"],
    capacity: options.capacity,
    fill: options.fill,
    status: options.status,
    areServicesExported: options.services,
    cpuFreqMhz: options["cpu-freq-mhz"],
    power,
    carbon: options.carbon === null ? null : resolve(options.carbon),
    timeScale: options["time-scale"],
    compression: options.compression,
    version: VERSION,
    report: ({ fraction, what }: ExportProgress) => progress.update(fraction, what),
    signal: io.signal,
  });
  for (const line of describeExport(summary)) io.say(line);
  if (options.json) io.print(JSON.stringify(summary));
  return 0;
}

/** The summary of an export, line by line. */
function describeExport(summary: ExportSummary): string[] {
  const { rows } = summary;
  return [
    `Exported ${summary.tasks} tasks, ${summary.fragments} fragments, ${
      (summary.makespan_ms / 1000).toFixed(3)
    } s from first submission to last end`,
    ...LEFT_OUT_REASONS.flatMap((reason) => describeLeftOut(summary, reason)),
    ...names("Filled from the reservation, not measured", summary.filled),
    ...names("Only an exact total, spread evenly", summary.totals_only),
    ...names("Memory not known, 0 written", summary.memory_unknown),
    ...names("Nothing reserved, cpu_count from use", summary.count_from_use),
    ...counted(rows.foreign, "rows belong to no invocation on record"),
    ...counted(rows.malformed, "rows are malformed"),
    ...counted(rows.torn, "rows are cut off"),
    ...counted(summary.duplicate_rows, "rows were there twice"),
    ...counted(summary.rows_outside_task, "rows reach beyond their task"),
    ...counted(summary.duplicate_invocations, "invocations were there twice"),
    ...counted(summary.malformed_invocations, "invocations are malformed"),
    ...(summary.carbon === null ? [] : [`Carbon intensities: ${summary.carbon}`]),
    ...summary.notes.map((note) => `Note: ${note}`),
    `Wrote ${summary.output}: start with its README.md`,
  ];
}

const LEFT_OUT_WORDS: Readonly<Record<LeftOutReason, string>> = {
  superseded: "superseded by another attempt",
  no_end: "without start or end on record",
  not_done: "failed, dead or cancelled; --status all exports them",
  service: "observed services; --services exports them",
  not_measured: "not measured; --fill reserved exports them",
};

function describeLeftOut({ left_out }: ExportSummary, reason: LeftOutReason): string[] {
  const ids = left_out.filter((one) => one.reason === reason)
    .map(({ task_id, trace_id }) => task_id ?? trace_id);
  return names(`Left out, ${LEFT_OUT_WORDS[reason]}`, ids);
}

/** Names listed in full up to this many; the manifest has all. */
const NAMES_SHOWN = 8;

function names(label: string, list: readonly string[]): string[] {
  if (list.length === 0) return [];
  const shown = list.slice(0, NAMES_SHOWN).join(", ");
  return [`${label}: ${list.length} (${shown}${list.length > NAMES_SHOWN ? ", …" : ""})`];
}

function counted(count: number, what: string): string[] {
  return count === 0 ? [] : [`${count} ${what}`];
}

if (import.meta.main) await runMain(EXPORT_OPENDC, main);
