/** The adapter's executable, compiled. */

import { plain, runExecutable } from "../standalone.ts";
import { main as adapt } from "../../adapt.ts";
import { main as adaptHttp } from "../../adapt_http.ts";
import { main as adapter } from "../../adapter.ts";
import { main as doctor } from "../../doctor.ts";
import { ADAPT, ADAPTER } from "../../flags/adapter.ts";
import { ADAPT_HTTP } from "../../flags/adapt_http.ts";
import { DOCTOR } from "../../flags/doctor.ts";

if (import.meta.main) {
  await runExecutable({
    "adapter": plain(ADAPTER, adapter),
    "adapt": plain(ADAPT, adapt),
    "adapt-http": plain(ADAPT_HTTP, adaptHttp),
    "doctor": plain(DOCTOR, doctor),
  });
}
