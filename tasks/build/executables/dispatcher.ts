/** The dispatcher's executable, compiled. */

import { role, runExecutable } from "../standalone.ts";
import { main } from "../../dispatch.ts";
import { DISPATCH } from "../../flags/dispatch.ts";

if (import.meta.main) await runExecutable({ "dispatch": role(DISPATCH, main) });
