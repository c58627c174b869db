/** Query the tables of runs with DuckDB. */

import { newestRunId } from "../export/cts/run_folders.ts";
import { TABLE_NAMES } from "../export/tables/tables.ts";
import { CommandError, type Io, runMain } from "./command/main.ts";
import type { OptionsOf } from "./command/flag_table.ts";
import type { Parsed } from "./command/parse.ts";
import { UsageError } from "./command/usage_error.ts";
import { runFolder } from "./flags/groups/saved_runs.ts";
import { SQL } from "./flags/sql.ts";
import { RunDatabase, SqlError } from "./sql/database.ts";
import { resultLines } from "./sql/output.ts";
import { ensureTables } from "./sql/tables.ts";
import { VIEWS } from "./sql/views.ts";

type Options = OptionsOf<typeof SQL.flags>;

/** `deno task sql`. */
export async function main(
  { options, operands }: Parsed<typeof SQL.flags>,
  io: Io,
): Promise<number> {
  if (operands.length > 1) throw new UsageError("one SQL text is taken: put it in quotes");
  const [sql = null] = operands;
  if (sql !== null && options.file !== null) throw new UsageError("SQL or --file, not both");
  const given = options.file === null ? sql : await Deno.readTextFile(options.file);
  using database = await openDatabase(options, io);
  if (given !== null) await run(database, given, { options, io });
  else if (Deno.stdin.isTerminal()) await converse(database, { options, io });
  else await run(database, await new Response(Deno.stdin.readable).text(), { options, io });
  return 0;
}

async function openDatabase(options: Options, io: Io): Promise<RunDatabase> {
  const named = options.input ?? options["run-id"] ?? await newestRunId(options.logs);
  if (named === null) {
    throw new CommandError(`there is no run in "${options.logs}"; give --input, or LOGS_DIR`);
  }
  const places = [];
  for (const name of named.split(",")) {
    places.push(await ensureTables(runFolder(name, options), io));
  }
  return await RunDatabase.open(places);
}

interface Context {
  readonly options: Options;
  readonly io: Io;
}

async function run(
  database: RunDatabase,
  sql: string,
  { options, io }: Context,
): Promise<void> {
  try {
    for await (const result of database.query(sql)) {
      for (const line of resultLines(result, options.format)) io.print(line);
    }
  } catch (error) {
    if (!(error instanceof SqlError)) throw error;
    throw new CommandError(error.message, { cause: error });
  }
}

/** Statements from a terminal, each ended by a semicolon, until the end of input or `.exit`. */
async function converse(database: RunDatabase, { options, io }: Context): Promise<void> {
  io.say(`Tables: ${TABLE_NAMES.join(", ")}`);
  io.say(`Views: ${VIEWS.map(({ name }) => name).join(", ")}`);
  io.say("End a statement with ; and the session with .exit");
  let text = "";
  for (;;) {
    const line = prompt(text === "" ? "sql>" : "...>");
    if (line === null || line.trim() === ".exit") return;
    text += `${line}\n`;
    if (!line.trimEnd().endsWith(";")) continue;
    try {
      await run(database, text, { options, io });
    } catch (error) {
      // A mistake in one statement does not end the session.
      if (!(error instanceof CommandError)) throw error;
      io.say(error.message);
    }
    text = "";
  }
}

if (import.meta.main) await runMain(SQL, main);
