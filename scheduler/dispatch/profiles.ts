/**
 * Profiles: named kinds of work, each with the resources that it asks for. The built-in ones and a
 * user's own are in files of one format, `profiles.schema.json`.
 *
 * @module
 */

import { DecodeError, type Field, quote } from "../../trace/schema.ts";
import { type PartialTask, TASK } from "../../trace/task.ts";
import builtIn from "./profiles.json" with { type: "json" };

/** The fields of a task that a profile may set; the others belong to the single task. */
export type ProfileTask = Pick<
  PartialTask,
  | "kind"
  | "scale"
  | "vcodec"
  | "preset"
  | "crf"
  | "vthreads"
  | "fthreads"
  | "argv"
  | "env"
  | "cwd"
  | "timeout_s"
  | "cpu_units"
  | "cpuset"
  | "cpu_quota"
  | "cpu_weight"
>;

type Fields = readonly (keyof ProfileTask)[];

/** Fields that any profile may set. */
const SHARED_FIELDS: Fields = ["timeout_s", "cpu_units", "cpuset", "cpu_quota", "cpu_weight"];

/** Fields that a profile of each kind may set besides. */
const KIND_FIELDS: Readonly<Record<"ffmpeg" | "command", Fields>> = {
  ffmpeg: ["scale", "vcodec", "preset", "crf", "vthreads", "fthreads"],
  command: ["argv", "env", "cwd"],
};

/** A named kind of work. */
export interface Profile {
  /** Name that tasks carry. */
  readonly name: string;
  /** What its tasks have in common. */
  readonly task: ProfileTask;
}

/** Profiles by each name that a mix may use, aliases among them. */
export type Profiles = ReadonlyMap<string, Profile>;

/** A name of a profile must not clash with the signs of a mix. */
const PROFILE_NAME = /^[A-Za-z0-9._-]{1,64}$/;

/** The profiles that every dispatcher knows. */
export const BUILT_IN_PROFILES: Profiles = decodeProfiles(builtIn, "profiles.json");

/**
 * The profiles of a parsed file `{"profiles": {"name": {…}}}`.
 *
 * @param where Name of the file, for the error.
 * @throws {TypeError} naming file, profile and field: an unknown key, a value that a task may not
 * have, a name that is given twice.
 */
export function decodeProfiles(value: unknown, where: string): Profiles {
  const root = object(value, where);
  for (const key of Object.keys(root)) {
    if (key !== "profiles" && key !== "$schema") {
      throw problem(where, `unknown key "${key}", known are profiles, $schema`);
    }
  }
  if (root.$schema !== undefined && typeof root.$schema !== "string") {
    throw problem(where, `key "$schema": a text is required, got ${quote(root.$schema)}`);
  }
  const found = new Map<string, Profile>();
  for (const [name, body] of Object.entries(object(root.profiles, `${where}: key "profiles"`))) {
    const place = `${where}: profile "${name}"`;
    const { aliases = [], ...fields } = object(body, place);
    const profile = { name, task: decodeFields(fields, place) };
    for (const each of [name, ...decodeAliases(aliases, place)]) {
      if (!PROFILE_NAME.test(each)) {
        throw problem(place, `a name like ${PROFILE_NAME.source} is required, got ${quote(each)}`);
      }
      if (found.has(each)) throw problem(place, `the name "${each}" is given twice`);
      found.set(each, profile);
    }
  }
  return found;
}

function decodeFields(fields: Readonly<Record<string, unknown>>, place: string): ProfileTask {
  const kind = fields.kind ?? (fields.argv === undefined ? "ffmpeg" : "command");
  if (kind !== "ffmpeg" && kind !== "command") {
    throw problem(
      place,
      `key "kind": ${TASK.fields.kind.expected} is required, got ${quote(kind)}`,
    );
  }
  const known: Fields = ["kind", ...KIND_FIELDS[kind], ...SHARED_FIELDS];
  for (const [key, value] of Object.entries(fields)) {
    const name = known.find((one) => one === key);
    if (name === undefined) {
      const keys = [...known, "aliases"].join(", ");
      throw problem(place, `unknown key "${key}", known for kind ${kind} are ${keys}`);
    }
    const field: Field<unknown> = TASK.fields[name];
    if (!field.accepts(value)) {
      throw problem(place, `key "${key}": ${field.expected} is required, got ${quote(value)}`);
    }
  }
  const task: ProfileTask = { ...fields, kind };
  if (kind === "command" && (task.argv ?? []).length === 0) {
    throw problem(place, `key "argv": a program is required`);
  }
  return task;
}

function decodeAliases(value: unknown, place: string): string[] {
  if (Array.isArray(value) && value.every((one) => typeof one === "string")) return value;
  throw problem(place, `key "aliases": a list of names is required, got ${quote(value)}`);
}

function object(value: unknown, where: string): Readonly<Record<string, unknown>> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw problem(where, `an object is required, got ${quote(value)}`);
}

function problem(where: string, what: string): DecodeError {
  return new DecodeError(`Cannot read profiles, ${where}: ${what}`);
}
