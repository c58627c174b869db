import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { filesBelow, ROOT } from "../support/module_graph.ts";
import { plainWordProblems } from "./plain_words.ts";

/** Every text of ours that the lint plugin does not read. */
async function otherTexts(): Promise<string[]> {
  const roots: string[] = [];
  for await (const { name, isFile } of Deno.readDir(ROOT)) {
    if (isFile && name.endsWith(".md")) roots.push(name);
  }
  const folders = await Promise.all([
    ...["docs", "benchmarks", "examples"].map((folder) => filesBelow(folder, ".md")),
    filesBelow("scheduler/queue/lua", ".lua"),
    ...[".sh", ".py"].map((ending) => filesBelow("examples", ending)),
  ]);
  return [...roots, ".ci/run", ...folders.flat()];
}

for (const file of await otherTexts()) {
  Deno.test(`${file} is plain English`, async () => {
    assertEquals(plainWordProblems(await Deno.readTextFile(join(ROOT, file))), []);
  });
}

const CASES: readonly (readonly [text: string, found: string | null])[] = [
  ["FFI is not to be had here", '"not to be had"'],
  ["what waits for\n * ever", '"for ever"'],
  ["it is no task", '"is no task"'],
  ["there is no task", null],
  ["between two looks", '"two looks"'],
  ["it looks for a file", null],
  ["what stands in the list", '"stands"'],
  ["it stands for a request; another stands by", null],
  ["the kernel goes on", '"goes on"'],
];

Deno.test.each([...CASES])("plainWordProblems() of %s", (text, found) => {
  const [problem] = plainWordProblems(text);
  assertEquals(problem?.split(":", 1)[0] ?? null, found);
});
