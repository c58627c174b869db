import { assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { ExportError } from "../../../export/opendc/input.ts";
import { Stage } from "../../../export/opendc/stage.ts";
import { tempFolder } from "../../support/temp_folder.ts";

function namesIn(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
}

Deno.test("Stage shows nothing until it is committed, and leaves nothing else behind", async () => {
  await using root = await tempFolder();
  const output = join(root.path, "out");
  {
    await using stage = await Stage.open(output);
    await stage.writeText("a/b.txt", "new");
    await stage.writeJson("c.json", { c: 1 });
    assertEquals(namesIn(output).filter((name) => !name.startsWith(".")), []);
    await stage.commit([]);
  }
  assertEquals(namesIn(output), ["a", "c.json"]);
  assertEquals(await Deno.readTextFile(join(output, "a", "b.txt")), "new");
});

Deno.test("Stage removes files of the last export, and none outside of its folder", async () => {
  await using root = await tempFolder();
  const output = join(root.path, "out");
  await Deno.mkdir(join(output, "old"), { recursive: true });
  await Deno.writeTextFile(join(output, "old", "a.txt"), "");
  await Deno.writeTextFile(join(output, "kept.txt"), "nobody's");
  const precious = join(root.path, "precious");
  await Deno.writeTextFile(precious, "");
  {
    await using stage = await Stage.open(output);
    await stage.writeText("new.txt", "");
    await stage.commit(["old/a.txt", "../precious", "old/../../precious", precious]);
  }
  assertEquals(namesIn(output), ["kept.txt", "new.txt"]);
  assertEquals(namesIn(root.path), ["out", "precious"]);
});

Deno.test("Stage that is not committed leaves the folder as it was", async () => {
  await using root = await tempFolder();
  await Deno.writeTextFile(join(root.path, "c.json"), "old");
  {
    await using stage = await Stage.open(root.path);
    await stage.writeText("c.json", "new");
  }
  assertEquals(namesIn(root.path), ["c.json"]);
  assertEquals(await Deno.readTextFile(join(root.path, "c.json")), "old");
});

Deno.test("Stage removes what a killed export left behind", async () => {
  await using root = await tempFolder();
  const deep = join(root.path, ".export-in-progress", "replay");
  await Deno.mkdir(deep, { recursive: true });
  await Deno.writeTextFile(join(deep, "tasks.parquet"), "half");
  await Deno.writeTextFile(join(root.path, ".export.lock"), "");
  await using stage = await Stage.open(root.path);
  assertEquals(namesIn(stage.folder), []);
});

Deno.test("Stage refuses a second export into the same folder", async () => {
  await using root = await tempFolder();
  await using _first = await Stage.open(root.path);
  await assertRejects(() => Stage.open(root.path), ExportError, "another export is writing there");
});
