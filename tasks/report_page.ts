/** Bundle the program of the report's page. */

import { fromFileUrl } from "@std/path";
import { writeFileAtomic } from "../trace/atomic_file.ts";
import { bundlePage, PAGE_BUNDLE } from "./build/page.ts";
import type { Parsed } from "./command/parse.ts";
import { type Io, runMain } from "./command/main.ts";
import { REPORT_PAGE } from "./flags/report_page.ts";

/** `deno task report-page`. */
export async function main(_: Parsed<typeof REPORT_PAGE.flags>, io: Io): Promise<number> {
  const path = fromFileUrl(new URL(`../${PAGE_BUNDLE}`, import.meta.url));
  await writeFileAtomic(path, await bundlePage());
  io.say(`Wrote ${path}`);
  return 0;
}

if (import.meta.main) await runMain(REPORT_PAGE, main);
