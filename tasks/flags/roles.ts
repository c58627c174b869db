/** Every role that starts under a grant computed from its flags. */

import type { Role } from "../command/role.ts";
import { COMPARE_OPENDC_ROLE } from "./compare_opendc.ts";
import { DISPATCH_ROLE } from "./dispatch.ts";
import { EXPORT_OPENDC_ROLE } from "./export_opendc.ts";
import { MERGE_ROLE } from "./merge.ts";
import { OPERATOR_ROLES } from "./operator.ts";
import { PARSE_ROLE } from "./parse.ts";
import { REPLAY_ROLE } from "./replay.ts";
import { SCHEDULER_ROLE } from "./scheduler.ts";
import { SIMULATE_ROLE } from "./simulate.ts";
import { VERIFY_OPENDC_ROLE } from "./verify_opendc.ts";
import { WORKER_ROLE } from "./worker.ts";

/** The roles, in the order of the data flow. */
export const ROLES: readonly Role[] = [
  DISPATCH_ROLE,
  SCHEDULER_ROLE,
  WORKER_ROLE,
  REPLAY_ROLE,
  PARSE_ROLE,
  MERGE_ROLE,
  EXPORT_OPENDC_ROLE,
  VERIFY_OPENDC_ROLE,
  COMPARE_OPENDC_ROLE,
  SIMULATE_ROLE,
  ...OPERATOR_ROLES,
];
