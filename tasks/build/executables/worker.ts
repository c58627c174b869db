/** The worker's executable, compiled. */

import { role, runExecutable } from "../standalone.ts";
import { WORKER } from "../../flags/worker.ts";
import { main } from "../../worker.ts";

if (import.meta.main) await runExecutable({ "worker": role(WORKER, main) });
