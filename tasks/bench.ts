/** `deno task bench NAME`: run one of the measuring programs of tests/bench/. */

import type { Parsed } from "./command/parse.ts";
import { CommandError, type Io, runMain } from "./command/main.ts";
import { BENCH } from "./flags/bench.ts";

const FOLDER = new URL("../tests/bench/", import.meta.url);
const ENDING = "_bench.ts";

/** Run the bench that the first operand names; its exit code is ours. */
export async function main({ operands }: Parsed<typeof BENCH.flags>, io: Io): Promise<number> {
  const names = (await Array.fromAsync(Deno.readDir(FOLDER), ({ name }) => name))
    .filter((name) => name.endsWith(ENDING)).map((name) => name.slice(0, -ENDING.length)).sort();
  const [name, ...args] = operands;
  if (name === undefined) {
    names.forEach(io.print);
    return 0;
  }
  if (!names.includes(name)) {
    throw new CommandError(`there is no bench ${name}: choose one of ${names.join(", ")}`);
  }
  await using child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "-q", new URL(`${name}${ENDING}`, FOLDER).pathname, ...args],
  }).spawn();
  return (await child.status).code;
}

if (import.meta.main) await runMain(BENCH, main);
