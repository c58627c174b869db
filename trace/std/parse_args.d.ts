// The part of @std/cli/parse-args that this project uses; its npm form ships without declarations.

export interface ParseOptions {
  readonly boolean?: readonly string[];
  readonly string?: readonly string[];
  readonly negatable?: readonly string[];
  readonly stopEarly?: boolean;
  readonly "--"?: boolean;
  readonly unknown?: (argument: string, key?: string, value?: unknown) => unknown;
}

/** What was given, by flag name; `_` holds the positional arguments. */
export interface Args {
  readonly [flag: string]: unknown;
  readonly _: readonly (string | number)[];
  readonly "--"?: readonly string[];
}

export function parseArgs(args: readonly string[], options?: ParseOptions): Args;
