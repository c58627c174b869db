/** The part of JSON Schema (2020-12) that this project's schemas use, as a judge apart from the code. */

interface Schema {
  readonly $ref?: string;
  readonly anyOf?: readonly Schema[];
  readonly enum?: readonly unknown[];
  readonly type?: string;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly items?: Schema;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly propertyNames?: Schema;
  readonly additionalProperties?: Schema | boolean;
}

/** Words that only describe, or that are looked up. */
const ANNOTATIONS = ["$schema", "$id", "$defs", "title", "description"];

/** Every word that {@linkcode isValid} understands. */
const WORDS = [
  "$ref",
  "anyOf",
  "enum",
  "type",
  "pattern",
  "minimum",
  "maximum",
  "minItems",
  "items",
  "required",
  "properties",
  "propertyNames",
  "additionalProperties",
];

/** True when `value` satisfies `root`. */
export function isValid(value: unknown, root: object): boolean {
  return accepts(value, root as Schema, root);
}

function accepts(value: unknown, schema: Schema, root: object): boolean {
  for (const word of Object.keys(schema)) {
    if (!WORDS.includes(word) && !ANNOTATIONS.includes(word)) {
      throw new Error(`This judge does not know the word ${word}`);
    }
  }
  if (schema.$ref !== undefined && !accepts(value, lookUp(schema.$ref, root), root)) return false;
  if (schema.anyOf && !schema.anyOf.some((one) => accepts(value, one, root))) return false;
  if (schema.enum && !schema.enum.includes(value)) return false;
  if (schema.type !== undefined && !hasType(value, schema.type)) return false;
  if (typeof value === "string" && schema.pattern !== undefined) {
    if (!new RegExp(schema.pattern, "u").test(value)) return false;
  }
  if (typeof value === "number") {
    if (value < (schema.minimum ?? -Infinity) || value > (schema.maximum ?? Infinity)) return false;
  }
  if (Array.isArray(value)) {
    if (value.length < (schema.minItems ?? 0)) return false;
    const { items } = schema;
    return items === undefined || value.every((one) => accepts(one, items, root));
  }
  return !isObject(value) || acceptsObject(value, schema, root);
}

function acceptsObject(value: Record<string, unknown>, schema: Schema, root: object): boolean {
  if (schema.required?.some((key) => !(key in value))) return false;
  return Object.entries(value).every(([key, one]) => {
    if (schema.propertyNames && !accepts(key, schema.propertyNames, root)) return false;
    const own = schema.properties?.[key];
    if (own !== undefined) return accepts(one, own, root);
    const { additionalProperties: other = true } = schema;
    return typeof other === "boolean" ? other : accepts(one, other, root);
  });
}

function lookUp(ref: string, root: object): Schema {
  const found = ref.split("/").slice(1)
    .reduce<unknown>((place, key) => isObject(place) ? place[key] : undefined, root);
  if (!isObject(found)) throw new Error(`There is no ${ref}`);
  return found;
}

function hasType(value: unknown, type: string): boolean {
  switch (type) {
    case "object":
      return isObject(value);
    case "array":
      return Array.isArray(value);
    case "integer":
      return Number.isInteger(value);
    case "number":
      return typeof value === "number";
    case "string":
      return typeof value === "string";
    default:
      throw new Error(`This judge does not know the type ${type}`);
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
