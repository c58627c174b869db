import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import config from "../deno.json" with { type: "json" };
import { type CommandEntry, COMMANDS, flagFileOf, programOf } from "../tasks/commands.ts";
import { PURE_FILES } from "./lint/pure_files.ts";
import { circlesOf, IMPORT_RULES, loadedBy, STANDARD_LIBRARY } from "./support/import_rules.ts";
import { filesBelow, type Import, ourFiles, readImports, ROOT } from "./support/module_graph.ts";

/** Programs that run with every permission: what they load must be small enough to audit. */
const ALL_POWERFUL = [
  "tasks/command/run.ts",
  // The launcher loads these when it needs them.
  ...COMMANDS.map((entry) => `tasks/flags/${flagFileOf(entry)}.ts`),
  ...COMMANDS.filter(({ privilege, executables, isInPlace }: CommandEntry) =>
    isInPlace || (privilege === "all" && executables !== undefined)
  ).map((entry) => `tasks/${programOf(entry)}.ts`),
  "tasks/build/standalone.ts",
];

const imports = await readImports();

function lines(found: readonly Import[]): string[] {
  return found.map(({ from, to }) => `${from} imports ${to}`);
}

for (const { name, forbids } of IMPORT_RULES) {
  Deno.test(name, () => assertEquals(lines(imports.filter(forbids)), []));
}

Deno.test("each import rule is seen to fire, and to let its neighbour pass", () => {
  const invented: readonly [from: string, to: string, broken: string | null][] = [
    ["trace/a.ts", "scheduler/a.ts", "trace/ imports nothing of ours but trace/"],
    ["trace/a.ts", "trace/b.ts", null],
    ["adapter/a.ts", "scheduler/a.ts", "a role never imports another role"],
    ["adapter/a.ts", "trace/a.ts", null],
    ["export/a.ts", "tasks/a.ts", "the library never imports tasks/, tests/ or mod.ts"],
    ["collector/a.ts", "mod.ts", "the library never imports tasks/, tests/ or mod.ts"],
    ["tests/a.ts", "tasks/a.ts", null],
    ["tasks/a.ts", "tests/a.ts", "tasks/ never imports tests/ or mod.ts"],
    ["tasks/a.ts", "export/a.ts", null],
    ["tasks/demo/a.ts", "tasks/parse.ts", "a command never loads another command"],
    ["tasks/a.ts", "tasks/commands.ts", null],
    [
      "tasks/demo/a.ts",
      "tasks/command/load.ts",
      "only what works on a checkout loads flag files by name",
    ],
    ["tasks/build/a.ts", "tasks/command/load.ts", null],
    ["tasks/a.ts", "tasks/demo/a.ts", null],
    [
      "scheduler/central.ts",
      "npm:redis",
      "a library of others is imported only by the file that wraps it",
    ],
    ["scheduler/queue/connection.ts", "npm:redis", null],
    [
      "export/a.ts",
      "npm:left-pad",
      "a library of others is imported only by the file that wraps it",
    ],
    [
      "collector/a.ts",
      STANDARD_LIBRARY,
      "a library of others is imported only by the file that wraps it",
    ],
    ["tasks/a.ts", "https://example.org/x.ts", "nothing is imported from the web"],
    [
      "export/a.ts",
      "node:process",
      "arguments, environment and exit are not reached through node:process",
    ],
    ["export/a.ts", "node:crypto", null],
  ];
  for (const [from, to, broken] of invented) {
    const found = IMPORT_RULES.filter(({ forbids }) => forbids({ from, to, isTypeOnly: false }));
    assertEquals(found.map(({ name }) => name), broken === null ? [] : [broken], `${from} ${to}`);
  }
});

