/** Export a parsed run as tables. */

import { counted } from "../trace/counted.ts";
import { exportTables, type TablesSummary } from "../export/tables/export.ts";
import type { Parsed } from "./command/parse.ts";
import { type Io, runMain, VERSION } from "./command/main.ts";
import { openProgress } from "./command/progress.ts";
import { EXPORT_TABLES, tableFolders } from "./flags/export_tables.ts";

/** `deno task export-tables`. */
export async function main(
  { options }: Parsed<typeof EXPORT_TABLES.flags>,
  io: Io,
): Promise<number> {
  const { input, output } = tableFolders(options);
  using progress = openProgress(io, "Tables");
  const summary = await exportTables({
    input,
    output,
    format: options.format,
    version: VERSION,
    report: ({ fraction, what }) => progress.update(fraction, what),
    signal: io.signal,
  });
  for (const line of describeTables(summary)) io.say(line);
  io.say(`Wrote ${output}: tables.json describes every column`);
  if (options.json) io.print(JSON.stringify(summary));
  return 0;
}

function describeTables({ tables, bad_lines }: TablesSummary): string[] {
  return [
    ...tables.map(({ name, rows, columns }) =>
      `${name.padEnd(10)} ${counted(rows, "row")}, ${counted(columns.length, "column")}`
    ),
    ...Object.entries(bad_lines).map(([path, { torn, malformed, foreign }]) =>
      `Left out of ${path}: ${counted(torn + malformed + foreign, "line")} that ` +
      "are not records; tables.json has examples"
    ),
  ];
}

if (import.meta.main) await runMain(EXPORT_TABLES, main);
