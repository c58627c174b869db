import { assert, assertEquals, assertLessOrEqual, assertStringIncludes } from "@std/assert";
import { dirname, join } from "@std/path";
import denoVersion from "../.deno-version" with { type: "text" };
import type { Command } from "../tasks/command/flag_table.ts";
import { helpOf } from "../tasks/command/help.ts";
import { referencePages } from "../tasks/readme.ts";
import { referenceCommands } from "../tasks/reference/commands.ts";
import { blocksOf, headingsOf } from "./support/markdown.ts";
import { filesBelow, ROOT } from "./support/module_graph.ts";

/** Longest README, lines: what does not fit belongs in docs/. */
const README_LINES_MAX = 250;

const DOCUMENTS = [
  "README.md",
  "ARCHITECTURE.md",
  "CONTRIBUTING.md",
  "CHANGELOG.md",
  "SECURITY.md",
  ...await filesBelow("docs", ".md"),
  ...await filesBelow("examples", ".md"),
  ...await filesBelow("benchmarks", ".md"),
];

async function read(path: string): Promise<string> {
  return await Deno.readTextFile(join(ROOT, path));
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(join(ROOT, path));
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Without what the formatter decides: widths of columns, breaks of lines. */
function unformatted(markdown: string): string {
  return markdown.replace(/-{3,}/g, "---").replace(/\s+/g, " ").trim();
}

/** What is below each heading, without what the formatter decides; a failure names headings only. */
function sectionsOf(markdown: string): Map<string, string> {
  const sections = markdown.split(/^(?=#{1,2} )/m);
  return new Map(sections.map((text) => [text.split("\n", 1)[0] ?? "", unformatted(text)]));
}

const taskCommands = await referenceCommands();

for (const { name, markdown } of await referencePages()) {
  Deno.test(`docs/reference/${name} is what the tables say (deno task readme)`, async () => {
    const written = sectionsOf(await read(`docs/reference/${name}`));
    const wanted = sectionsOf(markdown);
    const titles = [...new Set([...written.keys(), ...wanted.keys()])];
    assertEquals(titles.filter((title) => written.get(title) !== wanted.get(title)), []);
  });
}

Deno.test("the help of every command fits in 100 columns", () => {
  const lines = taskCommands.flatMap((one) => helpOf(one).split("\n"));
  assertEquals(lines.filter((line) => line.length > 100), []);
});

Deno.test(`the README has at most ${README_LINES_MAX} lines`, async () => {
  assertLessOrEqual((await read("README.md")).split("\n").length - 1, README_LINES_MAX);
});

/** What is wrong with a shell line that calls one of our tasks. */
function problemWith(line: string, known: readonly Command[]): string | null {
  const [, name = "", rest = ""] = /\bdeno(?:@\S+)? task (\S+)(.*)$/.exec(line) ?? [];
  if (name === "") return null;
  const found = known.find((one) => one.name === name);
  if (found === undefined) return `no task ${name}`;
  const [own = ""] = rest.replaceAll(/"[^"]*"/g, "VALUE").split(/ -- | \| | > /, 1);
  const flags = [...own.matchAll(/ --([a-z][\w-]*)/g)].map(([, flag = ""]) => flag);
  const unknown = flags.find((flag) =>
    !(flag in found.flags) && !(flag.replace(/^no-/, "") in found.flags) && flag !== "help"
  );
  return unknown === undefined ? null : `${name} has no flag --${unknown}`;
}

/** What is wrong with a block of JSON or JSON Lines; null: nothing. */
function problemWithJson(text: string): string | null {
  const isWhole = isJson(text);
  const bad = isWhole ? undefined : text.trim().split("\n").find((line) => !isJson(line));
  return bad === undefined ? null : bad;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}

for (const document of DOCUMENTS) {
  Deno.test(`${document} calls only tasks and flags that exist`, async () => {
    const lines = blocksOf(await read(document), ["bash", "sh"])
      .flatMap((block) => block.replaceAll(/\\\n\s*/g, " ").split("\n"));
    const problems = lines.map((line) => problemWith(line, taskCommands));
    assertEquals(problems.filter((one) => one !== null), []);
  });

  Deno.test(`${document} has only JSON that can be read`, async () => {
    const problems = blocksOf(await read(document), ["json", "jsonl"]).map(problemWithJson);
    assertEquals(problems.filter((one) => one !== null), []);
  });

  Deno.test(`${document} links and points only to what exists`, async () => {
    const text = await read(document);
    for (
      const [, path = "", anchor = ""] of text.matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)/g)
    ) {
      const target = path === "" ? document : join(dirname(document), path);
      assert(await exists(target), `${document}: ${path}`);
      if (anchor === "") continue;
      const file = target.endsWith(".md") ? target : `${target}/README.md`;
      assert(headingsOf(await read(file)).includes(anchor), `${document}: ${path}#${anchor}`);
    }
    const named = text.matchAll(
      /`((?:trace|collector|adapter|scheduler|export|tasks|tests|docs|benchmarks|examples)\/[\w./-]*)`/g,
    );
    for (const [, path = ""] of named) assert(await exists(path), `${document}: ${path}`);
  });

  Deno.test(`${document} names the pinned version of Deno, and no other`, async () => {
    const versions = [
      ...(await read(document)).matchAll(/\bdeno@([\w.]+)|\bDeno (\d+\.\d+\.\d+)/g),
    ];
    for (const [, npm, plain] of versions) assertEquals(npm ?? plain, denoVersion.trim());
  });
}

Deno.test("every page of docs/ is reached from its index", async () => {
  const index = await read("docs/README.md");
  const missing = (await filesBelow("docs", ".md"))
    .map((page) => page.slice("docs/".length))
    .filter((page) => page !== "README.md" && !index.includes(`](${page})`));
  assertEquals(missing, [], "docs/README.md must link to each page");
});

Deno.test("every shell block of every document is valid bash", async () => {
  const blocks: string[] = [];
  for (const document of DOCUMENTS) {
    for (const block of blocksOf(await read(document), ["bash", "sh"])) {
      // A function per block: one bash reads them all, and an error names the document.
      blocks.push(`# ${document}\nblock_${blocks.length}() {\n${block}\n:\n}`);
    }
  }
  assert(blocks.length > 20);
  const bash = new Deno.Command("bash", { args: ["-n"], stdin: "piped", stderr: "piped" }).spawn();
  const writer = bash.stdin.getWriter();
  await writer.write(new TextEncoder().encode(blocks.join("\n")));
  await writer.close();
  const { stderr } = await bash.output();
  assertEquals(new TextDecoder().decode(stderr), "");
});

Deno.test("problemWith() sees an unknown task and an unknown flag, and leaves the traced command alone", () => {
  assertEquals(problemWith("npx -y deno@2.9.6 task cook", taskCommands), "no task cook");
  assertEquals(problemWith("deno task demo --salt 1", taskCommands), "demo has no flag --salt");
  assertEquals(problemWith("RUN_ID=a deno task adapt -- ls --all", taskCommands), null);
  assertEquals(problemWith("ls --all", taskCommands), null);
});

Deno.test("problemWithJson() takes one value or one per line, and names a line that is neither", () => {
  assertEquals(problemWithJson('{\n  "a": 1\n}\n'), null);
  assertEquals(problemWithJson('{"a":1}\n{"b":2}\n'), null);
  assertEquals(problemWithJson('{"a":1}\n{"b":}\n'), '{"b":}');
});

Deno.test("the README starts with two commands, and CI runs the tests", async () => {
  const [block = ""] = blocksOf(await read("README.md"), ["bash"]);
  const version = denoVersion.trim();
  assertEquals(
    block,
    `git clone "$URL" tracekit && cd tracekit\nnpx -y deno@${version} task demo\n`,
  );
  assertStringIncludes(await read(".ci/run"), 'npx -y "deno@$(cat .deno-version)" task test');
});

Deno.test("CHANGELOG.md keeps a changelog", async () => {
  const changelog = await read("CHANGELOG.md");
  assertStringIncludes(changelog, "\n## [Unreleased]\n");
  const kinds = [...changelog.matchAll(/^### (.*)$/gm)].map(([, kind = ""]) => kind);
  const known = ["Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"];
  assertEquals(kinds.filter((kind) => !known.includes(kind)), []);
});
