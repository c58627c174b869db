/** The files around the code: workflows, citation, image, editor settings. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { parse } from "yaml";
import config from "../deno.json" with { type: "json" };
import { filesBelow, ROOT } from "./support/module_graph.ts";

async function read(path: string): Promise<string> {
  return await Deno.readTextFile(join(ROOT, path));
}

for (const file of ["CITATION.cff", ...await filesBelow(".github", ".yml")]) {
  Deno.test(`${file} is valid YAML`, async () => {
    assert(typeof parse(await read(file), { strict: true }) === "object");
  });
}

Deno.test("the workflow runs .ci/run on both processors and three servers", async () => {
  const { jobs } = parse(await read(".github/workflows/test.yml"));
  const { matrix } = jobs.test.strategy;
  assertEquals(matrix.machine, ["ubuntu-24.04", "ubuntu-24.04-arm"]);
  assertEquals(matrix.server, ["redis-7", "redis-8", "valkey"]);
  assert(jobs.test.steps.some(({ run }: { readonly run?: string }) => run === ".ci/run"));
  assertStringIncludes(await read(".ci/run"), '"${REDIS_PACKAGE:-redis-server}"');
});

Deno.test("every action of a workflow has a version, and no workflow may write", async () => {
  for (const file of await filesBelow(".github/workflows", ".yml")) {
    const text = await read(file);
    const used = [...text.matchAll(/uses: (\S+)/g)].map(([, name = ""]) => name);
    assertEquals(used.filter((name) => !/^actions\/[\w-]+@v\d+$/.test(name)), [], file);
    assertEquals(parse(text).permissions, { contents: "read" }, file);
  }
});

Deno.test("CITATION.cff has what version 1.2.0 requires, and the version of deno.json", async () => {
  const citation = parse(await read("CITATION.cff"));
  for (const key of ["cff-version", "message", "title", "authors"]) assert(citation[key], key);
  assertEquals(citation["cff-version"], "1.2.0");
  assertEquals([citation.version, citation.license], [config.version, config.license]);
});

/** Instructions of a Containerfile; continued lines are joined. */
function instructionsOf(text: string): [name: string, rest: string][] {
  return text.replaceAll(/\\\n/g, " ").split("\n")
    .filter((line) => line.trim() !== "" && !line.startsWith("#"))
    .map((line) => {
      const [, name = "", rest = ""] = /^([A-Z]+)\s+(.*)$/.exec(line) ?? [];
      assert(name !== "", `no instruction: ${line}`);
      return [name, rest];
    });
}

Deno.test("the Containerfile uses known instructions, fixed images and files that exist", async () => {
  const instructions = instructionsOf(await read("Containerfile"));
  const known = ["FROM", "WORKDIR", "COPY", "RUN", "USER", "ENV", "ENTRYPOINT", "CMD"];
  assertEquals(instructions.filter(([name]) => !known.includes(name)), []);
  for (const [name, rest] of instructions) {
    if (name === "FROM") assert(/^docker\.io\/library\/[\w-]+:[\w.-]+( AS \w+)?$/.test(rest), rest);
    if (name === "ENTRYPOINT" || name === "CMD") assert(Array.isArray(JSON.parse(rest)));
    if (name !== "COPY" || rest.includes("--from=")) continue;
    const sources = rest.split(/\s+/).filter((word) => !word.startsWith("--")).slice(0, -1);
    for (const source of sources) await Deno.stat(join(ROOT, source));
  }
});

Deno.test("the image has the packages that setup installs, and starts a command", async () => {
  const text = await read("Containerfile");
  for (const name of ["redis-server", "ffmpeg", ".deno-version"]) assertStringIncludes(text, name);
  const last = instructionsOf(text).at(-1);
  const [command = ""] = JSON.parse(last?.[1] ?? "[]");
  assert(command in config.tasks, command);
});

Deno.test(".editorconfig agrees with deno fmt", async () => {
  const text = await read(".editorconfig");
  assertStringIncludes(text, `max_line_length = ${config.fmt.lineWidth}`);
  assertStringIncludes(text, "indent_size = 2");
});
