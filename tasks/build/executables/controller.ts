/** The controller's executable, compiled. */

import { plain, runExecutable } from "../standalone.ts";
import { main as controller } from "../../controller.ts";
import { CONTROLLER } from "../../flags/controller.ts";
import { STOP } from "../../flags/stop.ts";
import { main as stop } from "../../stop.ts";

if (import.meta.main) {
  await runExecutable({
    "controller": plain(CONTROLLER, controller),
    "stop-all": plain(STOP, stop),
  });
}
