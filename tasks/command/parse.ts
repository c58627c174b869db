/**
 * The parser of a command line, made from a table of flags.
 *
 * A value comes from the flag, else from a `NAME=value` argument (as make takes variables), else from
 * the environment, else from `run_id.env`, else from the table's default.
 */

import { parseArgs } from "@std/cli/parse-args";
import { quote } from "../../trace/schema.ts";
import { LONGEST_DELAY_MS } from "../../trace/units.ts";
import type { Command, Flag, Flags, OptionsOf } from "./flag_table.ts";
import { UsageError } from "./usage_error.ts";

/** Where values come from besides the arguments. */
export interface Sources {
  /** The environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Content of `run_id.env`, already parsed. */
  readonly runIdEnv: Readonly<Record<string, string>>;
}

/** A parsed command line. */
export interface Parsed<F extends Flags> {
  /** Value of each flag. */
  readonly options: OptionsOf<F>;
  /** Positional arguments, and everything behind `--`. */
  readonly operands: readonly string[];
  /** Flags that were given on the command line or as `NAME=value`, not by environment or default. */
  readonly given: ReadonlySet<string>;
}

/** What the arguments say, before the other sources are asked. */
interface Arguments {
  /** Text of each flag that was given, the last one where it was given twice; switches as 1 or 0. */
  readonly flags: ReadonlyMap<string, string>;
  /** Text of each variable that was given as `NAME=value`. */
  readonly variables: ReadonlyMap<string, string>;
  readonly operands: readonly string[];
}

/** What `args` say of the flags of `command`. */
function walk(command: Command, args: readonly string[]): Arguments {
  const names = Object.keys(command.flags);
  // Operands stay as they were typed: 007 is not the number 7.
  const parsed = parseArgs(unambiguous(command, args), { string: [...names, "_"], "--": true });
  const flags = new Map<string, string>();
  for (const name of names) {
    const text = parsed[name];
    if (typeof text === "string") flags.set(name, text);
  }
  const known = new Set(Object.values(command.flags).map(({ env }) => env));
  const variables = new Map<string, string>();
  const operands: string[] = [];
  for (const operand of parsed._) {
    const [, variable = "", value = ""] = /^([A-Z][A-Z0-9_]*)=(.*)$/s.exec(operand) ?? [];
    if (known.has(variable)) variables.set(variable, value);
    else operands.push(operand);
  }
  return { flags, variables, operands: [...operands, ...parsed["--"]] };
}

/**
 * `args` with each flag and its value in one word, `--name=value`, switches as 1 or 0. In that form
 * parseArgs has nothing left to guess: by itself it takes `--json=0` for true and `--seed -1` for a flag
 * named 1, and does not tell `--name=` from `--name`.
 */
function unambiguous(command: Command, args: readonly string[]): string[] {
  const words: string[] = [];
  for (let at = 0; at < args.length; at++) {
    const argument = args[at] ?? "";
    if (argument === "--") return [...words, ...args.slice(at)];
    if (!argument.startsWith("-") || argument === "-") {
      words.push(argument);
      continue;
    }
    const [, name = "", inline] = /^--([^=]+)(?:=(.*))?$/s.exec(argument) ?? [];
    const negated = name.replace(/^no-/, "");
    if (command.flags[name]?.kind === "boolean") {
      words.push(`--${name}=${inline ?? "1"}`);
    } else if (command.flags[negated]?.kind === "boolean" && inline === undefined) {
      words.push(`--${negated}=0`);
    } else if (command.flags[name] === undefined) {
      const names = Object.keys(command.flags);
      throw new UsageError(`unknown flag ${withoutValue(argument)}${suggestion(argument, names)}`);
    } else {
      // What looks like a flag is not taken for a value: `--run-id --json` has forgotten one.
      const value = inline ?? args[++at];
      if (value === undefined || (inline === undefined && value.startsWith("--"))) {
        throw new UsageError(`--${name} needs a value`);
      }
      words.push(`--${name}=${value}`);
    }
  }
  return words;
}

