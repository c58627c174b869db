/**
 * Readings of sysstat: `pidstat -h` text for processes, `sadf -j` for whole hosts.
 *
 * @module
 */

import type { Importer, ImportSettings, ImportSink, SourceFile } from "../contract.ts";
import { parseNumber, parseTime } from "../quantities.ts";
import { asNumber, asObject, asText, objectsIn, readJson, readRows } from "../rows.ts";
import { ServiceSeries } from "../service_series.ts";

/** `pidstat -h -H -u -r`: a line of column names behind `#` before each block of readings. */
async function readPidstat(
  file: SourceFile,
  sink: ImportSink,
  { utcOffsetMs }: ImportSettings,
): Promise<void> {
  const found = /^Linux \S+ \(([^)]*)\).*\((\d+) CPU\)/.exec(file.head);
  const node = found?.[1] ?? null;
  if (node !== null) {
    sink.node({ node, cores: Number(found?.[2]), freqMhz: null, memoryKb: null });
  }
  let names: readonly string[] = [];
  const series = new ServiceSeries(sink, node);
  await readRows(file, {
    format: {
      delimiter: null,
      comment: "#",
      onComment: (line) => names = line.slice(1).trim().split(/\s+/),
    },
    sink,
    onRow: (row, line) => {
      if (names.length === 0) return;
      const get = (name: string): string | undefined => row[names.indexOf(name)];
      const tsMs = parseTime(get("Time"), utcOffsetMs);
      const percent = parseNumber(get("%CPU"));
      const pid = get("PID");
      if (tsMs === null || Number.isNaN(tsMs) || percent === null || pid === undefined) {
        return sink.bad(`${file.name}:${line}`, "epoch time (-H), PID and %CPU are required");
      }
      const command = row.slice(names.indexOf("Command")).join(" ");
      series.rate(`${command}-${pid}`, {
        profile: command,
        tsMs,
        cores: percent / 100,
        memoryKb: parseNumber(get("RSS")),
      });
    },
  });
  series.close();
}

/** `sadf -j -- -u -r`: a host is one service. */
async function readSadf(file: SourceFile, sink: ImportSink): Promise<void> {
  const root = asObject(asObject(await readJson(file))?.sysstat);
  for (const host of objectsIn(root?.hosts)) {
    const node = asText(host.nodename);
    const count = asNumber(host["number-of-cpus"]);
    if (node === null || count === null) {
      sink.bad("hosts", "nodename and number-of-cpus are required");
      continue;
    }
    sink.node({ node, cores: count, freqMhz: null, memoryKb: null });
    const series = new ServiceSeries(sink, node);
    for (const one of objectsIn(host.statistics)) {
      const stamp = asObject(one.timestamp);
      const zone = stamp?.utc === 1 || stamp?.utc === true ? "Z" : "";
      const tsMs = parseTime(`${stamp?.date} ${stamp?.time}${zone}`, 0);
      const all = objectsIn(one["cpu-load"]).find(({ cpu }) => cpu === "all" || cpu === "-1");
      const idle = asNumber(all?.idle);
      if (tsMs === null || Number.isNaN(tsMs) || idle === null) continue;
      const memory = asObject(one.memory);
      const cores = (100 - idle - (asNumber(all?.iowait) ?? 0)) / 100 * count;
      series.rate(node, { profile: "host", tsMs, cores, memoryKb: asNumber(memory?.memused) });
    }
    series.close();
    await sink.ready();
  }
}

function isSadf({ head }: SourceFile): boolean {
  return /^\s*\{\s*"sysstat"\s*:/.test(head);
}

/** Readings of sysstat. */
export const SYSSTAT: Importer = {
  name: "sysstat",
  title: "pidstat and sadf readings",
  source: "pidstat(1) with -h -H, sadf(1) with -j",
  says: {
    start: "the first reading",
    end: "the last reading",
    state: "always done: processes are followed, not ended",
    node: "the host that the file names",
    cpu: "sum of the readings",
    memory: "RSS, memused",
    series: "%CPU of each interval",
    hosts: "number of CPUs",
  },
  recognises: (file) => isSadf(file) || /^Linux [^\n]* CPU\)\s*\n\s*\n?#\s*Time\s/.test(file.head),
  read: async (files, sink, settings) => {
    sink.note("Processes and hosts are taken from their first reading to their last");
    for (const file of files) {
      if (isSadf(file)) await readSadf(file, sink);
      else await readPidstat(file, sink, settings);
    }
  },
};
