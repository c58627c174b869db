import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { forwardedHeaders, requestHeaders, valuesOf } from "../../../adapter/http/headers.ts";

const CONTEXT = {
  traceId: "0af7651916cd43dd8448eb211c80319c",
  spanId: "00f067aa0ba902b7",
  parentId: "b7ad6b7169203331",
  flags: "01",
};
const OWN = `00-${CONTEXT.traceId}-${CONTEXT.spanId}-01`;

Deno.test("requestHeaders() puts its traceparent where one was, in its spelling", () => {
  assertEquals(
    requestHeaders(["A", "1", "TraceParent", "old", "B", "2", "tracestate", "k=v"], {
      context: CONTEXT,
      isUpgrade: false,
    }),
    ["A", "1", "TraceParent", OWN, "B", "2", "tracestate", "k=v"],
  );
});

Deno.test("requestHeaders() adds its traceparent last, and ends a tracestate without a trace", () => {
  assertEquals(
    requestHeaders(["A", "1", "Tracestate", "k=v"], {
      context: { ...CONTEXT, parentId: null },
      isUpgrade: false,
    }),
    ["A", "1", "traceparent", OWN],
  );
});

Deno.test("requestHeaders() leaves one traceparent of two", () => {
  const headers = ["traceparent", "one", "traceparent", "two"];
  const passed = requestHeaders(headers, { context: CONTEXT, isUpgrade: false });
  assertEquals(passed, ["traceparent", OWN]);
});

const CASES = [
  {
    does: "passes a connection that ends on",
    headers: ["Connection", "close"],
    passed: ["Connection", "close"],
  },
  {
    does: "ends headers that Connection lists, however they are spelled",
    headers: ["connection", "X-One , x-TWO", "X-ONE", "1", "x-two", "2", "X-Three", "3"],
    passed: ["X-Three", "3"],
  },
  {
    does: "keeps what Connection says about the connection",
    headers: ["Connection", "Keep-Alive, X-Hop", "Keep-Alive", "timeout=5", "X-Hop", "1"],
    passed: ["Connection", "Keep-Alive", "Keep-Alive", "timeout=5"],
  },
  {
    does: "does not let Connection take frame and host away",
    headers: ["Connection", "content-length, host, transfer-encoding", "Host", "x"],
    passed: ["Host", "x"],
  },
  {
    does: "ends Proxy-Connection",
    headers: ["Proxy-Connection", "keep-alive", "A", "1"],
    passed: ["A", "1"],
  },
] as const;

Deno.test.each(CASES)("forwardedHeaders() $does", ({ headers, passed }) => {
  assertEquals(forwardedHeaders(headers), [...passed]);
});

Deno.test("forwardedHeaders() passes Upgrade on only where it is wanted", () => {
  const headers = [
    "Upgrade",
    "h2c",
    "Connection",
    "Upgrade, HTTP2-Settings",
    "HTTP2-Settings",
    "A",
  ];
  assertEquals(forwardedHeaders(headers), ["Upgrade", "h2c", "Connection", "Upgrade"]);
  assertEquals(forwardedHeaders(headers, { isUpgrade: false }), []);
});

Deno.test("forwardedHeaders() changes nothing where nothing belongs to the connection", () => {
  const name = fc.stringMatching(/^[A-Za-z][A-Za-z0-9-]{0,10}$/)
    .filter((one) => !/^(connection|proxy-connection)$/i.test(one));
  const header = fc.tuple(name, fc.string()).map(([one, value]) => [one, value]);
  fc.assert(fc.property(fc.array(header), (list) => {
    assertEquals(forwardedHeaders(list.flat()), list.flat());
  }));
});

Deno.test("valuesOf() finds every value, in order", () => {
  assertEquals(valuesOf(["A", "1", "b", "2", "a", "3", "c", "a"], "a"), ["1", "3"]);
});
