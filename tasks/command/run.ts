/** The program `tracekit` from a checkout, and the launcher of its tasks: `run.ts COMMAND [flags]`. */

import { launch } from "./launch.ts";
import { loadDeclared } from "./load.ts";

if (import.meta.main) await launch(Deno.args, loadDeclared);