/**
 * The options of `command` from `args` and `sources`.
 *
 * @throws {UsageError} on an unknown flag or argument, and on a value that the table does not allow.
 */
export function parseCommand<F extends Flags>(
  command: Command<F>,
  args: readonly string[],
  { env, runIdEnv }: Sources,
): Parsed<F> {
  const { flags, variables, operands } = walk(command, args);
  if (command.operands === null && operands[0] !== undefined) {
    throw new UsageError(`unexpected argument ${quote(withoutValue(operands[0]))}`);
  }
  const given = new Set<string>();
  const options: Record<string, unknown> = {};
  for (const [name, flag] of Object.entries(command.flags)) {
    const variable = flag.env ?? "";
    const candidates: readonly [label: string, text: string | undefined][] = [
      [`--${name}`, flags.get(name)],
      [variable, variables.get(variable)],
      [variable, env[variable]],
      [`${variable} in run_id.env`, runIdEnv[variable]],
    ];
    // An empty variable counts as not set, as the shell's ${NAME:-default} has it; an empty flag does not.
    const at = candidates.findIndex(([, text], index) =>
      text !== undefined && (text !== "" || flag.isEmptyGiven || index === 0)
    );
    const [label, text] = candidates[at] ?? [name, undefined];
    if (at === 0 || at === 1) given.add(name);
    options[name] = text === undefined
      ? flag.fallback
      : valueOf(flag, text, { label, max: maxOf(name) });
  }
  return { options: options as OptionsOf<F>, operands, given };
}

/** Largest value of a flag that is a time: beyond it, timers of the platform end at once. */
function maxOf(name: string): number {
  if (name.endsWith("-ms")) return LONGEST_DELAY_MS;
  return name.endsWith("-s") ? Math.floor(LONGEST_DELAY_MS / 1000) : Infinity;
}

function valueOf(
  flag: Flag,
  text: string,
  { label, max }: { readonly label: string; readonly max: number },
): unknown {
  if (flag.kind === "boolean") {
    if (text === "1" || text === "true") return true;
    if (text === "0" || text === "false") return false;
    throw new UsageError(`${label} must be 1 or 0, got ${quote(text)}`);
  }
  if (text === "" && !flag.isEmptyGiven) throw new UsageError(`${label} needs a value`);
  if (flag.kind === "string") {
    if (flag.choices && !flag.choices.includes(text)) {
      const choices = flag.choices.map((one) => one === "" ? '""' : one).join(", ");
      throw new UsageError(`${label} must be one of ${choices}, got ${quote(text)}`);
    }
    return text;
  }
  const parsed = Number(text);
  const isValid = /^[-+.\de]+$/i.test(text) && Number.isFinite(parsed) &&
    (flag.kind === "number" || Number.isSafeInteger(parsed)) &&
    (flag.min === null || parsed >= flag.min) && parsed <= max;
  if (isValid) return parsed;
  const kind = flag.kind === "integer" ? "a whole number" : "a number";
  const bounds = [
    ...(flag.min === null ? [] : [`at least ${flag.min}`]),
    ...(parsed > max ? [`at most ${max}`] : []),
  ];
  const bound = bounds.length === 0 ? "" : ` of ${bounds.join(" and ")}`;
  throw new UsageError(`${label} must be ${kind}${bound}, got ${quote(text)}`);
}

/** `NAME=…` of `NAME=value`: what somebody took for a variable or a flag may be a password. */
function withoutValue(argument: string): string {
  return argument.replace(/=.*$/s, "=…");
}

/** The flag that `argument` was probably meant to be, as the end of an error. */
function suggestion(argument: string, names: readonly string[]): string {
  const wanted = argument.replace(/^--?(no-)?/, "").split("=", 1)[0] ?? "";
  const near = names.find((name) =>
    wanted.length > 2 && (name.startsWith(wanted) || wanted.startsWith(name))
  );
  return near === undefined ? "" : `, did you mean --${near}?`;
}
