/** Imports that must never exist, as data. */

import type { Import } from "./module_graph.ts";

/** The Deno standard library, as republished on npm. */
export const STANDARD_LIBRARY = "npm:deno-std";

const ROLES = ["collector", "adapter", "scheduler", "export"];

/** Where each library of others may be imported; all the rest goes through these files. */
const LIBRARIES: Readonly<Record<string, RegExp>> = {
  [STANDARD_LIBRARY]: /^trace\/std\//,
  "npm:redis": /^scheduler\/queue\/\w+\.ts$/,
  "npm:apache-arrow": /^export\/(parquet|parquet_stream|tables\/parquet)\.ts$/,
  "npm:parquet-wasm": /^export\/(parquet|parquet_stream|tables\/parquet)\.ts$/,
  "npm:hyparquet": /^(export\/parquet_reader\.ts$|tests\/)/,
  "npm:hyparquet-compressors": /^(export\/parquet_reader\.ts$|tests\/)/,
  "npm:simple-statistics": /^(tasks\/demo\/report|export\/(compare|summary)\/statistics)\.ts$/,
  "npm:@observablehq/plot": /^export\/report\/plot\.ts$/,
  "npm:pbf": /^export\/perfetto\/packets\.ts$/,
  "npm:protobufjs": /^tests\//,
  "npm:linkedom": /^export\/report\/plot\.ts$/,
  "npm:uplot": /^export\/report\/page\/series\.ts$/,
  "npm:playwright-core": /^tests\//,
  "npm:@duckdb/node-api": /^(tasks\/sql\/database\.ts$|tests\/)/,
  "npm:ajv": /^export\/check\/validator\.ts$/,
  "npm:fast-check": /^tests\//,
  "npm:yaml": /^tests\//,
};

/** One rule. */
export interface ImportRule {
  /** What it says. */
  readonly name: string;
  /** True for an import that breaks it. */
  readonly forbids: (one: Import) => boolean;
}

function folderOf(file: string): string {
  return file.includes("/") ? file.split("/", 1)[0] ?? "" : file;
}

/** The rules. */
export const IMPORT_RULES: readonly ImportRule[] = [
  {
    name: "trace/ imports nothing of ours but trace/",
    forbids: ({ from, to }) =>
      folderOf(from) === "trace" && !isForeign(to) && folderOf(to) !== "trace",
  },
  {
    name: "a role never imports another role",
    forbids: ({ from, to }) =>
      ROLES.includes(folderOf(from)) && ROLES.includes(folderOf(to)) &&
      folderOf(from) !== folderOf(to),
  },
  {
    name: "the library never imports tasks/, tests/ or mod.ts",
    forbids: ({ from, to }) =>
      [...ROLES, "trace", "mod.ts"].includes(folderOf(from)) &&
      ["tasks", "tests", "mod.ts"].includes(folderOf(to)),
  },
  {
    name: "tasks/ never imports tests/ or mod.ts",
    forbids: ({ from, to }) =>
      folderOf(from) === "tasks" && ["tests", "mod.ts"].includes(folderOf(to)),
  },
  {
    // In a bundle each file takes itself for the main one: a command in another's bundle would run.
    name: "a command never loads another command",
    forbids: ({ from, to, isTypeOnly }) =>
      !isTypeOnly && from.startsWith("tasks/") && from !== to && isCommand(to),
  },
  {
    // It finds flag files by their names, and a bundle has none.
    name: "only what works on a checkout loads flag files by name",
    forbids: ({ from, to }) =>
      to === "tasks/command/load.ts" &&
      !/^tests\/|^tasks\/(command\/run\.ts$|build\/|reference\/)/.test(from),
  },
  {
    name: "a library of others is imported only by the file that wraps it",
    forbids: ({ from, to }) => to.startsWith("npm:") && !(LIBRARIES[to]?.test(from) ?? false),
  },
  {
    name: "nothing is imported from the web",
    forbids: ({ to }) => /^(https?|jsr|data|blob):/.test(to),
  },
  {
    name: "arguments, environment and exit are not reached through node:process",
    forbids: ({ from, to }) =>
      to === "node:process" && !["tasks", "tests"].includes(folderOf(from)),
  },
];

/** True for the file of a command, which starts it when it is the main one. */
function isCommand(file: string): boolean {
  return /^tasks\/\w+\.ts$/.test(file) && file !== "tasks/commands.ts";
}

function isForeign(to: string): boolean {
  return /^[a-z]+:/.test(to);
}

/** Everything that `files` load at run time, themselves among it. */
export function loadedBy(files: readonly string[], imports: readonly Import[]): Set<string> {
  const targets = new Map<string, string[]>();
  for (const { from, to, isTypeOnly } of imports) {
    if (!isTypeOnly) targets.set(from, [...targets.get(from) ?? [], to]);
  }
  const loaded = new Set<string>();
  const open = [...files];
  for (let file = open.pop(); file !== undefined; file = open.pop()) {
    if (loaded.has(file)) continue;
    loaded.add(file);
    open.push(...targets.get(file) ?? []);
  }
  return loaded;
}

/**
 * Files that import each other in a circle, types included; at least one circle of each knot, named by its
 * files in the order of imports.
 */
export function circlesOf(imports: readonly Import[]): string[] {
  const targets = Map.groupBy(imports, ({ from }) => from);
  const circles = new Set<string>();
  const done = new Set<string>();
  const path: string[] = [];
  function walk(file: string): void {
    const at = path.indexOf(file);
    if (at >= 0) circles.add(path.slice(at).join(" → "));
    if (at >= 0 || done.has(file)) return;
    path.push(file);
    for (const { to } of targets.get(file) ?? []) walk(to);
    path.pop();
    done.add(file);
  }
  for (const file of targets.keys()) walk(file);
  return [...circles];
}
