import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { removeIfThere, writeFileAtomic, writeJsonAtomic } from "../../trace/atomic_file.ts";
import { readRecordFile } from "../../trace/record_file.ts";
import { DecodeError, integer, record } from "../../trace/schema.ts";
import { tempFolder } from "../support/temp_folder.ts";
import { CAN_MOUNT, tinyFilesystem } from "../support/tiny_filesystem.ts";

const POINT = record("point", { x: integer({ doc: "A coordinate." }) });

async function namesIn(folder: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(folder), ({ name }) => name)).sort();
}

Deno.test("writeFileAtomic() makes the folder and leaves nothing beside", async () => {
  await using folder = await tempFolder();
  const path = join(folder.path, "a", "b", "file.txt");
  await writeFileAtomic(path, "one");
  await writeFileAtomic(path, "two");
  assertEquals(await Deno.readTextFile(path), "two");
  assertEquals(await namesIn(join(folder.path, "a", "b")), ["file.txt"]);
});

Deno.test("writeFileAtomic() gives a secret only to its owner", async () => {
  await using folder = await tempFolder();
  const path = join(folder.path, "secret");
  await writeFileAtomic(path, "x", { mode: 0o600 });
  assertEquals((await Deno.stat(path)).mode! & 0o777, 0o600);
});

Deno.test("writeFileAtomic() keeps the old content when the filesystem is full, and nothing else", {
  ignore: !CAN_MOUNT,
}, async () => {
  await using filesystem = await tinyFilesystem({ bytes: 32 * 1024 });
  const path = join(filesystem.path, "file.txt");
  await writeFileAtomic(path, "old");
  const error = await assertRejects(() => writeFileAtomic(path, "x".repeat(100_000)), Error);
  assertStringIncludes(error.message, `Cannot write "${path}": No space left`);
  assertEquals(await Deno.readTextFile(path), "old");
  assertEquals(await namesIn(filesystem.path), ["file.txt"]);
});

Deno.test("writeFileAtomic() leaves nothing beside when it cannot rename", async () => {
  await using folder = await tempFolder();
  const path = join(folder.path, "taken");
  await Deno.mkdir(join(path, "inside"), { recursive: true });
  await assertRejects(() => writeFileAtomic(path, "x"), Error, `Cannot write "${path}"`);
  assertEquals(await namesIn(folder.path), ["taken"]);
});

Deno.test("writeFileAtomic() shows a reader the old or the new content, never a part", async () => {
  await using folder = await tempFolder();
  const path = join(folder.path, "file.txt");
  const contents = ["a", "b", "c"].map((letter) => letter.repeat(300_000));
  await writeFileAtomic(path, contents[0] ?? "");
  let isWriting = true;
  const writing = (async () => {
    for (let at = 0; at < 30; at++) await writeFileAtomic(path, contents[at % 3] ?? "");
    isWriting = false;
  })();
  const seen = new Set<string>();
  while (isWriting) seen.add(await Deno.readTextFile(path));
  await writing;
  assertEquals([...seen].filter((one) => !contents.includes(one)), []);
});

Deno.test("readRecordFile() gives back what writeJsonAtomic() wrote, and null for no file", async () => {
  await using folder = await tempFolder();
  const path = join(folder.path, "point.json");
  assertEquals(await readRecordFile(path, POINT.decode), null);
  await writeJsonAtomic(path, { x: 7 });
  assertEquals(await readRecordFile(path, POINT.decode), { x: 7 });
});

Deno.test("readRecordFile() names the file when it is not JSON, and the field when it is not a record", async () => {
  await using folder = await tempFolder();
  const path = join(folder.path, "point.json");
  await Deno.writeTextFile(path, '{"x":');
  await assertRejects(() => readRecordFile(path, POINT.decode), SyntaxError, path);
  await Deno.writeTextFile(path, '{"x":0.5}');
  const error = await assertRejects(() => readRecordFile(path, POINT.decode), DecodeError);
  assertStringIncludes(error.message, `at ${path}: field "x"`);
});

Deno.test("removeIfThere() says whether there was something", async () => {
  await using folder = await tempFolder();
  const path = join(folder.path, "file");
  await Deno.writeTextFile(path, "");
  assertEquals([await removeIfThere(path), await removeIfThere(path)], [true, false]);
});
