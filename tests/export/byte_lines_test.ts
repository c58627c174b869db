import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import fc from "fast-check";
import { ByteLines } from "../../export/byte_lines.ts";
import { tempFolder } from "../support/temp_folder.ts";

async function written(write: (lines: ByteLines) => void): Promise<string> {
  await using folder = await tempFolder();
  const path = join(folder.path, "lines");
  using lines = await ByteLines.create(path);
  write(lines);
  await lines.sync();
  return await Deno.readTextFile(path);
}

Deno.test("ByteLines.milliseconds() writes µs as JSON writes the same number of ms", async () => {
  const us = fc.oneof(fc.nat(2 ** 51), fc.nat(5000), fc.nat(2 ** 41).map((ms) => ms * 1000));
  await fc.assert(fc.asyncProperty(us, async (value) => {
    assertEquals(await written((lines) => lines.milliseconds(value)), JSON.stringify(value / 1000));
  }));
});

Deno.test("ByteLines.integer() writes whole numbers of any size", async () => {
  await fc.assert(fc.asyncProperty(fc.nat(Number.MAX_SAFE_INTEGER), async (value) => {
    assertEquals(await written((lines) => lines.integer(value)), String(value));
  }));
});

Deno.test("ByteLines takes more than its buffer holds before it is flushed", async () => {
  const line = new TextEncoder().encode("0123456789012345678901234567890\n");
  const count = 100_000;
  const text = await written((lines) => {
    for (let index = 0; index < count; index++) {
      lines.integer(index);
      lines.raw(line);
    }
  });
  const found = text.split("\n");
  assertEquals(found.length, count + 1);
  assertEquals(found[count - 1], `${count - 1}0123456789012345678901234567890`);
});
