/** The stub of a portable executable: which words reach Deno, and which go to the environment. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { EXECUTABLES } from "../../tasks/build/contents.ts";
import { portableFile } from "../../tasks/build/portable.ts";
import { COLLECTOR_V8_FLAGS } from "../../tasks/command/own_program.ts";
import { tempFolder } from "../support/temp_folder.ts";

/** Stands in for Deno: prints what it was started with, a NUL behind each word. */
const STAND_IN = `#!/bin/sh
[ "$1" = --version ] || printf '%s\\0' "\${REDIS_URL-unset}" "$@"
`;

/** An archive without members ends as every archive does: in two blocks of zeros. */
const EMPTY_TAR = new Uint8Array(1024);

async function gzip(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** The executable of `role` with a stand-in for Deno; returns its path. */
async function writeExecutable(folder: string, role: string): Promise<string> {
  const executable = EXECUTABLES.find((one) => one.role === role);
  if (executable === undefined) throw new Error(`there is no role ${role}`);
  const path = join(folder, `tracekit-${role}`);
  const file = portableFile({
    executable,
    version: "0.0.0",
    build: "commit 0, portable",
    hash: role,
    processor: "x86_64",
    deno: await gzip(new TextEncoder().encode(STAND_IN)),
    bundles: await gzip(EMPTY_TAR),
  });
  await Deno.writeFile(path, file, { mode: 0o755 });
  return path;
}

interface Started {
  /** REDIS_URL as Deno has it. */
  readonly url: string;
  /** What is before the program's file. */
  readonly flags: readonly string[];
  /** What is behind the program's file. */
  readonly args: readonly string[];
  readonly stderr: string;
}

async function start(path: string, args: readonly string[]): Promise<Started> {
  const { stdout, stderr } = await new Deno.Command(path, {
    args: [...args],
    clearEnv: true,
    env: { PATH: "/usr/bin:/bin", TRACEKIT_CACHE_DIR: `${path}.cache`, REDIS_URL: "redis://env" },
    stdin: "null",
  }).output();
  const [url = "", ...words] = new TextDecoder().decode(stdout).split("\0").slice(0, -1);
  const program = words.findIndex((word) => word.endsWith(".js"));
  return {
    url,
    flags: words.slice(0, program),
    args: words.slice(program + 1),
    stderr: new TextDecoder().decode(stderr),
  };
}

const URL = "redis://:Wsr123@h:1/0";

const CASES: readonly [given: readonly string[], url: string, left: readonly string[]][] = [
  [["--redis", URL, "--watch"], URL, ["--watch"]],
  [["--watch", `--redis=${URL}`], URL, ["--watch"]],
  [[`REDIS_URL=${URL}`], URL, []],
  [["--redis", URL, "REDIS_URL=redis://b"], URL, []],
  [["REDIS_URL=redis://a", "--redis=redis://b"], "redis://b", []],
  [["--redis"], "redis://env", ["--redis"]],
  [["", "a b", "c\nd", "*", "$HOME"], "redis://env", ["", "a b", "c\nd", "*", "$HOME"]],
];

Deno.test("a portable executable moves the URL of Redis, and so a password, to the environment", async () => {
  await using folder = await tempFolder();
  const path = await writeExecutable(folder.path, "scheduler");
  for (const [given, url, left] of CASES) {
    const started = await start(path, ["status", ...given]);
    assertEquals({ url: started.url, args: started.args }, { url, args: ["status", ...left] });
    const isSecret = url === URL;
    assertEquals(started.stderr !== "", isSecret, started.stderr);
    if (isSecret) assertStringIncludes(started.stderr, "REDIS_PASSWORD or --redis-password-file");
  }
});

Deno.test("a portable executable leaves alone the words of a command that it starts for others", async () => {
  await using folder = await tempFolder();
  const path = await writeExecutable(folder.path, "adapter");
  const words = ["--", "prog", "--redis", URL, `REDIS_URL=${URL}`];
  const { url, args } = await start(path, ["adapt", ...words]);
  assertEquals({ url, args }, { url: "redis://env", args: words });
});

Deno.test("a portable executable tells V8 what its program wants, and others nothing", async () => {
  await using folder = await tempFolder();
  const cases: readonly [string, string[]][] = [["collector", [COLLECTOR_V8_FLAGS]], [
    "worker",
    [],
  ]];
  for (const [role, expected] of cases) {
    const { flags } = await start(await writeExecutable(folder.path, role), []);
    assertEquals(flags.filter((flag) => flag.startsWith("--v8-flags")), expected);
  }
});
