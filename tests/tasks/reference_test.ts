import { assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { Keys } from "../../scheduler/queue/keys.ts";
import { command, integer } from "../../tasks/command/flag_table.ts";
import { commandsPage } from "../../tasks/reference/commands.ts";
import { environmentPage } from "../../tasks/reference/environment.ts";
import { table } from "../../tasks/reference/page.ts";
import { svgOf } from "../../tasks/reference/recording.ts";
import { REDIS_KEYS } from "../../tasks/reference/redis_keys.ts";
import { RUN_FILES } from "../../trace/run_files.ts";
import { TASK_EXAMPLES } from "../../tasks/reference/tasks_file.ts";
import { RunDir } from "../../trace/run_dir.ts";
import { completeTask } from "../../trace/task.ts";
import { filesBelow, ROOT } from "../support/module_graph.ts";

const TRY = command({
  name: "try",
  description: "Try it.",
  flags: { "n-ms": integer("N | M.", { env: "N", fallback: 2 }) },
});

Deno.test("commandsPage() has a row for each flag, with variable and default", () => {
  const { markdown } = commandsPage([TRY]);
  assertEquals(markdown.includes("| `--n-ms N` | `N` | `2` | N \\| M. |"), true, markdown);
});

Deno.test("environmentPage() names the commands that read a variable", () => {
  const { markdown } = environmentPage([TRY]);
  assertEquals(markdown.includes("| `N` | `--n-ms` | `try` |"), true, markdown);
});

Deno.test("table() escapes what would end a cell", () => {
  assertEquals(table(["a"], [["x|y"]]), "| a |\n| --- |\n| x\\|y |");
});

Deno.test("the reference has every key of the queue, and no other", async () => {
  const written = new Set<string>();
  for (const file of await filesBelow("scheduler/queue/lua", ".lua")) {
    const text = await Deno.readTextFile(join(ROOT, file));
    for (const [, name = ""] of text.matchAll(/P \.\. '([\w:]+)'/g)) written.add(name);
    for (const [, name = ""] of text.matchAll(/'(tk:\w+:)' \.\./g)) written.add(name);
  }
  const keys = new Keys("");
  const named = Object.entries(Object.getOwnPropertyDescriptors(Keys.prototype))
    .filter(([name]) => name !== "constructor")
    .map(([, { get, value }]) => String(get?.call(keys) ?? value.call(keys, "")));
  for (const name of [...named, Keys.PENDING, Keys.SLOTS]) written.add(name);
  const documented = new Set(REDIS_KEYS.map(([name]) => name.replace(/<.*/, "")));
  const isDocumented = (key: string) => documented.has(key);
  assertEquals([...written].filter((key) => !isDocumented(key) && !/^q:\w*$/.test(key)), []);
  assertEquals([...documented].filter((key) => !written.has(key)), []);
});

Deno.test("the reference has every file that a run directory names", () => {
  const run = RunDir.at("");
  const names = Object.entries(Object.getOwnPropertyDescriptors(RunDir.prototype))
    .filter(([name]) => name !== "constructor")
    .map(([, { get, value }]) => String(get?.call(run) ?? value.call(run, "x")));
  const documented = RUN_FILES.map(({ path }) => path.replace(/<\w+>/, "x"));
  const missing = names.filter((name) =>
    !documented.some((one) => one === name || one.startsWith(`${name}/`) || one === `${name}/`)
  );
  assertEquals(missing, []);
});

Deno.test.each([...TASK_EXAMPLES])("the example of a task is valid: $shows", ({ line }) => {
  completeTask(JSON.parse(line), "example", "t1");
});

Deno.test("svgOf() shows each line at its time, scrolls what does not fit, and escapes", () => {
  const lines = Array.from({ length: 40 }, (_, row) => ({ atMs: row * 100, text: `<${row}>` }));
  const svg = svgOf(lines, { command: "deno task demo", filmMs: 1950 });
  assertEquals(svg.match(/<text class="line/g)?.length, 41);
  // The last of 3.9 s is shown at the end of the film, 11 rows further up.
  assertStringIncludes(svg, 'style="animation-delay:1.95s">&lt;39&gt;</text>');
  assertStringIncludes(svg, "100.00%{transform:translateY(-187px)}");
  assertStringIncludes(svg, '<g class="film" transform="translate(0 -187)">');
});
