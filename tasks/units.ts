/** Write unit files for systemd. */

import { join, resolve } from "@std/path";
import { writeFileAtomic } from "../trace/atomic_file.ts";
import type { Parsed } from "./command/parse.ts";
import { UsageError } from "./command/usage_error.ts";
import { type Io, runMain } from "./command/main.ts";
import { unitFiles } from "./deploy/unit_files.ts";
import { UNITS } from "./flags/units.ts";

/** `deno task units`. */
export async function main({ options }: Parsed<typeof UNITS.flags>, io: Io): Promise<number> {
  const { dir, user, out } = options;
  if (!/^\/[\w./-]*$/.test(dir)) throw new UsageError("--dir must be an absolute, plain path");
  if (!/^[a-z_][a-z0-9_-]*$/.test(user)) throw new UsageError("--user must be the name of a user");
  const files = unitFiles({
    dir,
    user,
    isTls: options.tls,
    isAdapterPrivileged: options["privileged-adapter"],
  });
  for (const [name, text] of files) {
    if (out === null) io.print(`# ${name}\n${text}`);
    else await writeFileAtomic(join(resolve(out), name), text);
  }
  if (out !== null) io.say(`Wrote ${[...files.keys()].join(", ")} to ${resolve(out)}`);
  return 0;
}

if (import.meta.main) await runMain(UNITS, main);
