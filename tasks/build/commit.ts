/** Which commit a build is made of. */

import { CommandError, type Io } from "../command/main.ts";
import { outputOf } from "./bundle.ts";

/** The commit that is built; a tree with changes of its own says so. */
export async function commitName(io: Io): Promise<string> {
  try {
    const head = await outputOf("git", ["rev-parse", "--short=12", "HEAD"]);
    const changes = await outputOf("git", ["status", "--porcelain", "--untracked-files=no"]);
    return `${head.trim()}${changes === "" ? "" : " with changes"}`;
  } catch (error) {
    // A copy of the files without git, or of another user: it can be built as well.
    if (!(error instanceof CommandError || error instanceof Deno.errors.NotFound)) throw error;
    io.say(`What is built will not name its commit: ${error.message}`);
    return "unknown";
  }
}
