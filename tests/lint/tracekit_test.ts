import { assertEquals } from "@std/assert";
import plugin from "./tracekit.ts";

/** Rule and offending text of each finding in `source`. */
function findings(source: string, filename = "scheduler/some_file.ts"): string[] {
  return Deno.lint.runPlugin(plugin, filename, source)
    .map(({ id, range: [start, end] }) =>
      `${id.replace("tracekit/", "")}: ${source.slice(start, end)}`
    );
}

interface Case {
  readonly name: string;
  readonly source: string;
  readonly found: readonly string[];
  readonly filename?: string;
}

const CASES: readonly Case[] = [
  {
    name: "function-length finds a function of more than 80 lines, and lets one of 80 pass",
    source: `function f() {${"\n".repeat(80)}}\nfunction g() {${"\n".repeat(79)}}`,
    found: [`function-length: function f() {${"\n".repeat(80)}}`],
  },
  {
    name: "function-length lets a test have as many steps as it needs",
    source: `function f() {${"\n".repeat(80)}}`,
    found: [],
    filename: "tests/some_test.ts",
  },
  {
    name: "plain-words finds a word of the list in comments, strings and templates",
    source: "// It waits for ever.\nf('is no task', `a ${1} as yet`, /as yet/);",
    found: [
      "plain-words: // It waits for ever.",
      "plain-words: 'is no task'",
      "plain-words:  as yet",
    ],
  },
  {
    name: "side-effects-in-tasks finds arguments, environment, exit and console in a library",
    source: "Deno.args; Deno.env.get('A'); Deno.exit(1); Deno.exitCode = 1; console.error('x');",
    found: [
      "side-effects-in-tasks: Deno.args",
      "side-effects-in-tasks: Deno.env",
      "side-effects-in-tasks: Deno.exit",
      "side-effects-in-tasks: Deno.exitCode",
      "side-effects-in-tasks: console.error",
    ],
  },
  {
    name: "side-effects-in-tasks leaves tasks/ alone",
    source: "Deno.exit(Deno.args.length);",
    filename: "tasks/parse.ts",
    found: [],
  },
  {
    name:
      "side-effects-in-tasks takes a path within this repository, and nothing by its last words",
    source: "Deno.args;",
    filename: new URL("../../export/tasks/x.ts", import.meta.url).pathname,
    found: ["side-effects-in-tasks: Deno.args"],
  },
  {
    name: "pure-files finds clocks, randomness and I/O in a file declared pure",
    source: "Date.now(); new Date(); Math.random(); performance.now(); Deno.cwd(); fetch('x');",
    filename: "trace/units.ts",
    found: [
      "pure-files: Date.now",
      "pure-files: new Date()",
      "pure-files: Math.random",
      "pure-files: performance.now",
      "pure-files: Deno.cwd",
      "pure-files: fetch('x')",
    ],
  },
  {
    name: "pure-files allows a date that is given",
    source: "new Date(0); Math.max(1, 2);",
    filename: "trace/units.ts",
    found: [],
  },
  {
    name: "pure-files says nothing of other files",
    source: "Date.now();",
    filename: "trace/clock.ts",
    found: [],
  },
  {
    name: "caught-errors finds an empty catch",
    source: "try { f(); } catch {}",
    found: ["caught-errors: catch {}"],
  },
  {
    name: "caught-errors finds a catch that only has a comment",
    source: "try { f(); } catch (error) { /* fine */ }",
    found: ["caught-errors: catch (error) { /* fine */ }"],
  },
  {
    name: "caught-errors finds a catch without its error",
    source: "try { f(); } catch { g(); }",
    found: ["caught-errors: catch { g(); }"],
  },
  {
    name: "caught-errors finds an error of which no class is asked",
    source: "try { f(); } catch (error) { report(error); }",
    found: ["caught-errors: catch (error) { report(error); }"],
  },
  {
    name: "caught-errors finds another error thrown without its cause",
    source: "try { f(); } catch (error) { throw new Error('x', { cause: other }); }",
    found: ["caught-errors: catch (error) { throw new Error('x', { cause: other }); }"],
  },
  {
    name: "caught-errors accepts a class check",
    source: "try { f(); } catch (error) { if (!(error instanceof TypeError)) throw error; g(); }",
    found: [],
  },
  {
    name: "caught-errors accepts a wrapped error",
    source: "try { f(); } catch (error) { throw new Error('x', { cause: error }); }",
    found: [],
  },
  {
    name: "caught-errors accepts an error thrown where there is no better one",
    source: "try { f(); } catch (error) { throw better ?? error; }",
    found: [],
  },
  {
    name: "caught-errors accepts an error handed to reject()",
    source: "try { f(); } catch (error) { promise.reject(error); }",
    found: [],
  },
  {
    name: "caught-errors finds a catch() that drops its error",
    source: "f().catch(() => null);",
    found: ["caught-errors: () => null"],
  },
  {
    name: "no-default-export finds one",
    source: "export default 1;",
    found: ["no-default-export: export default 1;"],
  },
  {
    name: "top-level-functions finds functions as constants",
    source: "const f = () => 1; export const g = function () {};",
    found: ["top-level-functions: () => 1", "top-level-functions: function () {}"],
  },
  {
    name: "top-level-functions allows arrows inside functions and in tables",
    source: "function f() { const g = () => 1; return g; } const TABLE = { h: () => 1 };",
    found: [],
  },
  {
    name: "no-boolean-positional finds typed and defaulted ones",
    source: "function f(path: string, isForced: boolean) {} class A { g(deep = false) {} }",
    found: ["no-boolean-positional: isForced", "no-boolean-positional: deep = false"],
  },
  {
    name: "no-boolean-positional allows options and setters",
    source: "function f(o: { isForced: boolean }) {} class A { set b(value: boolean) {} }",
    found: [],
  },
];

for (const { name, source, found, filename } of CASES) {
  Deno.test(name, () => assertEquals(findings(source, filename), found));
}

Deno.test("every rule is seen to fire", () => {
  const fired = new Set(CASES.flatMap(({ found }) => found.map((one) => one.split(":", 1)[0])));
  assertEquals(Object.keys(plugin.rules).filter((rule) => !fired.has(rule)), []);
});
