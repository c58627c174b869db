/**
 * JSON Schema by ajv, a validator that has nothing in common with the decoders of the records.
 *
 * @module
 */

import { Ajv2020 } from "ajv/dist/2020.js";
import type { JsonSchema } from "../../trace/schema.ts";

/** What is wrong with one value, in words; empty: it is valid. */
export type Validate = (value: unknown) => string[];

/** A validator of `schema`, which says every problem with the place inside the value. */
export function validatorOf(schema: JsonSchema): Validate {
  // Units and their like are annotations of ours.
  const ajv = new Ajv2020({ allErrors: true, strict: false });
  const validate = ajv.compile(schema);
  return (value) => {
    if (validate(value)) return [];
    return (validate.errors ?? []).filter(({ keyword }) => keyword !== "anyOf").map(
      ({ instancePath, message, params }) => {
        const allowed = (params as { readonly allowedValues?: readonly unknown[] }).allowedValues;
        const choices = allowed === undefined ? "" : `: ${allowed.join(", ")}`;
        return `${instancePath || "/"} ${message ?? "is not valid"}${choices}`;
      },
    );
  };
}
