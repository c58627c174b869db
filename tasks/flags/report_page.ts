/** Flags of the bundling of the report's page. */

import { command } from "../command/flag_table.ts";
import { commandNamed } from "../commands.ts";

/** `deno task report-page`. */
export const REPORT_PAGE = command({ ...commandNamed("report-page"), flags: {} });
