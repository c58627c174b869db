/** The exporter's executable, compiled. */

import { role, runExecutable } from "../standalone.ts";
import { main as compareOpendc } from "../../compare_opendc.ts";
import { main as exportOpendc } from "../../export_opendc.ts";
import { COMPARE_OPENDC } from "../../flags/compare_opendc.ts";
import { EXPORT_OPENDC } from "../../flags/export_opendc.ts";
import { MERGE } from "../../flags/merge.ts";
import { PARSE } from "../../flags/parse.ts";
import { VERIFY_OPENDC } from "../../flags/verify_opendc.ts";
import { main as merge } from "../../merge.ts";
import { main as parse } from "../../parse.ts";
import { main as verifyOpendc } from "../../verify_opendc.ts";

if (import.meta.main) {
  await runExecutable({
    "parse": role(PARSE, parse),
    "merge": role(MERGE, merge),
    "export-opendc": role(EXPORT_OPENDC, exportOpendc),
    "verify-opendc": role(VERIFY_OPENDC, verifyOpendc),
    "compare-opendc": role(COMPARE_OPENDC, compareOpendc),
  });
}
