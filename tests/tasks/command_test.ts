import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import fc from "fast-check";
import { command, integer, number, text, toggle } from "../../tasks/command/flag_table.ts";
import { helpOf } from "../../tasks/command/help.ts";
import { parseCommand, type Sources } from "../../tasks/command/parse.ts";
import { parseEnvFile } from "../../tasks/command/env_file.ts";
import { UsageError } from "../../tasks/command/usage_error.ts";

const COLLECT = command({
  name: "collect",
  description: "Read things.",
  flags: {
    "run-id": text("Identity of the run.", { env: "RUN_ID", placeholder: "ID" }),
    "pid-dir": text("Sentinels.", { env: "PROC_PID_DIR", isEmptyGiven: true }),
    "interval-ms": integer("Interval.", { env: "PROC_INTERVAL_MS", fallback: 200, min: 1 }),
    "ratio": number("Ratio.", { fallback: 1 }),
    "weigher": text("Weigher.", { choices: ["", "instances", "vcpu"], fallback: "" }),
    "refresh": toggle("Look again.", { env: "PROC_REFRESH", fallback: true }),
    "json": toggle("Print JSON."),
  },
});

const RUN = command({
  name: "adapt",
  description: "Run.",
  flags: COLLECT.flags,
  operands: "-- CMD",
});

const NOWHERE: Sources = { env: {}, runIdEnv: {} };

const DEFAULTS = {
  "run-id": null,
  "pid-dir": null,
  "interval-ms": 200,
  "ratio": 1,
  "weigher": "" as const,
  "refresh": true,
  "json": false,
};

Deno.test("parseCommand() gives the defaults for no arguments", () => {
  const { options, operands, given } = parseCommand(COLLECT, [], NOWHERE);
  assertEquals(options, DEFAULTS);
  assertEquals([operands, [...given]], [[], []]);
});

Deno.test("parseCommand() takes flag, NAME=value, environment, run_id.env, default, in this order", () => {
  const from = {
    flag: ["--interval-ms", "1"],
    variable: ["PROC_INTERVAL_MS=2"],
    env: { PROC_INTERVAL_MS: "3" },
    runIdEnv: { PROC_INTERVAL_MS: "4" },
  };
  const all = [...from.variable, ...from.flag];
  const sources = { env: from.env, runIdEnv: from.runIdEnv };
  const value = (args: string[], given: Sources) =>
    parseCommand(COLLECT, args, given).options["interval-ms"];
  assertEquals(value(all, sources), 1);
  assertEquals(value(from.variable, sources), 2);
  assertEquals(value([], sources), 3);
  assertEquals(value([], { ...sources, env: {} }), 4);
  assertEquals(value([], NOWHERE), 200);
});

interface Accepted {
  readonly name: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly options: Readonly<Partial<Record<keyof typeof DEFAULTS, unknown>>>;
}

