import { assert, assertEquals, assertMatch } from "@std/assert";
import config from "../../deno.json" with { type: "json" };
import { loadCommand, loadRole } from "../../tasks/command/load.ts";
import {
  type CommandEntry,
  COMMANDS,
  findCommand,
  flagFileOf,
  programOf,
} from "../../tasks/commands.ts";
import { filesBelow } from "../support/module_graph.ts";

const ENTRIES: readonly CommandEntry[] = COMMANDS;

/** The task of `entry` in deno.json. */
function taskOf(entry: CommandEntry): unknown {
  const { name, description, privilege, dependencies } = entry;
  const program = privilege === "all" ? `${programOf(entry)}.ts` : `command/run.ts ${name}`;
  const command = `deno run -A -q tasks/${program}`;
  return { description, command, ...dependencies === undefined ? {} : { dependencies } };
}

Deno.test("the tasks of deno.json are those of the table, in its order", () => {
  const tasks = ENTRIES.filter(({ isTask = true }) => isTask);
  const expected = Object.fromEntries(tasks.map((entry) => [entry.name, taskOf(entry)]));
  assertEquals(JSON.stringify(config.tasks, null, 2), JSON.stringify(expected, null, 2));
});

Deno.test("each command has a program and a flag file of its name, and no other file is there", async () => {
  const programs = ENTRIES.map((entry) => `tasks/${programOf(entry)}.ts`);
  const flagFiles = ENTRIES.map((entry) => `tasks/flags/${flagFileOf(entry)}.ts`);
  const below = async (folder: string) =>
    (await filesBelow(folder, ".ts"))
      .filter((file) => file.split("/").length === folder.split("/").length + 1);
  assertEquals(await below("tasks"), [...programs, "tasks/commands.ts"].sort());
  assertEquals(await below("tasks/flags"), [...new Set(flagFiles)].sort());
});

for (const entry of ENTRIES) {
  Deno.test(`${entry.name} declares its flags under its name`, async () => {
    const command = await loadCommand(entry);
    assertEquals([command.name, command.description], [entry.name, entry.description]);
    if (entry.privilege === "granted") assertEquals((await loadRole(entry)).command, command);
  });
}

Deno.test("no two commands share a name, and each says in one sentence what it does", () => {
  assertEquals(new Set(ENTRIES.map(({ name }) => name)).size, ENTRIES.length);
  for (const { name, description } of ENTRIES) {
    assertMatch(description, /^[A-Z][^\n]*\.$/, name);
    assert(description.length <= 92, `${name}: ${description.length} characters`);
  }
});

Deno.test("findCommand() finds a command by its name, and nothing under another", () => {
  assertEquals(findCommand("status")?.name, "status");
  assertEquals(findCommand("cook"), undefined);
});
