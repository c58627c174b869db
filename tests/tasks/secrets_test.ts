import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { redactArguments } from "../../tasks/command/secrets.ts";

const CASES: readonly [given: string, left: string, password: string | null][] = [
  ["redis://:Wsr123@10.0.0.5:6379/0", "redis://10.0.0.5:6379/0", "Wsr123"],
  ["--redis=redis://:Wsr123@10.0.0.5:6379/0", "--redis=redis://10.0.0.5:6379/0", "Wsr123"],
  ["REDIS_URL=rediss://ann:p%40ss@h", "REDIS_URL=rediss://ann@h:6379/0", "p@ss"],
  ["redis://h:6379/0?password=Wsr123", "redis://h:6379/0", "Wsr123"],
  ["redis://h:6379/0", "redis://h:6379/0", null],
  ["--json", "--json", null],
];

for (const [given, left, password] of CASES) {
  Deno.test(`redactArguments() leaves ${left} of ${given}`, () => {
    assertEquals(redactArguments(["--x", given, "--y"]), { args: ["--x", left, "--y"], password });
  });
}

Deno.test("redactArguments() keeps the password that counts, the last one", () => {
  const args = ["--redis", "redis://:a@h", "--redis", "redis://:b@h"];
  assertEquals(redactArguments(args).password, "b");
});

Deno.test("redactArguments() refuses a broken URL without repeating it", () => {
  const error = assertThrows(() => redactArguments(["redis://:se/cret@h:x/y"]), RangeError);
  assert(!error.message.includes("cret"), error.message);
});

Deno.test("redactArguments() leaves no trace of any password", () => {
  const url = fc.constantFrom("redis://:PASSWORD@h/0", "--redis=redis://h/0?password=PASSWORD");
  const long = fc.string({ unit: "grapheme", minLength: 8 });
  fc.assert(fc.property(url, long, (template, password) => {
    const encoded = encodeURIComponent(password);
    const redacted = redactArguments([template.replace("PASSWORD", () => encoded)]);
    assertEquals(redacted.password, password);
    assert(!redacted.args.join().includes(encoded));
  }));
});