const ACCEPTED: readonly Accepted[] = [
  { name: "--name=value", args: ["--run-id=a=b"], options: { "run-id": "a=b" } },
  { name: "--name value", args: ["--run-id", "a b"], options: { "run-id": "a b" } },
  { name: "a value with one dash", args: ["--ratio", "-1"], options: { ratio: -1 } },
  {
    name: "a value with two dashes behind =",
    args: ["--run-id=--x"],
    options: { "run-id": "--x" },
  },
  { name: "the last of two", args: ["--run-id=a", "--run-id", "b"], options: { "run-id": "b" } },
  { name: "the last of two variables", args: ["RUN_ID=a", "RUN_ID=b"], options: { "run-id": "b" } },
  {
    name: "a value that looks like a number as text",
    args: ["RUN_ID=007"],
    options: { "run-id": "007" },
  },
  { name: "a switch", args: ["--json"], options: { json: true } },
  { name: "a switch turned off", args: ["--no-refresh"], options: { refresh: false } },
  { name: "--switch=0", args: ["--refresh=0"], options: { refresh: false } },
  { name: "the last of two switches", args: ["--json", "--no-json"], options: { json: false } },
  { name: "a switch by variable", args: ["PROC_REFRESH=0"], options: { refresh: false } },
  {
    name: "a switch by environment",
    args: [],
    env: { PROC_REFRESH: "false" },
    options: { refresh: false },
  },
  {
    name: "a switch that leaves what follows alone",
    args: ["--json", "RUN_ID=a"],
    options: { json: true, "run-id": "a" },
  },
  {
    name: "an empty value where that has a meaning, as variable",
    args: ["PROC_PID_DIR="],
    options: { "pid-dir": "" },
  },
  {
    name: "an empty value where that has a meaning, as flag",
    args: ["--pid-dir="],
    options: { "pid-dir": "" },
  },
  {
    name: "an empty value where that has a meaning, from the environment",
    args: [],
    env: { PROC_PID_DIR: "" },
    options: { "pid-dir": "" },
  },
  {
    name: "an empty variable as not given",
    args: ["RUN_ID="],
    env: { RUN_ID: "env" },
    options: { "run-id": "env" },
  },
  { name: "an empty choice", args: ["--weigher="], options: { weigher: "" } },
  { name: "a number with an exponent", args: ["--ratio=1.5e0"], options: { ratio: 1.5 } },
];

for (const { name, args, env, options } of ACCEPTED) {
  Deno.test(`parseCommand() takes ${name}`, () => {
    const parsed = parseCommand(COLLECT, args, { env: env ?? {}, runIdEnv: {} });
    assertEquals(parsed.options, { ...DEFAULTS, ...options });
  });
}

const REFUSED: readonly [what: string, args: readonly string[], message: string][] = [
  ["an unknown flag", ["--nope"], "unknown flag --nope"],
  ["an unknown flag, without repeating its value", ["--pass=Wsr"], "unknown flag --pass=…"],
  ["a short flag", ["-x"], "unknown flag -x"],
  ["a prefix, and says what was meant", ["--interval=5"], "did you mean --interval-ms?"],
  [
    "no- before a flag with a value",
    ["--no-run-id"],
    "unknown flag --no-run-id, did you mean --run-id?",
  ],
  ["a flag at the end without its value", ["--run-id"], "--run-id needs a value"],
  ["a flag instead of a value", ["--run-id", "--json"], "--run-id needs a value"],
  ["a flag with an empty value", ["--run-id="], "--run-id needs a value"],
  [
    "a fraction for an integer",
    ["--interval-ms=1.5"],
    'must be a whole number of at least 1, got "1.5"',
  ],
  [
    "a number below its bound",
    ["--interval-ms=0"],
    "--interval-ms must be a whole number of at least 1",
  ],
  ["hexadecimal", ["--interval-ms=0x10"], "must be a whole number"],
  ["words for a number", ["--ratio", "NaN"], '--ratio must be a number, got "NaN"'],
  ["Infinity", ["--ratio", "Infinity"], "--ratio must be a number"],
  ["a number beyond doubles", ["--interval-ms=9007199254740993"], "must be a whole number"],
  ["a word for a switch", ["PROC_REFRESH=maybe"], 'PROC_REFRESH must be 1 or 0, got "maybe"'],
  [
    "a word that is no choice",
    ["--weigher", "cpu"],
    '--weigher must be one of "", instances, vcpu, got "cpu"',
  ],
  ["an argument where none is taken", ["stray"], 'unexpected argument "stray"'],
  ["a variable that no flag has", ["RUNID=a"], 'unexpected argument "RUNID=…"'],
  ["arguments behind -- where none are taken", ["--", "x"], 'unexpected argument "x"'],
];

for (const [what, args, message] of REFUSED) {
  Deno.test(`parseCommand() refuses ${what}`, () => {
    assertThrows(() => parseCommand(COLLECT, args, NOWHERE), UsageError, message);
  });
}

