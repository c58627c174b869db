/** `deno task fuzz`: run the fuzz of tests/fuzz/ for longer than the tests do. */

import type { Parsed } from "./command/parse.ts";
import { runMain } from "./command/main.ts";
import { FUZZ } from "./flags/fuzz.ts";

const PROGRAM = new URL("../tests/fuzz/main.ts", import.meta.url);

/** Run the fuzz in a process of its own; its exit code is ours. */
export async function main({ options }: Parsed<typeof FUZZ.flags>): Promise<number> {
  const { minutes, seed, target } = options;
  await using child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "-q", PROGRAM.pathname, String(minutes), String(seed), target ?? ""],
  }).spawn();
  return (await child.status).code;
}

if (import.meta.main) await runMain(FUZZ, main);
