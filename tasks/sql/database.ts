/**
 * The tables of runs in DuckDB: the only module of the commands that knows it. DuckDB is native code,
 * which no grant confines, so no role loads it.
 */

import { type DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import { join } from "@std/path";
import { TABLE_NAMES } from "../../export/tables/tables.ts";
import { VIEWS } from "./views.ts";

/** What a statement gave. */
export interface QueryResult {
  /** Names of its columns. */
  readonly columns: readonly string[];
  /** True for each column of numbers. */
  readonly numeric: readonly boolean[];
  /** The rows: numbers, texts, booleans, null; times as text. */
  readonly rows: readonly (readonly Cell[])[];
}

/** A value of a result. */
export type Cell = number | string | boolean | null;

/** A statement that DuckDB refuses. */
export class SqlError extends Error {
  /** Name of the class. */
  override readonly name = "SqlError";
}

/** A run whose tables are to be queried. */
export interface RunTablesPlace {
  /** RUN_ID. */
  readonly runId: string;
  /** Folder with its parquet files. */
  readonly folder: string;
}

/** Types that hold numbers, as DuckDB names them. */
const NUMERIC = /^(U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER|FLOAT|DOUBLE|DECIMAL.*)$/;

/** A database in memory with the tables and views of runs. Dispose of it to close it. */
export class RunDatabase implements Disposable {
  readonly #instance: DuckDBInstance;
  readonly #connection: DuckDBConnection;

  private constructor(instance: DuckDBInstance, connection: DuckDBConnection) {
    this.#instance = instance;
    this.#connection = connection;
  }

  /** Open the tables of `runs`; each has a first column `run`, the RUN_ID. */
  static async open(runs: readonly RunTablesPlace[]): Promise<RunDatabase> {
    const instance = await DuckDBInstance.create(":memory:");
    const database = new RunDatabase(instance, await instance.connect());
    await database.#connection.run("SET TimeZone = 'UTC'");
    for (const name of TABLE_NAMES) {
      const parts = runs.map(({ runId, folder }) =>
        `SELECT ${quoted(runId)} AS run, * FROM read_parquet(${
          quoted(join(folder, `${name}.parquet`))
        })`
      );
      await database.#connection.run(
        `CREATE VIEW ${name} AS ${parts.join(" UNION ALL BY NAME ")}`,
      );
    }
    for (const { name, sql } of VIEWS) {
      await database.#connection.run(`CREATE VIEW ${name} AS ${sql}`);
    }
    return database;
  }

  /**
   * Run every statement of `sql`; the results of those that have one.
   *
   * @throws {SqlError} with what DuckDB says.
   */
  async *query(sql: string): AsyncGenerator<QueryResult> {
    const statements = await refusing(() => this.#connection.extractStatements(sql));
    for (let at = 0; at < statements.count; at++) {
      const reader = await refusing(async () => {
        const prepared = await statements.prepare(at);
        return await prepared.runAndReadAll();
      });
      if (reader.columnCount === 0) continue;
      const types = reader.columnTypes().map(String);
      const numeric = types.map((type) => NUMERIC.test(type));
      yield {
        columns: reader.columnNames(),
        numeric,
        rows: reader.getRowsJson().map((row) =>
          row.map((value, column) => cellOf(value, { isNumber: numeric[column] ?? false }))
        ),
      };
    }
  }

  /** Close the database. */
  [Symbol.dispose](): void {
    this.#connection.closeSync();
    this.#instance.closeSync();
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

async function refusing<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw new SqlError(error.message, { cause: error });
  }
}

/** A value as DuckDB writes it in JSON: whole numbers of 64 bits and decimals come as text. */
function cellOf(value: unknown, { isNumber }: { readonly isNumber: boolean }): Cell {
  if (value === null || typeof value === "number" || typeof value === "boolean") return value;
  if (typeof value !== "string") return JSON.stringify(value);
  const number = Number(value);
  const isExact = !Number.isInteger(number) || Number.isSafeInteger(number);
  return isNumber && isExact && !Number.isNaN(number) ? number : value;
}
