import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { parseNode } from "../../export/parse.ts";
import { parseCommand } from "../../tasks/command/parse.ts";
import { main } from "../../tasks/export_perfetto.ts";
import { EXPORT_PERFETTO } from "../../tasks/flags/export_perfetto.ts";
import { runCommand } from "../support/command_process.ts";
import { writeQueueRun } from "../support/queue_run.ts";
import { recordingIo } from "../support/recording_io.ts";
import { tempFolder } from "../support/temp_folder.ts";

Deno.test("export-perfetto writes a trace into the run, under its grant", async () => {
  await using root = await tempFolder();
  const run = join(root.path, "logs", "r1");
  await writeQueueRun(run);
  for (const node of ["cloud1", "cloud2"]) await parseNode(join(run, node));
  const { code, stderr } = await runCommand(["run", "export-perfetto", "r1"], { cwd: root.path });
  assertEquals(code, 0, stderr);
  assert((await Deno.stat(join(run, "trace.perfetto"))).size > 1000);
});

Deno.test("export-perfetto refuses what is not a run, and leaves no half of a file", async () => {
  await using root = await tempFolder();
  const exportRun = (...args: string[]) =>
    main(parseCommand(EXPORT_PERFETTO, args, { env: {}, runIdEnv: {} }), recordingIo());
  await assertRejects(
    () => exportRun(join(root.path, "x")),
    Error,
    "a folder of a run is required",
  );
  await assertRejects(() => exportRun(root.path), Error, "Cannot export");
  await assertRejects(() => Promise.try(() => exportRun("a", "b")), Error, "one RUN is required");
  assertEquals(await Array.fromAsync(Deno.readDir(root.path)), []);
});
