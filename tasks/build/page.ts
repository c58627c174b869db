/** The program of the report's page: TypeScript of ours and uPlot, bundled into one checked-in file. */

import { join } from "@std/path";
import { programFile } from "../command/own_program.ts";
import { outputOf } from "./bundle.ts";

/** Entry point of the program, relative to the project. */
const ENTRY = "export/report/page/main.ts";

/** Path of its bundle, relative to the project. */
export const PAGE_BUNDLE = "export/report/page/page.bundle.js";

/** Comment at the top of the bundle: whose code it contains, as the licence requires. */
const NOTICE = "/* Made by `deno task report-page` from export/report/page/: do not edit. " +
  "Has uPlot, Copyright (c) 2022 Leon Sorokin, MIT License. */\n";

/** The bundle as it must be now. */
export async function bundlePage(): Promise<string> {
  const folder = await Deno.makeTempDir();
  try {
    const path = join(folder, "page.js");
    const project = join(programFile("compile"), "..", "..");
    const args = ["bundle", "-q", "--platform", "browser", "--minify", "-o", path];
    await outputOf(Deno.execPath(), [...args, join(project, ENTRY)]);
    const text = await Deno.readTextFile(path);
    // The page puts it into a script element, which these letters would end.
    return NOTICE + text.replaceAll("</script", "<\\/script");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
