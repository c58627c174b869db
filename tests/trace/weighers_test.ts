import { assertEquals, assertThrows } from "@std/assert";
import { parseWeigher, weigherText } from "../../trace/weighers.ts";
import { weigherOf } from "../../tasks/flags/groups/weigher.ts";
import { UsageError } from "../../tasks/command/usage_error.ts";

Deno.test("parseWeigher() takes one name as it is", () => {
  for (const name of ["", "instances", "vcpu"] as const) assertEquals(parseWeigher(name), name);
});

Deno.test("parseWeigher() takes several names with multipliers", () => {
  const terms = parseWeigher("instances:1,vcpu:-0.5");
  assertEquals(terms, [
    { weigher: "instances", multiplier: 1 },
    { weigher: "vcpu", multiplier: -0.5 },
  ]);
  assertEquals(weigherText([{ weigher: "vcpu", multiplier: 1e-7 }]), "vcpu:1e-7");
  assertEquals(parseWeigher("vcpu:1e-7"), [{ weigher: "vcpu", multiplier: 1e-7 }]);
});

const REFUSED = [
  ["cpu", 'Cannot weigh by "cpu": unknown weigher, known are instances, vcpu'],
  ["instances:1,ram:2", 'Cannot weigh by "ram": unknown weigher'],
  ["instances:1,", 'Cannot weigh by "": unknown weigher'],
  ["instances,vcpu:1", 'Cannot weigh by "instances": NAME:MULTIPLIER'],
  ["instances:", 'Cannot weigh by "instances:": NAME:MULTIPLIER'],
  ["instances:much", 'Cannot weigh by "instances:much": NAME:MULTIPLIER'],
  ["instances:Infinity", 'Cannot weigh by "instances:Infinity"'],
  ["instances:1e999", 'Cannot weigh by "instances:1e999"'],
  ["instances:1:2", 'Cannot weigh by "instances:1:2"'],
  ["vcpu:1,vcpu:2", 'Cannot weigh by "vcpu:1,vcpu:2": weigher "vcpu" is in it twice'],
] as const;

for (const [text, message] of REFUSED) {
  Deno.test(`parseWeigher() refuses "${text}"`, () => {
    assertThrows(() => parseWeigher(text), RangeError, message);
    assertThrows(
      () => weigherOf({ "weigher": text, "weigher-order": "min" }),
      UsageError,
      message,
    );
  });
}

Deno.test("weigherOf() refuses --weigher-order max beside multipliers", () => {
  const options = { "weigher": "vcpu:1", "weigher-order": "max" } as const;
  assertThrows(() => weigherOf(options), UsageError, "their signs give the order");
  assertEquals(weigherOf({ ...options, "weigher": "vcpu" }), "vcpu");
});
