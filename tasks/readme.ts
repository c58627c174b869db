/** `deno task readme`: write `docs/reference/`, from the tables that the commands themselves read. */

import { join } from "@std/path";
import { writeFileAtomic } from "../trace/atomic_file.ts";
import { CommandError, type Io, runMain } from "./command/main.ts";
import type { Parsed } from "./command/parse.ts";
import { README } from "./flags/readme.ts";
import { commandsPage, referenceCommands } from "./reference/commands.ts";
import { environmentPage } from "./reference/environment.ts";
import { exitCodesPage } from "./reference/exit_codes.ts";
import type { Page } from "./reference/page.ts";
import { redisKeysPage } from "./reference/redis_keys.ts";
import { recordDemo } from "./reference/record_demo.ts";
import { svgOf } from "./reference/recording.ts";
import { recordsPage, runFilesPage } from "./reference/run_files_page.ts";
import { schemaPages } from "./reference/schemas.ts";
import { tablesPage } from "./reference/tables.ts";
import { tasksFilePage } from "./reference/tasks_file.ts";

const FOLDER = new URL("../docs/reference", import.meta.url).pathname;

const FILM = new URL("../docs/images/demo.svg", import.meta.url).pathname;

/** Length of the film, ms: as long as somebody looks at it. */
const FILM_MS = 20_000;

/** Every page of the reference. */
export async function referencePages(): Promise<Page[]> {
  const commands = await referenceCommands();
  return [
    commandsPage(commands),
    environmentPage(commands),
    exitCodesPage(commands),
    recordsPage(),
    redisKeysPage(),
    runFilesPage(),
    tablesPage(),
    tasksFilePage(),
    ...schemaPages(),
  ];
}

/** Write every page, and with `--record` the film of the demo. */
export async function main(
  { options }: Parsed<typeof README.flags>,
  io: Io,
): Promise<number> {
  if (options.record) {
    const film = svgOf(await recordDemo(), { command: "deno task demo", filmMs: FILM_MS });
    await writeFileAtomic(FILM, film);
    io.say("docs/images/demo.svg: recorded");
  }
  const pages = await referencePages();
  const paths = pages.map(({ name }) => join(FOLDER, name));
  for (const [index, path] of paths.entries()) {
    await writeFileAtomic(path, pages[index]?.markdown ?? "");
  }
  // The formatter aligns the tables.
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--quiet", ...paths],
  }).output();
  if (!success) throw new CommandError(`cannot format ${FOLDER}`);
  io.say(`docs/reference/: ${pages.length} pages`);
  return 0;
}

if (import.meta.main) await runMain(README, main);
