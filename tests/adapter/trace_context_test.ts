import { assertEquals, assertMatch } from "@std/assert";
import { contextOf, traceparentOf } from "../../adapter/trace_context.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const PARENT = "b7ad6b7169203331";

function sevens(digits: number): string {
  return "7".repeat(digits);
}

const KEPT = [
  { what: "a trace", value: `00-${TRACE}-${PARENT}-01`, flags: "01" },
  { what: "a trace that is not sampled", value: `00-${TRACE}-${PARENT}-00`, flags: "00" },
  { what: "a trace with a random id", value: `00-${TRACE}-${PARENT}-03`, flags: "03" },
  { what: "a trace without flags of the future", value: `00-${TRACE}-${PARENT}-ff`, flags: "03" },
  { what: "blanks around it out", value: ` 00-${TRACE}-${PARENT}-01\t`, flags: "01" },
  {
    what: "a trace of a later version",
    value: `cc-${TRACE}-${PARENT}-01-what-is-new`,
    flags: "01",
  },
] as const;

Deno.test.each(KEPT)("contextOf() keeps $what", ({ value, flags }) => {
  const context = contextOf([value], sevens);
  assertEquals(context, { traceId: TRACE, spanId: sevens(16), parentId: PARENT, flags });
  assertEquals(traceparentOf(context), `00-${TRACE}-${sevens(16)}-${flags}`);
});

const BEGUN = [
  { what: "nothing", values: [] },
  { what: "an empty header", values: [""] },
  { what: "two headers", values: [`00-${TRACE}-${PARENT}-01`, `00-${TRACE}-${PARENT}-01`] },
  { what: "upper case", values: [`00-${TRACE.toUpperCase()}-${PARENT}-01`] },
  { what: "no trace", values: [`00-${"0".repeat(32)}-${PARENT}-01`] },
  { what: "no parent", values: [`00-${TRACE}-${"0".repeat(16)}-01`] },
  { what: "the version that is forbidden", values: [`ff-${TRACE}-${PARENT}-01`] },
  { what: "more behind version 00", values: [`00-${TRACE}-${PARENT}-01-x`] },
  { what: "a short trace", values: [`00-${TRACE.slice(1)}-${PARENT}-01`] },
  { what: "no flags", values: [`00-${TRACE}-${PARENT}`] },
] as const;

Deno.test.each(BEGUN)("contextOf() begins a trace for $what", ({ values }) => {
  const context = contextOf(values, sevens);
  assertEquals(context, {
    traceId: sevens(32),
    spanId: sevens(16),
    parentId: null,
    flags: "03",
  });
  assertMatch(traceparentOf(context), /^00-7{32}-7{16}-03$/);
});