Deno.test("parseCommand() names the variable and run_id.env where the bad value came from them", () => {
  const bad = { PROC_INTERVAL_MS: "soon" };
  assertThrows(
    () => parseCommand(COLLECT, [], { env: bad, runIdEnv: {} }),
    UsageError,
    "PROC_INTERVAL_MS must be",
  );
  assertThrows(
    () => parseCommand(COLLECT, [], { env: {}, runIdEnv: bad }),
    UsageError,
    "PROC_INTERVAL_MS in run_id.env must be",
  );
});

Deno.test("parseCommand() hands over what is behind --, and takes no flag from there", () => {
  const args = ["--json", "--", "ffmpeg", "-i", "007", "--no-json", "RUN_ID=x", "--", "--nope"];
  const { options, operands, given } = parseCommand(RUN, args, NOWHERE);
  assertEquals(operands, ["ffmpeg", "-i", "007", "--no-json", "RUN_ID=x", "--", "--nope"]);
  assertEquals(options, { ...DEFAULTS, json: true });
  assertEquals([...given], ["json"]);
});

Deno.test("parseCommand() keeps operands as they were typed", () => {
  assertEquals(parseCommand(RUN, ["007", "1e3", "-", "A=1"], NOWHERE).operands, [
    "007",
    "1e3",
    "-",
    "A=1",
  ]);
});

Deno.test("parseCommand() says which flags were given with the command", () => {
  const sources = { env: { PROC_INTERVAL_MS: "5" }, runIdEnv: { RUN_ID: "a" } };
  const { given } = parseCommand(COLLECT, ["--ratio=2", "PROC_REFRESH=1", "RUN_ID="], sources);
  assertEquals([...given].sort(), ["ratio", "refresh"]);
});

Deno.test("parseCommand() gives back any text that was given to a flag", () => {
  fc.assert(fc.property(fc.string({ unit: "binary", minLength: 1 }), (value) => {
    assertEquals(parseCommand(COLLECT, [`--run-id=${value}`], NOWHERE).options["run-id"], value);
    assertEquals(parseCommand(COLLECT, [`RUN_ID=${value}`], NOWHERE).options["run-id"], value);
  }));
});

Deno.test("parseCommand() gives options or a UsageError, whatever is typed", () => {
  const words = fc.constantFrom(
    "--",
    "-",
    "=",
    "--no-",
    "--run-id",
    "--json",
    "--json=",
    "RUN_ID",
    "1",
  );
  fc.assert(fc.property(fc.array(fc.oneof(words, fc.string())), (args) => {
    try {
      parseCommand(RUN, args, NOWHERE);
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
    }
  }));
});

Deno.test("helpOf() shows each flag with its placeholder, variable and default", () => {
  const help = helpOf(COLLECT);
  assertMatch(help, /^collect: Read things\.\n\nUsage: deno task collect \[flags\]\n/);
  assertMatch(help, /^ {2}--run-id ID +Identity of the run\. \[RUN_ID\]$/m);
  assertMatch(help, /^ {2}--interval-ms N +Interval\. \[PROC_INTERVAL_MS, default 200\]$/m);
  assertMatch(help, /^ {2}--weigher ""\|instances\|vcpu +Weigher\./m);
  assertMatch(help, /^ {2}--json +Print JSON\.$/m);
  assertMatch(helpOf(RUN), /Usage: deno task adapt \[flags\] -- CMD/);
});

Deno.test("parseEnvFile() reads what sh would read", () => {
  const content = [
    "# a comment",
    "RUN_ID=20250901T120000Z",
    "export NODE_ID='cloud 1'",
    'STAGE="cloud # not a comment"',
    "  PROC_INTERVAL_MS=500   # a comment",
    "EMPTY=",
    "not a line",
    "2BAD=1",
    "RUN_ID_2=a=b\r",
  ].join("\n");
  assertEquals(parseEnvFile(content), {
    RUN_ID: "20250901T120000Z",
    NODE_ID: "cloud 1",
    STAGE: "cloud # not a comment",
    PROC_INTERVAL_MS: "500",
    EMPTY: "",
    RUN_ID_2: "a=b",
  });
});
