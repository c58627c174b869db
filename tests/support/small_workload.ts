/** Small workloads for tests: one that is right, and changes that break it. */

import { join } from "@std/path";
import { type Column, FRAGMENT_COLUMNS, TASK_COLUMNS } from "../../export/opendc/schema.ts";
import { type ColumnValues, writeParquet } from "../../export/parquet.ts";
import type { VerifyReport } from "../../export/verify/verify.ts";

/** Names of the checks that fail. */
export function failuresOf({ checks }: VerifyReport): string[] {
  return checks.filter(({ status }) => status === "fail").map(({ id }) => id);
}

/** What a check says. */
export function reasonOf({ checks }: VerifyReport, id: string): string {
  return checks.find((check) => check.id === id)?.reason ?? "";
}

/** A small workload that is right, as columns that a case may change. */
function goodTasks(): Record<string, ColumnValues> {
  return {
    id: Int32Array.of(1, 2),
    submission_time: BigInt64Array.of(1_756_728_000_000n, 1_756_728_001_000n),
    duration: BigInt64Array.of(300n, 100n),
    cpu_count: Int32Array.of(1, 2),
    cpu_capacity: Float64Array.of(2400, 4800),
    mem_capacity: BigInt64Array.of(100_000n, 200_000n),
    name: ["one", "two"],
    num_fragments: Int32Array.of(2, 1),
  };
}

function goodFragments(): Record<string, ColumnValues> {
  return {
    id: Int32Array.of(1, 1, 2),
    duration: BigInt64Array.of(200n, 100n, 100n),
    cpu_usage: Float64Array.of(2400, 0, 4800),
  };
}

async function write(
  path: string,
  { columns, values }: {
    readonly columns: readonly Column[];
    readonly values: Record<string, ColumnValues>;
  },
): Promise<void> {
  const present = columns.filter(({ name }) => name in values);
  const ordered = present.map(({ name }) => values[name] ?? []);
  await writeParquet(path, {
    columns: present,
    compression: "zstd",
    createdBy: "test",
    batches: [{ length: ordered[0]?.length ?? 0, values: ordered }],
  });
}

/** How a workload differs from the one that is right. */
export interface Change {
  readonly tasks?: Record<string, ColumnValues>;
  readonly fragments?: Record<string, ColumnValues>;
  readonly taskColumns?: readonly Column[];
  readonly fragmentColumns?: readonly Column[];
  readonly without?: string;
}

/** Write the workload into `folder`. */
export async function writeWorkload(folder: string, change: Change = {}): Promise<void> {
  const tasks = { ...goodTasks(), ...change.tasks };
  const fragments = { ...goodFragments(), ...change.fragments };
  if (change.without !== undefined) {
    delete tasks[change.without];
    delete fragments[change.without];
  }
  await write(join(folder, "tasks.parquet"), {
    columns: change.taskColumns ?? TASK_COLUMNS,
    values: tasks,
  });
  await write(join(folder, "fragments.parquet"), {
    columns: change.fragmentColumns ?? FRAGMENT_COLUMNS,
    values: fragments,
  });
}

/** The columns with one of them declared otherwise. */
export function altered(
  columns: readonly Column[],
  name: string,
  change: Partial<Column>,
): readonly Column[] {
  return columns.map((column) => column.name === name ? { ...column, ...change } : column);
}
