/**
 * A record as data: each field's type, unit and meaning are in one table, and from the table come
 * the TypeScript type, the decoder and the reference in the documents.
 *
 * Unknown is `null`: a field declared `nullable` is always present after decoding, and a missing one
 * reads as null. Fields that the table does not name are kept, so that a newer writer's record passes
 * through an older reader unharmed.
 *
 * @module
 */

/** Units that a field may carry; those in the name of a field must agree with this one. */
export type Unit =
  | "epoch_ms"
  | "ms"
  | "us"
  | "ns"
  | "s"
  | "ticks"
  | "kb"
  | "bytes"
  | "mb"
  | "mhz"
  | "percent"
  | "count"
  | "vcpu";

/** What a field holds, before its bounds: what a column or a JSON Schema is made from. */
export type FieldKind = "number" | "integer" | "string" | "boolean" | "list" | "map" | "record";

/** A JSON Schema, or a part of one. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** One field of a record: its check, unit and meaning. */
export interface Field<T> {
  /** What the field holds. */
  readonly kind: FieldKind;
  /** Its constraints in the words of JSON Schema 2020-12, null aside. */
  readonly json: JsonSchema;
  /** What a valid value is, in words: it completes "… is required". */
  readonly expected: string;
  /** True when `value` is valid; null and missing are handled apart. */
  readonly accepts: (value: unknown) => boolean;
  /** What is wrong inside a value that is not accepted; null: {@linkcode expected} says it all. */
  readonly explain?: (value: unknown) => string | null;
  /** True when null (or a missing field) is valid. */
  readonly isNullable: boolean;
  /** Unit of the value, null for a value without one. */
  readonly unit: Unit | null;
  /** What the field means, one sentence. */
  readonly doc: string;
  /** Phantom of the field's type: never set. */
  readonly type?: T;
}

/** Options that every field takes. */
export interface FieldOptions {
  /** What the field means, one sentence. */
  readonly doc: string;
  /** Unit of the value. */
  readonly unit?: Unit;
}

/** Options of a numeric field. */
export interface NumberOptions extends FieldOptions {
  /** Smallest valid value, in the field's unit. Default: no bound. */
  readonly min?: number;
  /** Largest valid value, in the field's unit. Default: no bound. */
  readonly max?: number;
}

/** A record that does not have the shape its file promises. */
export class DecodeError extends TypeError {
  /** Name of the class, as messages show it. */
  override readonly name = "DecodeError";
}

function bounds({ min, max }: NumberOptions): string {
  if (min !== undefined && max !== undefined) return ` from ${min} to ${max}`;
  if (min !== undefined) return ` of at least ${min}`;
  return max === undefined ? "" : ` of at most ${max}`;
}

function inBounds(value: number, { min, max, unit }: NumberOptions): boolean {
  return (min === undefined || value >= min) && (max === undefined || value <= max) &&
    Math.abs(value) <= largestOf(unit) && (unit !== "epoch_ms" || value >= 0);
}

/**
 * Largest magnitude of a value in `unit`. Times are added up in whole µs, and a double holds those exactly
 * up to 285 years: an epoch time is good until 2255. What is larger was never measured.
 */
export function largestOf(unit: Unit | undefined): number {
  if (unit === "s") return Number.MAX_SAFE_INTEGER / 1e6;
  if (unit === "ms" || unit === "epoch_ms") return Number.MAX_SAFE_INTEGER / 1e3;
  return Number.MAX_SAFE_INTEGER;
}

function jsonBounds({ min, max }: NumberOptions): JsonSchema {
  return {
    ...min === undefined ? {} : { minimum: min },
    ...max === undefined ? {} : { maximum: max },
  };
}

/** `field` as a JSON Schema with unit and meaning; a nullable one accepts null too. */
function jsonOf({ json, isNullable, unit, doc }: Field<unknown>): JsonSchema {
  return {
    description: doc,
    ...unit === null ? {} : { "x-unit": unit },
    ...isNullable ? { anyOf: [json, { type: "null" }] } : json,
  };
}

/**
 * The object that `fields` describe, as a JSON Schema. Fields that may be null may be missing, and fields
 * that the table does not name are valid: a newer version writes them.
 */
export function jsonOfRecord(fields: Fields): JsonSchema {
  const entries = Object.entries(fields);
  return {
    type: "object",
    properties: Object.fromEntries(entries.map(([name, field]) => [name, jsonOf(field)])),
    required: entries.filter(([, { isNullable }]) => !isNullable).map(([name]) => name),
  };
}

/** A finite number. */
export function number(options: NumberOptions): Field<number> {
  return {
    kind: "number",
    json: { type: "number", ...jsonBounds(options) },
    expected: `a number${bounds(options)}`,
    accepts: (value) => typeof value === "number" && inBounds(value, options),
    isNullable: false,
    unit: options.unit ?? null,
    doc: options.doc,
  };
}

/** Whole numbers that a double holds exactly. */
const SAFE_INTEGERS = { min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER };

/** A whole number that a double holds exactly. */
export function integer(options: NumberOptions): Field<number> {
  return {
    kind: "integer",
    json: { type: "integer", ...jsonBounds({ ...SAFE_INTEGERS, ...options }) },
    expected: `an integer${bounds(options)}`,
    accepts: (value) => Number.isSafeInteger(value) && inBounds(value as number, options),
    isNullable: false,
    unit: options.unit ?? null,
    doc: options.doc,
  };
}

