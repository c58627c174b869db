/**
 * `/proc/pressure/<resource>`: pressure stall information (Documentation/accounting/psi.rst).
 *
 * @module
 */

/** Time that tasks waited for a resource since boot, us; null where the kernel does not tell. */
export interface Pressure {
  /** At least one task waited. */
  readonly someUs: number | null;
  /** All tasks that were not idle waited. */
  readonly fullUs: number | null;
}

/** The totals of one resource; a file that is missing or empty gives nulls. */
export function parsePressure(text: string): Pressure {
  return { someUs: totalOf(text, "some"), fullUs: totalOf(text, "full") };
}

function totalOf(text: string, kind: string): number | null {
  const [, total] = new RegExp(`^${kind} .*\\btotal=(\\d+)$`, "m").exec(text) ?? [];
  return total === undefined ? null : Number(total);
}
