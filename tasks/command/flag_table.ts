/**
 * A command and its flags as one table: from it come the parser, `--help`, the typed options and the
 * reference.
 */

/** One flag. */
export interface Flag<T = unknown> {
  /** Kind of value. */
  readonly kind: "string" | "integer" | "number" | "boolean";
  /** Environment variable (and make variable) that gives it; null: none. */
  readonly env: string | null;
  /** Value when nothing gives one; null: not set. */
  readonly fallback: T;
  /** Valid words; null: any. */
  readonly choices: readonly string[] | null;
  /** Smallest valid number; null: no bound. */
  readonly min: number | null;
  /** What stands for the value in the help: `DIR`, `MS`. */
  readonly placeholder: string;
  /** One sentence for the help. */
  readonly help: string;
  /** True where an empty value counts as given: `PROC_PID_DIR=`. */
  readonly isEmptyGiven: boolean;
}

interface FlagOptions {
  readonly env?: string;
  readonly placeholder?: string;
  readonly isEmptyGiven?: boolean;
}

interface StringOptions<C extends string> extends FlagOptions {
  readonly choices?: readonly C[];
}

interface NumberOptions extends FlagOptions {
  readonly min?: number;
}

/** A flag that takes a text; without a `fallback` it is null when not given. */
export function text<const C extends string = string>(
  help: string,
  options: StringOptions<C> & { readonly fallback: NoInfer<C> },
): Flag<C>;
export function text<const C extends string = string>(
  help: string,
  options?: StringOptions<C>,
): Flag<C | null>;
export function text(
  help: string,
  options: StringOptions<string> & { readonly fallback?: string } = {},
): Flag<string | null> {
  return {
    kind: "string",
    env: options.env ?? null,
    fallback: options.fallback ?? null,
    choices: options.choices ?? null,
    min: null,
    placeholder: options.placeholder ?? options.choices?.map((one) => one || '""').join("|") ??
      "TEXT",
    help,
    isEmptyGiven: options.isEmptyGiven ?? options.choices?.includes("") ?? false,
  };
}

function numeric(
  kind: "integer" | "number",
  help: string,
  options: NumberOptions & { readonly fallback?: number },
): Flag<number | null> {
  return {
    kind,
    env: options.env ?? null,
    fallback: options.fallback ?? null,
    choices: null,
    min: options.min ?? null,
    placeholder: options.placeholder ?? "N",
    help,
    isEmptyGiven: false,
  };
}

/** A flag that takes a whole number; without a `fallback` it is null when not given. */
export function integer(
  help: string,
  options: NumberOptions & { readonly fallback: number },
): Flag<number>;
export function integer(help: string, options?: NumberOptions): Flag<number | null>;
export function integer(
  help: string,
  options: NumberOptions & { readonly fallback?: number } = {},
): Flag<number | null> {
  return numeric("integer", help, options);
}

/** A flag that takes a number; without a `fallback` it is null when not given. */
export function number(
  help: string,
  options: NumberOptions & { readonly fallback: number },
): Flag<number>;
export function number(help: string, options?: NumberOptions): Flag<number | null>;
export function number(
  help: string,
  options: NumberOptions & { readonly fallback?: number } = {},
): Flag<number | null> {
  return numeric("number", help, options);
}

/** A switch: `--name`, `--no-name`, `NAME=1`, `NAME=0`. */
export function toggle(
  help: string,
  options: FlagOptions & { readonly fallback?: boolean } = {},
): Flag<boolean> {
  return {
    kind: "boolean",
    env: options.env ?? null,
    fallback: options.fallback ?? false,
    choices: null,
    min: null,
    placeholder: "",
    help,
    isEmptyGiven: false,
  };
}

/** Flags by name, in kebab-case. */
export type Flags = Readonly<Record<string, Flag>>;

/** The options that a table of flags gives, by flag name. */
export type OptionsOf<F extends Flags> = {
  readonly [K in keyof F]: F[K] extends Flag<infer T> ? T : never;
};

/** A command: what it is called, what it does and what it takes. */
export interface Command<F extends Flags = Flags> {
  /** Name of its `deno task`. */
  readonly name: string;
  /** What it does, one sentence. */
  readonly description: string;
  /** Its flags. */
  readonly flags: F;
  /** What the positional arguments are called in the help; null: it takes none. */
  readonly operands: string | null;
  /** More for the help: examples, versions, limits. */
  readonly notes: readonly string[];
}

/** Declare a command. */
export function command<const F extends Flags>(
  declared: {
    readonly name: string;
    readonly description: string;
    readonly flags: F;
    readonly operands?: string;
    readonly notes?: readonly string[];
  },
): Command<F> {
  return { operands: null, notes: [], ...declared };
}
