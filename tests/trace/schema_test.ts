import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  boolean,
  DecodeError,
  type Field,
  integer,
  list,
  mapOf,
  nested,
  nullable,
  number,
  oneOf,
  quote,
  record,
  string,
} from "../../trace/schema.ts";

const doc = "A field.";

interface Case {
  readonly name: string;
  // deno-lint-ignore no-explicit-any -- fields of any type are tried
  readonly field: Field<any>;
  readonly accepted: readonly unknown[];
  readonly refused: readonly unknown[];
}

const CASES: readonly Case[] = [
  {
    name: "number()",
    field: number({ doc, min: 0, max: 10 }),
    accepted: [0, -0, 0.5, 10],
    refused: [-0.001, 10.001, NaN, Infinity, "1", true, {}, []],
  },
  {
    name: "number() without bounds",
    field: number({ doc }),
    accepted: [0, -1e15],
    refused: [NaN, Infinity, -Infinity, "1", 1e300, -1e300],
  },
  {
    name: "number() of a time that whole µs can hold",
    field: number({ doc, unit: "ms" }),
    accepted: [0.001, 9e12, -9e12],
    refused: [1e13, -1e13],
  },
  {
    name: "number() of an epoch time",
    field: number({ doc, unit: "epoch_ms" }),
    accepted: [0, 1_756_728_000_000.25],
    refused: [-1, 1e13],
  },
  {
    name: "integer()",
    field: integer({ doc, min: 1 }),
    accepted: [1, 2, Number.MAX_SAFE_INTEGER],
    refused: [0, 1.5, Number.MAX_SAFE_INTEGER + 1, NaN, "1"],
  },
  { name: "string()", field: string({ doc }), accepted: ["", "ä\n"], refused: [1, {}, ["a"]] },
  {
    name: "string() with a pattern",
    field: string({ doc, pattern: /^[a-z]{1,3}$/ }),
    accepted: ["a", "abc"],
    refused: ["", "abcd", "A", "a\n"],
  },
  { name: "boolean()", field: boolean({ doc }), accepted: [true, false], refused: [0, 1, "true"] },
  {
    name: "oneOf()",
    field: oneOf(["h264", "hevc"], { doc }),
    accepted: ["h264", "hevc"],
    refused: ["", "H264", "toString", 0],
  },
  {
    name: "list()",
    field: list(integer({ doc }), { doc }),
    accepted: [[], [1, 2]],
    refused: [[1, "2"], [null], { length: 0 }, "12"],
  },
  {
    name: "mapOf()",
    field: mapOf(string({ doc }), { doc }),
    accepted: [{}, { a: "1" }],
    refused: [{ a: 1 }, ["a"], "a"],
  },
];

for (const { name, field, accepted, refused } of CASES) {
  Deno.test(`${name} accepts what it promises and nothing else`, () => {
    const schema = record("case", { it: field });
    for (const it of accepted) assertEquals(schema.firstProblem({ it }), null, quote(it));
    for (const it of refused) {
      assertEquals(
        schema.firstProblem({ it }),
        `field "it": ${field.expected} is required, got ${quote(it)}`,
      );
    }
  });
}

const POINT = record("point", {
  x: integer({ doc, min: 0 }),
  y: nullable(integer({ doc, min: 0 })),
});

Deno.test("record() decodes a missing nullable field as null", () => {
  assertEquals(POINT.decode({ x: 1 }, "here"), { x: 1, y: null });
});

Deno.test("record() keeps fields that it does not know", () => {
  const value = { x: 1, y: 2, newer: { deep: true } };
  assertStrictEquals(POINT.decode(value, "here") as unknown, value);
});

Deno.test("record() names place, field, requirement and value in its error", () => {
  const error = assertThrows(() => POINT.decode({ x: -1, y: 0 }, "a.jsonl:7"), DecodeError);
  assertEquals(
    error.message,
    'Cannot decode point at a.jsonl:7: field "x": an integer of at least 0 is required, got -1',
  );
  const missing = assertThrows(() => POINT.decode({}, "a.jsonl:8"), DecodeError);
  assertEquals(
    missing.message,
    'Cannot decode point at a.jsonl:8: field "x": an integer of at least 0 is required, got nothing',
  );
});

Deno.test("record() refuses what is not an object", () => {
  for (const value of [null, undefined, 1, "x", [], [{ x: 1 }]]) {
    assertThrows(() => POINT.decode(value, "here"), DecodeError, "an object is required");
  }
});

Deno.test("nested() tells which inner field is wrong", () => {
  const LINE = record("line", { from: nested(POINT, { doc }), to: nested(POINT, { doc }) });
  assertEquals(
    LINE.firstProblem({ from: { x: 0 }, to: { x: "0" } }),
    'field "to", field "x": an integer of at least 0 is required, got "0"',
  );
  assertEquals(
    LINE.firstProblem({ from: 3, to: { x: 0 } }),
    'field "from": an object with x, y is required, got 3',
  );
  assertEquals(LINE.decode({ from: { x: 0 }, to: { x: 1 } }, "here").to, { x: 1, y: null });
});

Deno.test("quote() cuts long values and has a word for what is missing", () => {
  assertEquals(quote("x".repeat(300)).length, 80);
  assertEquals(quote(undefined), "nothing");
});

Deno.test("decode() gives back any valid record unchanged, and refuses it with one field broken", () => {
  const valid = fc.record({ x: fc.nat(), y: fc.option(fc.nat()) });
  fc.assert(fc.property(valid, (value) => {
    assertEquals(POINT.decode(structuredClone(value), "here"), value);
    assertThrows(() => POINT.decode({ ...value, x: `${value.x}` }, "here"), DecodeError);
  }));
});
