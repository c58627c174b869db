// The part of @std/cli/parse-args that this project uses; its npm form ships without declarations.

export interface ParseOptions {
  readonly string?: readonly string[];
  readonly "--"?: boolean;
}

/** What was given, by flag name; `_` holds the operands, `--` what is behind the double dash. */
export interface Args {
  readonly [flag: string]: unknown;
  readonly _: readonly string[];
  readonly "--": readonly string[];
}

export function parseArgs(args: readonly string[], options?: ParseOptions): Args;
