/**
 * All tables of a run by name. Pure.
 *
 * @module
 */

import { CLOCK, COLLECTOR, HOST, NODES, PROCESSES, SAMPLES, SHARES } from "./node_tables.ts";
import { CAPACITY, PLACEMENTS } from "./queue_tables.ts";
import type { RowOf } from "./schema.ts";
import { ATTEMPTS, REQUESTS, TASKS } from "./task_tables.ts";

/** The tables, in the order in which documents list them. */
export const TABLES = {
  tasks: TASKS,
  attempts: ATTEMPTS,
  samples: SAMPLES,
  processes: PROCESSES,
  nodes: NODES,
  placements: PLACEMENTS,
  capacity: CAPACITY,
  host: HOST,
  clock: CLOCK,
  shares: SHARES,
  requests: REQUESTS,
  collector: COLLECTOR,
} as const;

/** Name of a table. */
export type TableName = keyof typeof TABLES;

/** A row of the table with this name. */
export type TableRow<N extends TableName> = RowOf<(typeof TABLES)[N]>;

/** The names, in the same order. */
export const TABLE_NAMES: readonly TableName[] = Object.keys(TABLES) as TableName[];

/** Formats that can be asked for. */
export const TABLE_FORMATS = ["parquet", "csv", "both"] as const;
/** A format that can be asked for. */
export type TableFormat = typeof TABLE_FORMATS[number];
