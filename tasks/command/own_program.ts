/**
 * How one program of ours starts another, and what it says of its own build: from source, bundled in
 * a portable executable, or compiled.
 */

import { basename, dirname, extname, fromFileUrl, join } from "@std/path";
import { type ExecutableRole, findCommand } from "../commands.ts";

/** Path of the executable that this process was started from; a portable one tells it here. */
const EXECUTABLE = "TRACEKIT_EXECUTABLE";

/** Commit and form of an executable, as its builder wrote them. */
const BUILD = "TRACEKIT_BUILD";

/** Variables that an executable gives its programs: each must be allowed to read them. */
export const PROGRAM_VARIABLES: readonly string[] = [EXECUTABLE, BUILD];

/**
 * What the collector tells V8, in whatever form it is started: to keep its heap small, because readings
 * leave hardly any garbage and a larger heap is filled all the same before it is emptied; and to do
 * without the compiler in the middle (Maglev), whose thread keeps 8 MiB of memory for good. Worst outcome:
 * the first half minute, before the last compiler has come, costs a tenth more; then nothing.
 */
export const COLLECTOR_V8_FLAGS = "--v8-flags=--optimize-for-size,--no-maglev";

/** Commit and form of this build: `1a2b3c4d, portable`; `source` outside an executable. */
export function buildName(): string {
  return variable(BUILD) ?? "source";
}

/** True in a bundle, whose folder has all others. */
const IS_BUNDLE = extname(import.meta.url) === ".js";

/**
 * Arguments of `deno run` for a bundle: it needs nothing from outside, and a configuration that happens to
 * be above its folder is not ours.
 */
export const PROGRAM_ARGUMENTS_OF_BUNDLES: readonly string[] = [
  ...["run", "-q", "--no-config", "--no-lock", "--no-npm", "--no-remote"],
];

/** Arguments of `deno run` for a program of ours in this folder. */
export const PROGRAM_ARGUMENTS: readonly string[] = IS_BUNDLE
  ? PROGRAM_ARGUMENTS_OF_BUNDLES
  : ["run", "-q"];

/** Folder of the programs, from this file: that of all bundles in an executable, tasks/ in source. */
const PROGRAMS = IS_BUNDLE ? "./" : "../";

/** File of a program of ours, by its path below `tasks/` without the ending. */
export function programFile(name: string): string {
  return fromFileUrl(new URL(`${PROGRAMS}${name}${extname(import.meta.url)}`, import.meta.url));
}

/** The launcher's file, as {@linkcode programFile} has it. */
const LAUNCHER = IS_BUNDLE ? "run" : "command/run";

/** The command line that starts `name` as a user does, under its own permissions. */
export function launcherCommand(name: string): string[] {
  return [...programCommand(LAUNCHER, ["-A"]), name];
}

/** What a user types to start `name`: from a checkout a task, else a program. */
export function invocationOf(name: string): string {
  const executable = Deno.build.standalone ? Deno.execPath() : variable(EXECUTABLE);
  if (executable !== undefined) {
    const role = basename(executable).replace("tracekit-", "") as ExecutableRole;
    return `${basename(executable)} ${findCommand(name)?.executables?.[role] ?? name}`;
  }
  return IS_BUNDLE ? `tracekit ${name}` : `deno task ${name}`;
}

/**
 * The command line of a program of ours under these flags of `deno run`; in a compiled executable it is
 * one of its commands, and permissions are baked in.
 */
export function programCommand(name: string, flags: readonly string[]): string[] {
  if (Deno.build.standalone) return [Deno.execPath(), name];
  return [Deno.execPath(), ...PROGRAM_ARGUMENTS, ...flags, programFile(name)];
}

/**
 * The command line of a program that needs every permission: the executable of that name beside this
 * one, or its source file run by this Deno.
 */
export function privilegedCommand(name: string): string[] {
  const executable = Deno.build.standalone ? Deno.execPath() : variable(EXECUTABLE);
  if (executable !== undefined) return [join(dirname(executable), `tracekit-${name}`)];
  return programCommand(name, ["-A"]);
}

function variable(name: string): string | undefined {
  const { state } = Deno.permissions.querySync({ name: "env", variable: name });
  return state === "granted" ? Deno.env.get(name) : undefined;
}
