/** Reads workloads in tests with DuckDB, which shares no code with what writes or verifies them. */

import { DuckDBInstance } from "@duckdb/node-api";
import { join } from "@std/path";

/** Rows of a query, integers as numbers. */
export async function query(sql: string): Promise<Record<string, unknown>[]> {
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  try {
    const reader = await connection.runAndReadAll(sql);
    return reader.getRowObjectsJS().map((row) =>
      Object.fromEntries(
        Object.entries(row).map(([name, value]) => [
          name,
          typeof value === "bigint" ? Number(value) : value,
        ]),
      )
    );
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

/** `tasks.parquet` of a folder, in the order of the file. */
export function readTasks(folder: string): Promise<Record<string, unknown>[]> {
  return query(`
    SELECT id, epoch_ms(submission_time) AS submission_time, duration, cpu_count, cpu_capacity,
      mem_capacity, name, num_fragments FROM '${join(folder, "tasks.parquet")}'`);
}

/** `fragments.parquet` of a folder, in the order of the file. */
export function readFragments(folder: string): Promise<Record<string, unknown>[]> {
  return query(`SELECT * FROM '${join(folder, "fragments.parquet")}'`);
}
