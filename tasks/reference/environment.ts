/** `docs/reference/environment.md`: every variable that a command reads. */

import type { Command } from "../command/flag_table.ts";
import { REDIS_PASSWORD } from "../flags/groups/redis.ts";
import { code, type Page, page, table } from "./page.ts";

/** Variables that are no flag, and what reads them. */
const WITHOUT_FLAG: readonly (readonly [name: string, readBy: string, meaning: string])[] = [
  [REDIS_PASSWORD, "commands with `--redis`", "Password of Redis. A flag would show it in `ps`."],
  [
    "TRACEKIT_CACHE_DIR",
    "portable executables",
    "Folder to unpack into; it must allow programs to run.",
  ],
  [
    "DENORT_BIN",
    "`compile`",
    "Base runtime for `deno compile`, on a machine that cannot download it.",
  ],
  ["DENO_DIR", "Deno", "Folder of Deno's cache: npm packages and compiled code."],
  [
    "XDG_RUNTIME_DIR, DBUS_SESSION_BUS_ADDRESS",
    "`adapt`, `worker`",
    "Where the user's systemd manager is; passed on to the adapter.",
  ],
  ["CPU_CONTROL", "tests", "`systemd` or `cgroup`: the only kind of CPU control to test."],
];

const INTRODUCTION =
  `A variable can be set in the environment, as \`NAME=value\` after the command, or in
\`run_id.env\` of the current folder. An empty variable counts as not set, except those for which the
empty value has a meaning. Values of \`run_id.env\` are read as sh reads them: comments, quotes and
\`export\` are accepted.`;

/** The page. */
export function environmentPage(commands: readonly Command[]): Page {
  const users = new Map<
    string,
    { readonly meaning: string; readonly flags: Map<string, string[]> }
  >();
  for (const { name: commandName, flags } of commands) {
    for (const [name, flag] of Object.entries(flags)) {
      if (flag.env === null) continue;
      const user = users.get(flag.env) ?? { meaning: flag.help, flags: new Map() };
      users.set(flag.env, user);
      user.flags.set(name, [...user.flags.get(name) ?? [], commandName]);
    }
  }
  const rows = [...users].sort(([a], [b]) => a < b ? -1 : 1).map((
    [variable, { meaning, flags }],
  ) => [
    code(variable),
    [...flags.keys()].map((flag) => code(`--${flag}`)).join(", "),
    [...flags.values()].flat().map(code).join(", "),
    meaning,
  ]);
  return page(
    "environment.md",
    "Environment variables",
    INTRODUCTION,
    table(["variable", "flag", "commands", "meaning"], rows),
    "## Variables without a flag",
    table(
      ["variable", "read by", "meaning"],
      WITHOUT_FLAG.map(([name, readBy, meaning]) => [
        name.split(", ").map(code).join(", "),
        readBy,
        meaning,
      ]),
    ),
  );
}
