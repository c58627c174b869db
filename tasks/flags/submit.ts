/** Flags of submit, and the permissions that they need. */

import { dirname, resolve } from "@std/path";
import { command, integer, type OptionsOf, text, toggle } from "../command/flag_table.ts";
import { role } from "../command/role.ts";
import { UsageError } from "../command/usage_error.ts";
import { commandNamed } from "../commands.ts";
import { REDIS_FLAGS, redisGrant } from "./groups/redis.ts";

/** `deno task submit`. */
export const SUBMIT = command({
  ...commandNamed("submit"),
  operands: "-- COMMAND ARG…",
  flags: {
    "cpus": integer("vCPUs that each task reserves.", { fallback: 1, min: 1 }),
    "time": text("Time after which a task is ended: 90s, 10m, 2h.", { placeholder: "DURATION" }),
    "name": text("Name of the profile of these tasks; default: the program.", {
      placeholder: "NAME",
    }),
    "env": text("Variables for the command, as A=1,B=2.", { placeholder: "NAME=VALUE,…" }),
    "count": integer("Submit it so many times.", { min: 1 }),
    "array": text("Once for each number: 1-100, 1-100:2 or 3,7,9.", { placeholder: "RANGE" }),
    "each": text("Once for each line of a file, each file of a glob, or each of a list a,b,c.", {
      placeholder: "FILE|GLOB|LIST",
    }),
    "dispatch-id": text("Prefix of the tasks' ids: given again, it submits no task twice.", {
      placeholder: "ID",
    }),
    "wait": toggle("Wait until all have ended; ends with the worst exit code."),
    "anyway": toggle("Submit also what no live node can fit: it waits for a larger one."),
    "dry-run": toggle("Print the tasks as JSON Lines; needs no Redis."),
    "json": toggle("Print one JSON object instead of the ids."),
    ...REDIS_FLAGS,
  },
  notes: [
    "{} in the command and in --env stands for the item of --each or --array, %{i} for its number.",
    "The program must be one that the workers allow (worker --allow-commands NAME,… or --allow-any).",
    "Example: submit --array 1-10 --cpus 2 --wait -- python3 run.py --seed {}",
  ],
});

/** Options of submit. */
export type SubmitFlags = OptionsOf<typeof SUBMIT.flags>;

/** What `--each` names. */
export type Each =
  | { readonly kind: "file"; readonly text: string }
  | { readonly kind: "list"; readonly text: string }
  | { readonly kind: "glob"; readonly text: string; readonly folder: string };

/**
 * What `--each` names: a glob where it has `*`, `?` or `[`, a list where it has a comma, else a file of
 * lines. A glob has its pattern in the last part of the path.
 *
 * @throws {UsageError} for a pattern in a folder's name.
 */
export function eachOf(text: string): Each {
  if (/[*?[]/.test(text)) {
    const folder = dirname(text);
    if (!/[*?[]/.test(folder)) return { kind: "glob", text, folder };
    throw new UsageError(
      `--each: a pattern in the last part of the path is required, got "${text}"`,
    );
  }
  return text.includes(",") ? { kind: "list", text } : { kind: "file", text };
}

/** Submit as a role. */
export const SUBMIT_ROLE = role({
  command: SUBMIT,
  grant: (options) => {
    const each = options.each === null ? null : eachOf(options.each);
    const read = each === null || each.kind === "list"
      ? []
      : [resolve(each.kind === "glob" ? each.folder : each.text)];
    if (options["dry-run"]) return { read };
    const redis = redisGrant(options);
    return { ...redis, read: [...redis.read, ...read] };
  },
});
