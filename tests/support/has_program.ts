/** Which programs this machine has: a test that needs another one is left out. */

import { findProgram } from "../../tasks/machine/packages.ts";
import { has } from "./left_out.ts";

/** True when all of `programs` are in PATH, or where Debian keeps what only root runs. */
export async function hasPrograms(...programs: readonly string[]): Promise<boolean> {
  const path = `${Deno.env.get("PATH")}:/usr/sbin:/sbin`;
  const found = await Promise.all(programs.map((program) => findProgram(program, path)));
  return has({ [programs.join(", ")]: !found.includes(null) });
}
