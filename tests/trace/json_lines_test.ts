import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { join } from "@std/path";
import fc from "fast-check";
import { type BadLine, JsonLinesWriter, readLines, readRecords } from "../../trace/json_lines.ts";
import { integer, record } from "../../trace/schema.ts";
import { tempFolder } from "../support/temp_folder.ts";
import { CAN_MOUNT, tinyFilesystem } from "../support/tiny_filesystem.ts";

const POINT = record("point", { x: integer({ doc: "A coordinate." }) });

/** Twice the reader's chunk of 256 KiB and a bit. */
const TWO_CHUNKS = 2 * 256 * 1024 + 7;

async function readPoints(path: string): Promise<{ xs: number[]; bad: BadLine[] }> {
  const bad: BadLine[] = [];
  const onBadLine = (one: BadLine) => bad.push(one);
  const points = await Array.fromAsync(readRecords(path, { decode: POINT.decode, onBadLine }));
  return { xs: points.map(({ x }) => x), bad };
}

function append(path: string, ...xs: number[]): void {
  using writer = JsonLinesWriter.open(path);
  writer.append(xs.map((x) => ({ x })));
}

Deno.test("JsonLinesWriter.append() appends to what is there", async () => {
  await using folder = await tempFolder();
  const path = join(folder.path, "points.jsonl");
  append(path, 1, 2);
  append(path);
  append(path, 3);
  assertEquals(await Deno.readTextFile(path), '{"x":1}\n{"x":2}\n{"x":3}\n');
});

Deno.test("JsonLinesWriter.open() closes a torn line, so that only that one is lost", async () => {
  await using folder = await tempFolder();
  const path = join(folder.path, "points.jsonl");
  await Deno.writeTextFile(path, '{"x":1}\n{"x":');
  append(path, 3);
  const { xs, bad } = await readPoints(path);
  assertEquals(xs, [1, 3]);
  assertEquals(bad.map(({ line, isTorn }) => ({ line, isTorn })), [{ line: 2, isTorn: false }]);
});

Deno.test("JsonLinesWriter.open() does not make the folder, and names it", async () => {
  await using folder = await tempFolder();
  const missing = join(folder.path, "deeper", "points.jsonl");
  assertThrows(() => JsonLinesWriter.open(missing), Deno.errors.NotFound, missing);
});

Deno.test("JsonLinesWriter.append() names the file when the device is full", () => {
  using writer = JsonLinesWriter.open("/dev/full");
  assertThrows(
    () => writer.append([{ x: 1 }]),
    Error,
    'Cannot append to "/dev/full": No space left',
  );
});

Deno.test(
  "JsonLinesWriter.append() leaves whole lines only on a full filesystem, and continues after",
  { ignore: !CAN_MOUNT },
  async () => {
    await using filesystem = await tinyFilesystem({ bytes: 64 * 1024 });
    const path = join(filesystem.path, "points.jsonl");
    const written: number[] = [];
    using writer = JsonLinesWriter.open(path);
    // Batches that do not divide a page, so that the last one is cut in the middle of a line.
    const error = assertThrows(() => {
      for (let x = 0;; x += 100) {
        const batch = Array.from({ length: 100 }, (_, index) => ({ x: x + index }));
        writer.append(batch);
        written.push(...batch.map((one) => one.x));
      }
    }, Error);
    assert(error.message.startsWith(`Cannot append to "${path}": No space left`), error.message);
    assertEquals(await readPoints(path), { xs: written, bad: [] });
    await filesystem.free();
    writer.append([{ x: -1 }]);
    assertEquals((await readPoints(path)).xs.at(-1), -1);
  },
);

Deno.test("readRecords() reports a torn last line and gives the others", async () => {
  await using folder = await tempFolder();
  const path = join(folder.path, "points.jsonl");
  await Deno.writeTextFile(path, '{"x":1}\n{"x":2}\n{"x');
  const { xs, bad } = await readPoints(path);
  assertEquals(xs, [1, 2]);
  assertEquals(bad.map(({ line, isTorn }) => ({ line, isTorn })), [{ line: 3, isTorn: true }]);
});

Deno.test("readRecords() takes a last line that only lacks its newline", async () => {
  await using folder = await tempFolder();
  const path = join(folder.path, "points.jsonl");
  await Deno.writeTextFile(path, '{"x":1}\n{"x":2}');
  assertEquals(await readPoints(path), { xs: [1, 2], bad: [] });
});

