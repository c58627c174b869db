/** The collector's executable, compiled. */

import { plain, runExecutable } from "../standalone.ts";
import { main as collector } from "../../collector.ts";
import { COLLECTOR, START_COLLECT, STOP_COLLECT } from "../../flags/collector.ts";
import { STOP } from "../../flags/stop.ts";
import { main as start } from "../../start_collect.ts";
import { main as stopAll } from "../../stop.ts";
import { main as stop } from "../../stop_collect.ts";

if (import.meta.main) {
  await runExecutable({
    "collector": plain(COLLECTOR, collector),
    "start": plain(START_COLLECT, start),
    "stop": plain(STOP_COLLECT, stop),
    "stop-all": plain(STOP, stopAll),
  });
}