/** A string, by default of any length and content. */
export function string(
  options: FieldOptions & { readonly pattern?: RegExp; readonly expected?: string },
): Field<string> {
  const { pattern } = options;
  return {
    kind: "string",
    json: { type: "string", ...pattern === undefined ? {} : { pattern: pattern.source } },
    expected: options.expected ?? (pattern ? `a string like ${pattern}` : "a string"),
    accepts: (value) => typeof value === "string" && (!pattern || pattern.test(value)),
    isNullable: false,
    unit: null,
    doc: options.doc,
  };
}

/** True or false. */
export function boolean(options: FieldOptions): Field<boolean> {
  return {
    kind: "boolean",
    json: { type: "boolean" },
    expected: "true or false",
    accepts: (value) => typeof value === "boolean",
    isNullable: false,
    unit: null,
    doc: options.doc,
  };
}

/** One of a few words. */
export function oneOf<const T extends string>(
  choices: readonly T[],
  options: FieldOptions,
): Field<T> {
  return {
    kind: "string",
    json: { enum: [...choices] },
    expected: `one of ${choices.join(", ")}`,
    accepts: (value) => choices.includes(value as T),
    isNullable: false,
    unit: null,
    doc: options.doc,
  };
}

/** A list whose items all satisfy `item`. */
export function list<T>(item: Field<T>, options: FieldOptions): Field<readonly T[]> {
  return {
    kind: "list",
    json: { type: "array", items: jsonOf(item) },
    expected: `a list, each item ${item.expected}`,
    accepts: (value) => Array.isArray(value) && value.every((one) => item.accepts(one)),
    isNullable: false,
    unit: options.unit ?? null,
    doc: options.doc,
  };
}

/** An object whose values all satisfy `value`: a map by name. */
export function mapOf<T>(
  value: Field<T>,
  options: FieldOptions,
): Field<Readonly<Record<string, T>>> {
  return {
    kind: "map",
    json: { type: "object", additionalProperties: jsonOf(value) },
    expected: `an object, each value ${value.expected}`,
    accepts: (candidate) =>
      isObject(candidate) && Object.values(candidate).every((one) => value.accepts(one)),
    isNullable: false,
    unit: options.unit ?? null,
    doc: options.doc,
  };
}

/** An object that satisfies the record `schema`. */
export function nested<F extends Fields>(
  schema: RecordSchema<F>,
  options: FieldOptions,
): Field<RecordOf<RecordSchema<F>>> {
  return {
    kind: "record",
    json: jsonOfRecord(schema.fields),
    expected: `an object with ${Object.keys(schema.fields).join(", ")}`,
    accepts: (value) => isObject(value) && schema.firstProblem(value) === null,
    explain: (value) => isObject(value) ? schema.firstProblem(value) : null,
    isNullable: false,
    unit: null,
    doc: options.doc,
  };
}

/** The same field, or null where it is not known. */
export function nullable<T>(field: Field<T>): Field<T | null> {
  return { ...field, expected: `${field.expected} or null`, isNullable: true } as Field<T | null>;
}

/** The fields of a record by name, in the order in which they are written. */
// deno-lint-ignore no-explicit-any -- a record's fields have any types
export type Fields = Readonly<Record<string, Field<any>>>;

/** The TypeScript type that a record's table describes. */
export type RecordOf<S> = S extends RecordSchema<infer F>
  ? { -readonly [K in keyof F]: F[K] extends Field<infer T> ? T : never }
  : never;

/** A record's table with its decoder. */
export interface RecordSchema<F extends Fields> {
  /** Name of the record, as errors and documents call it. */
  readonly name: string;
  /** The fields. */
  readonly fields: F;
  /** The first thing wrong with `value`, in words, or null; a missing nullable field is set to null. */
  readonly firstProblem: (value: Record<string, unknown>) => string | null;
  /**
   * `value` as this record.
   *
   * @param where Where the value is ("path:line"), for the error.
   * @throws {DecodeError} naming place, field, what is required and what was found.
   */
  readonly decode: (value: unknown, where: string) => RecordOf<RecordSchema<F>>;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** `value` as an error may quote it: JSON, cut at 80 characters. */
export function quote(value: unknown): string {
  const text = value === undefined ? "nothing" : JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

/** The record `name` with the given table of fields. */
export function record<const F extends Fields>(name: string, fields: F): RecordSchema<F> {
  const entries = Object.entries(fields);
  function firstProblem(value: Record<string, unknown>): string | null {
    for (const [key, field] of entries) {
      const found = value[key];
      if (found === null || found === undefined) {
        if (!field.isNullable) {
          return `field "${key}": ${field.expected} is required, got ${quote(found)}`;
        }
        value[key] = null;
      } else if (!field.accepts(found)) {
        const inside = field.explain?.(found) ?? null;
        if (inside !== null) return `field "${key}", ${inside}`;
        return `field "${key}": ${field.expected} is required, got ${quote(found)}`;
      }
    }
    return null;
  }
  function decode(value: unknown, where: string): RecordOf<RecordSchema<F>> {
    if (!isObject(value)) {
      throw new DecodeError(
        `Cannot decode ${name} at ${where}: an object is required, got ${quote(value)}`,
      );
    }
    const problem = firstProblem(value);
    if (problem !== null) throw new DecodeError(`Cannot decode ${name} at ${where}: ${problem}`);
    return value as RecordOf<RecordSchema<F>>;
  }
  return { name, fields, firstProblem, decode };
}