Deno.test("readRecords() reports lines that are not records by number and reason, and continues", async () => {
  await using folder = await tempFolder();
  const path = join(folder.path, "points.jsonl");
  await Deno.writeTextFile(path, '{"x":1}\n\nnonsense\n{"x":"2"}\n[]\n{"x":5}\n');
  const { xs, bad } = await readPoints(path);
  assertEquals(xs, [1, 5]);
  assertEquals(bad.map(({ line }) => line), [3, 4, 5]);
  assertEquals(
    bad[1]?.reason,
    `Cannot decode point at ${path}:4: field "x": an integer is required, got "2"`,
  );
});

Deno.test("readRecords() passes on an error that is not the line's", async () => {
  await using folder = await tempFolder();
  const path = join(folder.path, "points.jsonl");
  append(path, 1);
  function decode(): never {
    throw new RangeError("a defect");
  }
  const records = readRecords(path, { decode, onBadLine: () => {} });
  await assertRejects(() => Array.fromAsync(records), RangeError, "a defect");
});

Deno.test("readLines() gives nothing for an empty file, and an error for none", async () => {
  await using folder = await tempFolder();
  const path = join(folder.path, "points.jsonl");
  await assertRejects(() => Array.fromAsync(readLines(path)), Deno.errors.NotFound);
  await Deno.writeTextFile(path, "");
  assertEquals(await Array.fromAsync(readLines(path)), []);
});

Deno.test("readLines() keeps characters whole that two chunks share", async () => {
  await using folder = await tempFolder();
  const path = join(folder.path, "points.jsonl");
  // 3 bytes each, so that no border of a chunk falls between two of them but by chance.
  for (const padding of ["", "a", "aa"]) {
    const line = padding + "€".repeat(TWO_CHUNKS / 3 | 0);
    await Deno.writeTextFile(path, `${line}\nshort\n`);
    const batches = await Array.fromAsync(readLines(path));
    assertEquals(batches.flatMap(({ lines }) => lines), [line, "short"]);
  }
});

Deno.test("readLines() counts lines across batches", async () => {
  await using folder = await tempFolder();
  const path = join(folder.path, "points.jsonl");
  const count = 100_000;
  await Deno.writeTextFile(
    path,
    Array.from({ length: count }, (_, at) => `${at + 1}\n`).join(""),
  );
  let expected = 1;
  for await (const { firstLine, lines } of readLines(path)) {
    assertEquals(firstLine, expected);
    assertEquals(lines[0], String(expected));
    expected += lines.length;
  }
  assertEquals(expected, count + 1);
});

Deno.test("readLines() refuses a line without end, with file and line", async () => {
  await using folder = await tempFolder();
  const path = join(folder.path, "points.jsonl");
  using file = await Deno.open(path, { write: true, create: true });
  await file.write(new TextEncoder().encode("first\n"));
  // A hole reads as zeros and takes no space.
  await file.truncate(20 * 1024 * 1024);
  const error = await assertRejects(() => Array.fromAsync(readLines(path)), SyntaxError);
  assert(error.message.startsWith(`Cannot read "${path}" line 2: `), error.message);
});

Deno.test("readRecords() gives back what append() wrote, in any batches", () =>
  fc.assert(
    fc.asyncProperty(fc.array(fc.array(fc.record({ x: fc.integer() }))), async (batches) => {
      await using folder = await tempFolder();
      const path = join(folder.path, "points.jsonl");
      using writer = JsonLinesWriter.open(path);
      for (const batch of batches) writer.append(batch);
      assertEquals(await readPoints(path), { xs: batches.flat().map(({ x }) => x), bad: [] });
    }),
    { numRuns: 30 },
  ));

Deno.test("readLines() gives back any text, wherever its chunks end", () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(fc.string({ unit: "binary" }).map((one) => one.replaceAll("\n", ""))),
      async (lines) => {
        await using folder = await tempFolder();
        const path = join(folder.path, "lines.txt");
        await Deno.writeTextFile(path, lines.map((line) => `${line}\n`).join(""));
        const read = await Array.fromAsync(readLines(path));
        // A byte order mark at the very beginning is not part of the text.
        const expected = lines.map((line, at) => at === 0 ? line.replace(/^\uFEFF/, "") : line);
        assertEquals(read.flatMap((batch) => batch.lines), expected);
      },
    ),
    { numRuns: 50 },
  ));
