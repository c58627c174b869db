/**
 * Rows of a run as files: `proc_metrics.jsonl` of the CTS layout, or `proc_cpu.jsonl` and
 * `proc_rss.jsonl` of the older cctf layout.
 *
 * @module
 */

import type { Attempt } from "./attempts.ts";
import { ByteLines } from "../byte_lines.ts";
import type { MetricRow, ProcessSeries, RowSink } from "./process_series.ts";
import { CPU_MS, DT_MS, NULL, PID, RSS_KB, TS_MS } from "./row_keys.ts";
import type { StagedFiles } from "../staged_files.ts";
import type { TaskAccount } from "./task_account.ts";

/** Layouts that parse can write. */
export const LAYOUTS = ["cts", "cctf"] as const;
/** A layout that parse can write. */
export type Layout = (typeof LAYOUTS)[number];

/** Name of a layout's folder in the run directory. */
export const LAYOUT_FOLDERS: Readonly<Record<Layout, string>> = { cts: "CTS", cctf: "cctf" };

const encoder = new TextEncoder();

/** Takes rows and writes them in one layout. Dispose of it to close its files. */
export interface RowFiles extends RowSink, Disposable {
  /** A request's share of its service's CPU time; null: what that used with no request open. */
  shared(request: Attempt | null, row: MetricRow): void;
  /** Write what was taken. */
  flush(): Promise<void>;
  /** Wait until all is on the disk. */
  sync(): Promise<void>;
}

/** Open the row files of `layout`, to be put in place with the others of `staged`. */
export async function openRowFiles(layout: Layout, staged: StagedFiles): Promise<RowFiles> {
  if (layout === "cts") {
    return new CtsRows(await ByteLines.create(staged.stage("proc_metrics.jsonl")));
  }
  const cpu = await ByteLines.create(staged.stage("proc_cpu.jsonl"));
  return new CctfRows(cpu, await ByteLines.create(staged.stage("proc_rss.jsonl")));
}

/** What follows the numbers of a row. */
function suffixOf(traceId: string | null, source: "reading" | "spread"): Uint8Array {
  return encoder.encode(`,"trace_id":${JSON.stringify(traceId)},"source":"${source}"}\n`);
}

/** The same for a request: several may share a trace. */
function suffixOfRequest(request: Attempt | null): Uint8Array {
  const { trace_id = null, span_id = null } = request?.event ?? {};
  return encoder.encode(`,${JSON.stringify({ trace_id, span_id, source: "shared" }).slice(1)}\n`);
}

function writeHead(lines: ByteLines, { pid, endUs }: { pid: number | null; endUs: number }): void {
  lines.raw(TS_MS);
  lines.milliseconds(endUs);
  lines.raw(PID);
  if (pid === null) lines.raw(NULL);
  else lines.integer(pid);
}

function writeCpu(lines: ByteLines, { dtUs, cpuUs }: MetricRow): void {
  lines.raw(DT_MS);
  lines.milliseconds(dtUs);
  lines.raw(CPU_MS);
  lines.milliseconds(cpuUs);
}

function writeRss(lines: ByteLines, rssKb: number): void {
  lines.raw(RSS_KB);
  if (rssKb < 0) lines.raw(NULL);
  else lines.integer(rssKb);
}

class CtsRows implements RowFiles {
  readonly #lines: ByteLines;

  constructor(lines: ByteLines) {
    this.#lines = lines;
  }

  reading(series: ProcessSeries, row: MetricRow): void {
    series.rowSuffix ??= suffixOf(series.traceId, "reading");
    writeHead(this.#lines, { pid: series.pid, endUs: row.endUs });
    writeCpu(this.#lines, row);
    writeRss(this.#lines, row.rssKb);
    this.#lines.raw(series.rowSuffix);
  }

  spread(account: TaskAccount, row: MetricRow & { readonly pid: number | null }): void {
    writeHead(this.#lines, row);
    writeCpu(this.#lines, row);
    writeRss(this.#lines, row.rssKb);
    this.#lines.raw(suffixOf(account.traceId, "spread"));
  }

  shared(request: Attempt | null, row: MetricRow): void {
    writeHead(this.#lines, { pid: null, endUs: row.endUs });
    writeCpu(this.#lines, row);
    writeRss(this.#lines, row.rssKb);
    this.#lines.raw(suffixOfRequest(request));
  }

  flush(): Promise<void> {
    return this.#lines.flush();
  }

  sync(): Promise<void> {
    return this.#lines.sync();
  }

  [Symbol.dispose](): void {
    this.#lines[Symbol.dispose]();
  }
}

class CctfRows implements RowFiles {
  readonly #cpu: ByteLines;
  readonly #rss: ByteLines;

  constructor(cpu: ByteLines, rss: ByteLines) {
    this.#cpu = cpu;
    this.#rss = rss;
  }

  reading(series: ProcessSeries, row: MetricRow): void {
    series.rowSuffix ??= suffixOf(series.traceId, "reading");
    writeHead(this.#cpu, { pid: series.pid, endUs: row.endUs });
    writeCpu(this.#cpu, row);
    this.#cpu.raw(series.rowSuffix);
    if (row.rssKb < 0) return;
    writeHead(this.#rss, { pid: series.pid, endUs: row.endUs });
    writeRss(this.#rss, row.rssKb);
    this.#rss.raw(series.rowSuffix);
  }

  spread(account: TaskAccount, row: MetricRow & { readonly pid: number | null }): void {
    writeHead(this.#cpu, row);
    writeCpu(this.#cpu, row);
    this.#cpu.raw(suffixOf(account.traceId, "spread"));
  }

  shared(request: Attempt | null, row: MetricRow): void {
    writeHead(this.#cpu, { pid: null, endUs: row.endUs });
    writeCpu(this.#cpu, row);
    this.#cpu.raw(suffixOfRequest(request));
  }

  async flush(): Promise<void> {
    await this.#cpu.flush();
    await this.#rss.flush();
  }

  async sync(): Promise<void> {
    await this.#cpu.sync();
    await this.#rss.sync();
  }

  [Symbol.dispose](): void {
    this.#cpu[Symbol.dispose]();
    this.#rss[Symbol.dispose]();
  }
}
