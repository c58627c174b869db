import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { dirname, join } from "@std/path";
import denoVersion from "../.deno-version" with { type: "text" };
import { type Command, command, integer } from "../tasks/command/flag_table.ts";
import { CommandError } from "../tasks/command/main.ts";
import { referenceCommands, withReference } from "../tasks/readme.ts";
import { ROOT } from "./support/module_graph.ts";

const DOCUMENTS = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"];

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
  return markdown.replace(/-{3,}/g, "---").replace(/\s+/g, " ");
}

const taskCommands = await referenceCommands();

Deno.test("the README's reference is what the flag tables say (deno task readme)", async () => {
  const isSection = /<details>.*?<\/details>/gs;
  const written = (await read("README.md")).match(isSection)?.map(unformatted) ?? [];
  const wanted = withReference(await read("README.md"), taskCommands).match(isSection) ?? [];
  const stale = wanted.map(unformatted).filter((one) => !written.includes(one));
  assertEquals(stale.map((one) => one.slice(0, 80)), []);
  assertEquals(written.length, wanted.length);
});

Deno.test("withReference() replaces what stands between its marks, and asks for them", async () => {
  const TRY = command({
    name: "try",
    description: "Try it.",
    flags: { "n-ms": integer("N.", { env: "N", fallback: 2 }) },
  });
  const readme = withReference(await read("README.md"), [TRY]);
  assertStringIncludes(readme, "| `--n-ms N` | `N` | `2` | N. |");
  assertEquals(withReference(readme, [TRY]), readme);
  assertThrows(() => withReference("# Tracekit", [TRY]), CommandError, "has no place");
});

/** Lines of the shell blocks of a document, those that a backslash breaks joined. */
function shellLines(markdown: string): string[] {
  return [...markdown.matchAll(/^```(?:bash|sh)\n(.*?)^```/gms)]
    .flatMap(([, block = ""]) => block.replaceAll(/\\\n\s*/g, " ").split("\n"));
}

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

for (const document of DOCUMENTS) {
  Deno.test(`${document} calls only tasks and flags that exist`, async () => {
    const problems = shellLines(await read(document)).map((line) =>
      problemWith(line, taskCommands)
    );
    assertEquals(problems.filter((one) => one !== null), []);
  });

  Deno.test(`${document} links and points only to files that exist`, async () => {
    const text = await read(document);
    const links = [...text.matchAll(/\]\((?!https?:|#)([^)#]+)\)/g)].map(([, path = ""]) => path);
    const named = [
      ...text.matchAll(/`((?:trace|collector|adapter|scheduler|export|tasks|tests)\/[\w./-]*)`/g),
    ]
      .map(([, path = ""]) => path);
    for (const path of [...links, ...named]) {
      assert(await exists(join(dirname(document), path)), `${document}: ${path}`);
    }
  });

  Deno.test(`${document} names the pinned version of Deno, and no other`, async () => {
    const versions = [
      ...(await read(document)).matchAll(/\bdeno@([\w.]+)|\bDeno (\d+\.\d+\.\d+)/g),
    ];
    for (const [, npm, plain] of versions) assertEquals(npm ?? plain, denoVersion.trim());
  });
}

Deno.test("problemWith() sees an unknown task and an unknown flag, and leaves the traced command alone", () => {
  assertEquals(problemWith("npx -y deno@2.9.6 task cook", taskCommands), "no task cook");
  assertEquals(problemWith("deno task demo --salt 1", taskCommands), "demo has no flag --salt");
  assertEquals(problemWith("RUN_ID=a deno task adapt -- ls --all", taskCommands), null);
  assertEquals(problemWith("ls --all", taskCommands), null);
});

Deno.test("the README starts with two commands, and CI runs the second", async () => {
  const [, block = ""] = /^```bash\n(.*?)^```/ms.exec(await read("README.md")) ?? [];
  const version = denoVersion.trim();
  assertEquals(block, `npx -y deno@${version} task demo\nnpx -y deno@${version} task test\n`);
  assertStringIncludes(await read(".ci/run"), 'npx -y "deno@$(cat .deno-version)" task test');
});

Deno.test("CHANGELOG.md keeps a changelog", async () => {
  const changelog = await read("CHANGELOG.md");
  assertStringIncludes(changelog, "\n## [Unreleased]\n");
  const kinds = [...changelog.matchAll(/^### (.*)$/gm)].map(([, kind = ""]) => kind);
  const known = ["Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"];
  assertEquals(kinds.filter((kind) => !known.includes(kind)), []);
});