Deno.test("programs with every permission load no code of others but the standard library", () => {
  const loaded = [...loadedBy(ALL_POWERFUL, imports)];
  assert(loaded.includes(STANDARD_LIBRARY));
  assertEquals(loaded.filter((one) => one.startsWith("npm:") && one !== STANDARD_LIBRARY), []);
  const roles = loadedBy(
    imports.map(({ from }) => from).filter((one) => /^(collector|adapter)\//.test(one)),
    imports,
  );
  assertEquals([...roles].filter((one) => one.startsWith("npm:") && one !== STANDARD_LIBRARY), []);
});

Deno.test("no file imports one that imports it", () => assertEquals(circlesOf(imports), []));

Deno.test("circlesOf() finds a circle, and lets two ways to one file pass", () => {
  const graph = (...edges: readonly string[]): Import[] =>
    edges.map((edge) => ({ from: edge.charAt(0), to: edge.charAt(1), isTypeOnly: false }));
  assertEquals(circlesOf(graph("ab", "bc", "ac", "ad", "dc")), []);
  assertEquals(circlesOf(graph("ab", "bc", "cd", "db")), ["b → c → d"]);
});

Deno.test("loadedBy() follows imports of imports, but not those of types", () => {
  const graph: Import[] = [
    { from: "a", to: "b", isTypeOnly: false },
    { from: "b", to: "npm:c", isTypeOnly: false },
    { from: "a", to: "npm:d", isTypeOnly: true },
  ];
  assertEquals([...loadedBy(["a"], graph)].sort(), ["a", "b", "npm:c"]);
});

Deno.test("pure files exist and load nothing but pure files", async () => {
  for (const file of PURE_FILES) await Deno.stat(join(ROOT, file));
  const impure = imports.filter(({ from, to, isTypeOnly }) =>
    PURE_FILES.includes(from) && !isTypeOnly && !PURE_FILES.includes(to) &&
    to !== "trace/std/path.ts" && !to.endsWith(".json")
  );
  assertEquals(lines(impure), []);
});

Deno.test("a file is named for what it has", async () => {
  const vague = /(^|[/_])(utils?|common|helpers?|manager|data|misc)(?=[_.])/;
  assertEquals((await ourFiles(".ts")).filter((file) => vague.test(file)), []);
  assert(vague.test("tasks/flags/_common.ts") && !vague.test("export/metadata.ts"));
});

Deno.test("what is exported is used by another file", async () => {
  const users = new Map<string, number>();
  const exported: { readonly file: string; readonly name: string }[] = [];
  for (const file of await ourFiles(".ts")) {
    const text = await Deno.readTextFile(join(ROOT, file));
    for (const word of new Set(text.match(/\w+/g))) users.set(word, (users.get(word) ?? 0) + 1);
    // Types are passed by: whoever has the function has its parameters, named or not.
    const values = text.matchAll(/^export (?:async )?(?:function\*?|const|class) (\w+)/gm);
    // The standard library's declarations are as it is.
    if (file.startsWith("trace/std/")) continue;
    for (const [, name = ""] of values) {
      // A table goes out with the type that is made from it.
      if (!text.includes(`typeof ${name}>`)) exported.push({ file, name });
    }
  }
  // The launcher finds the grants by their names; the test of the table of commands loads each.
  const unused = exported.filter(({ file, name }) =>
    users.get(name) === 1 && !(file.startsWith("tasks/flags/") && name.endsWith("_ROLE"))
  );
  assertEquals(unused.map(({ file, name }) => `${file}: ${name}`), []);
});

Deno.test("every dependency has one exact version, from npm", () => {
  const exact = /^npm:\/?(@[\w.-]+\/)?[\w.-]+@\d+\.\d+\.\d+(-[\w.-]+)?(\/[\w./-]*)?$/;
  const foreign = Object.values(config.imports).filter((target) => !target.startsWith("./"));
  assert(foreign.length > 0);
  assertEquals(foreign.filter((target) => !exact.test(target)), []);
  assert(!exact.test("npm:redis@^6.3.1") && !exact.test("npm:redis"));
});

Deno.test("the lock file is frozen", () => assertEquals(config.lock, { frozen: true }));

interface LuaScript {
  readonly file: string;
  readonly header: string;
  readonly body: string;
}

async function luaScripts(): Promise<LuaScript[]> {
  const scripts: LuaScript[] = [];
  for (const file of await filesBelow("scheduler/queue/lua", ".lua")) {
    const text = await Deno.readTextFile(join(ROOT, file));
    const [header = ""] = /^(--.*\n)+/.exec(text) ?? [];
    scripts.push({ file, header, body: text.slice(header.length) });
  }
  return scripts;
}

/** What is wrong with a script's contract. */
function contractProblems({ header, body }: Pick<LuaScript, "header" | "body">): string[] {
  const problems: string[] = [];
  const declared = [...header.matchAll(/^-- ARGV\[(\d+)(\.\.\.)?\]/gm)];
  const isOpen = declared.at(-1)?.[2] !== undefined;
  if (!/^-- [A-Z][^[\]]*\.$/m.test(header.split("\n-- KEYS", 1)[0] ?? "")) {
    problems.push("no sentence on its purpose");
  }
  if (!/^-- KEYS\[1\] /m.test(header)) problems.push("KEYS[1] is not described");
  if (!/^-- Returns /m.test(header)) problems.push("nothing on what it returns");
  declared.forEach(([, number], at) => {
    if (Number(number) !== at + 1) problems.push(`ARGV[${number}] is described out of order`);
  });
  for (const [, kind, number] of body.matchAll(/\b(KEYS|ARGV)\[(\d+)\]/g)) {
    const isDescribed = kind === "KEYS"
      ? Number(number) === 1
      : Number(number) <= declared.length || isOpen;
    if (!isDescribed) problems.push(`${kind}[${number}] is used but not described`);
  }
  return [...new Set(problems)];
}

Deno.test("each script of the queue opens with its contract, and keeps to it", async () => {
  const scripts = await luaScripts();
  assert(scripts.length > 10);
  const problems = scripts
    .flatMap((script) =>
      // A prelude is a part of every script, with a purpose but no arguments of its own.
      /\/_\w+\.lua$/.test(script.file)
        ? (/^-- Prelude/.test(script.header) ? [] : [`${script.file}: no word on its purpose`])
        : contractProblems(script).map((problem) => `${script.file}: ${problem}`)
    );
  assertEquals(problems, []);
});

Deno.test("contractProblems() sees what is missing", () => {
  const header = "-- Do it.\n-- KEYS[1] prefix\n-- ARGV[1] node\n-- Returns 1\n";
  assertEquals(contractProblems({ header, body: "return KEYS[1] .. ARGV[1]" }), []);
  assertEquals(contractProblems({ header, body: "return ARGV[2]" }), [
    "ARGV[2] is used but not described",
  ]);
  assertEquals(contractProblems({ header, body: "return KEYS[2]" }), [
    "KEYS[2] is used but not described",
  ]);
  assertEquals(contractProblems({ header: "", body: "" }).length, 3);
});

Deno.test("no file names a place of the machine that it was written on", async () => {
  const top = await Array.fromAsync(Deno.readDir(ROOT));
  const files = [
    ...top.filter(({ name, isFile }) => isFile && ![".git", "run_id.env"].includes(name)).map((
      { name },
    ) => name),
    ...await filesBelow(".ci", ""),
    ...await ourFiles(""),
  ];
  // Taken apart, so that this file does not name them either.
  const places = ["/wo" + "rk/", "/ro" + "ot/", "registry\\." + "npm"];
  const forbidden = new RegExp(places.join("|"));
  const found: string[] = [];
  for (const file of files) {
    const text = await Deno.readTextFile(join(ROOT, file));
    const line = text.split("\n").find((one) => forbidden.test(one));
    if (line !== undefined) found.push(`${file}: ${line.trim().slice(0, 100)}`);
  }
  assertEquals(found, []);
});
