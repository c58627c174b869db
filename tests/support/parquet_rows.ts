/** Parquet and CSV files as DuckDB reads them: a reader that has nothing in common with our writers. */

import { DuckDBInstance } from "@duckdb/node-api";

/** A row by column: times as epoch ms, integers as numbers. */
export type FoundRow = Readonly<Record<string, unknown>>;

/** The rows of `sql`, in order. */
export async function query(sql: string): Promise<FoundRow[]> {
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  try {
    await connection.run("SET TimeZone = 'UTC'");
    return (await connection.runAndReadAll(sql)).getRowObjectsJS();
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

/** The rows of the parquet file `path`, in order. */
export async function parquetRows(path: string): Promise<FoundRow[]> {
  const columns = await query(`DESCRIBE SELECT * FROM '${path}'`);
  const selected = columns.map(({ column_name, column_type }) => {
    const name = `"${column_name}"`;
    if (column_type === "BIGINT") return `${name}::DOUBLE AS ${name}`;
    return column_type === "TIMESTAMP WITH TIME ZONE"
      ? `epoch_us(${name}) / 1000.0 AS ${name}`
      : name;
  });
  return await query(`SELECT ${selected.join(", ")} FROM read_parquet('${path}')`);
}
