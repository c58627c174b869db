import { dirname, join } from "@std/path";
import { assertEquals } from "@std/assert";
import { readCpuTopology } from "../../../adapter/cpu/topology.ts";
import { tempFolder } from "../../support/temp_folder.ts";

async function writeTree(root: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await Deno.mkdir(dirname(join(root, path)), { recursive: true });
    await Deno.writeTextFile(join(root, path), `${text}\n`);
  }
}

Deno.test("readCpuTopology() puts siblings and nodes beside each other", async () => {
  await using folder = await tempFolder();
  const siblings = ["0,2", "1,3", "0,2", "1,3"];
  await writeTree(
    folder.path,
    Object.fromEntries([
      ...siblings.map((list, cpu) => [
        `devices/system/cpu/cpu${cpu}/topology/thread_siblings_list`,
        list,
      ]),
      ["devices/system/node/online", "0-2"],
      ["devices/system/node/node0/cpulist", "1,3"],
      ["devices/system/node/node1/cpulist", "0,2"],
      // A node of memory alone.
      ["devices/system/node/node2/cpulist", ""],
    ]),
  );
  assertEquals(readCpuTopology([0, 1, 2, 3], folder.path), [
    { cpu: 1, core: 1, node: 0 },
    { cpu: 3, core: 1, node: 0 },
    { cpu: 0, core: 0, node: 1 },
    { cpu: 2, core: 0, node: 1 },
  ]);
});

Deno.test("readCpuTopology() takes a machine that does not tell for a flat one", async () => {
  await using folder = await tempFolder();
  assertEquals(readCpuTopology([3, 1], folder.path), [
    { cpu: 1, core: 1, node: 0 },
    { cpu: 3, core: 3, node: 0 },
  ]);
});
