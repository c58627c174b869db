/** The executable of the scheduler and of its operator, compiled. */

import { role, runExecutable } from "../standalone.ts";
import { main as cancel } from "../../cancel.ts";
import { main as dead } from "../../dead.ts";
import { main as drain } from "../../drain.ts";
import { main as explain } from "../../explain.ts";
import { CANCEL, DEAD, DRAIN, EXPLAIN, REQUEUE, STATUS } from "../../flags/operator.ts";
import { SCHEDULER } from "../../flags/scheduler.ts";
import { main as requeue } from "../../requeue.ts";
import { main as scheduler } from "../../scheduler.ts";
import { main as status } from "../../status.ts";

if (import.meta.main) {
  await runExecutable({
    "scheduler": role(SCHEDULER, scheduler),
    "status": role(STATUS, status),
    "explain": role(EXPLAIN, explain),
    "drain": role(DRAIN, drain),
    "cancel": role(CANCEL, cancel),
    "requeue": role(REQUEUE, requeue),
    "dead": role(DEAD, dead),
  });
}
