/** A source made by hand, and what must become of it. */

import type { CtsNode, Invocation } from "../../../trace/cts.ts";

/** A source as files by name, and what must become of it. */
export interface ImportCase {
  readonly format: string;
  readonly what: string;
  readonly files: Readonly<Record<string, string>>;
  readonly cpuScale?: number;
  readonly invocations: readonly Partial<Invocation>[];
  readonly nodes: readonly Partial<CtsNode>[];
  /** CPU time and length of each reading, ms. */
  readonly samples?: readonly (readonly [traceId: string, cpuMs: number, dtMs: number])[];
  readonly notes?: string;
}

/** Lines of a delimited file; `~` stands for a blank inside of a value. */
export function table(delimiter: string, ...rows: readonly string[]): string {
  return `${rows.map((row) => row.split(" ").join(delimiter).replaceAll("~", " ")).join("\n")}\n`;
}

/** A time of the cases, epoch ms: 2024-01-02 12:00:00 UTC. */
export const T0 = Date.UTC(2024, 0, 2, 12);
