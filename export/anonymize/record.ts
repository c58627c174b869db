/**
 * One record without what identifies. Pure but for the tokens that it is given.
 *
 * @module
 */

import type { Field, Fields, RecordSchema } from "../../trace/schema.ts";
import { textRuleOf, timeRuleOf } from "./rules.ts";
import type { Tokens } from "./tokens.ts";

/** How often each field was changed, by field and what was done. */
export type ChangeCounts = Map<string, number>;

/** What {@linkcode anonymizeRecord} needs. */
export interface AnonymizeContext {
  /** The table of the record. */
  readonly record: RecordSchema<Fields>;
  /** Hashes and offsets. */
  readonly tokens: Tokens;
  /** Counts what was done. */
  readonly counts: ChangeCounts;
}

/** `value` with names hashed, times moved, free text removed; fields that no table has are left out. */
export function anonymizeRecord(
  value: Readonly<Record<string, unknown>>,
  context: AnonymizeContext,
): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(context.record.fields)) {
    const found = value[name];
    if (found === undefined) continue;
    result[name] = found === null ? null : changed(name, { field, found, context });
  }
  return result;
}

function changed(
  name: string,
  { field, found, context: { tokens, counts } }: {
    readonly field: Field<unknown>;
    readonly found: unknown;
    readonly context: AnonymizeContext;
  },
): unknown {
  const time = timeRuleOf(name, field);
  if (time !== null && typeof found === "number") {
    count(counts, `${name}: moved`);
    return moved(found, { time, tokens });
  }
  const rule = textRuleOf(name, field);
  if (rule === null || rule === "keep") return found;
  count(
    counts,
    `${name}: ${rule === "remove" ? "removed" : rule === "version" ? "coarsened" : "hashed"}`,
  );
  if (rule === "remove") return field.isNullable ? null : emptyOf(field);
  if (rule === "version") return /^\d+\.\d+/.exec(String(found))?.[0] ?? null;
  const replace = (text: string): string =>
    rule === "hash" ? tokens.hash(text) : tokens.hashUnlessKnown(text);
  return replaced(found, replace);
}

function moved(
  value: number,
  { time, tokens }: { readonly time: "wall" | "boot" | "ticks"; readonly tokens: Tokens },
): number {
  if (time === "ticks") return value + tokens.bootTicks;
  // Whole offsets: the decimals stay as they are.
  return Math.round((value + (time === "wall" ? tokens.wallMs : tokens.bootMs)) * 1e6) / 1e6;
}

/** Texts inside lists and maps, keys too. */
function replaced(value: unknown, replace: (text: string) => string): unknown {
  if (typeof value === "string") return replace(value);
  if (Array.isArray(value)) return value.map((one) => replaced(one, replace));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => [replace(key), replaced(one, replace)]),
  );
}

function emptyOf({ kind }: Field<unknown>): unknown {
  return kind === "list" ? [] : kind === "string" ? "" : {};
}

function count(counts: ChangeCounts, what: string): void {
  counts.set(what, (counts.get(what) ?? 0) + 1);
}
