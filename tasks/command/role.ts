/**
 * A role as data: its flags, the permissions that these need, and the file that runs it.
 */

import type { RunDir } from "../../trace/run_dir.ts";
import { PROGRAM_VARIABLES } from "./own_program.ts";
import type { Command, Flags, OptionsOf } from "./flag_table.ts";

/** Permissions by kind; `true` is all of that kind, missing is none. */
export interface Grant {
  /** Files and folders that may be read. */
  readonly read?: readonly string[] | true;
  /** Files and folders that may be written. */
  readonly write?: readonly string[] | true;
  /** Hosts, with port where one is known. */
  readonly net?: readonly string[] | true;
  /** Programs that may be run. */
  readonly run?: readonly string[] | true;
  /** Environment variables. */
  readonly env?: readonly string[] | true;
  /** System information, by Deno's names. */
  readonly sys?: readonly string[] | true;
}

/** Where a long-running role writes down which process it is. */
export interface RolePlace {
  /** The node's run directory. */
  readonly runDir: RunDir;
  /** RUN_ID. */
  readonly runId: string;
  /** NODE_ID; null for a role of the controller. */
  readonly nodeId: string | null;
  /** True where several processes may have the role at once. Default false: a second is refused. */
  readonly isOneOfMany?: boolean;
}

/** A role that runs under a grant computed from its flags. */
export interface Role {
  /** Its flags. */
  // deno-lint-ignore no-explicit-any -- each role has a table of its own; role() ties it to its grant
  readonly command: Command<any>;
  /** The permissions that these options need. */
  readonly grant: (options: never, operands: readonly string[]) => Grant;
  /** Where a long-running role writes its identity; null for a role that ends by itself. */
  readonly registersIn: ((options: never) => RolePlace | null) | null;
}

/** Declare a role. */
export function role<const F extends Flags>(
  declared: {
    readonly command: Command<F>;
    readonly grant: (options: OptionsOf<F>, operands: readonly string[]) => Grant;
    readonly registersIn?: (options: OptionsOf<F>) => RolePlace | null;
  },
): Role {
  return { ...declared, registersIn: declared.registersIn ?? null } as Role;
}

/** Variables that a program with these flags reads. */
export function variablesOf(flags: Flags): string[] {
  return [...Object.values(flags).flatMap(({ env }) => env ?? []), ...PROGRAM_VARIABLES];
}

/** `grant` with what reading the flags themselves needs: their variables and `run_id.env`. */
export function withSources(grant: Grant, flags: Flags): Grant {
  return {
    ...grant,
    env: grant.env === true ? true : [...new Set([...grant.env ?? [], ...variablesOf(flags)])],
    read: grant.read === true ? true : [...grant.read ?? [], "run_id.env"],
  };
}

/** The flags of `deno run` for `grant`. */
export function grantArguments(grant: Grant): string[] {
  return Object.entries(grant).flatMap(([kind, names]: [string, readonly string[] | true]) => {
    if (names === true) return [`--allow-${kind}`];
    return names.length === 0 ? [] : [`--allow-${kind}=${names.map(escapeComma).join(",")}`];
  });
}

/** A comma separates names in a grant; in a name it is written twice. */
function escapeComma(name: string): string {
  return name.replaceAll(",", ",,");
}
