/**
 * A demo that is ended in the middle leaves no process and no half-written output behind, and what it
 * recorded stays.
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { atOnce } from "../support/at_once.ts";
import { processesNaming } from "../support/processes.ts";
import { waitFor } from "../support/wait_for.ts";
import { boundCommand } from "../support/bound_command.ts";

const DEMO = fromFileUrl(new URL("../../tasks/demo.ts", import.meta.url));

/** A way to end a demo while its first task runs, and what it then says. */
interface Ending {
  readonly how: string;
  readonly end: (demo: Deno.ChildProcess, folder: string) => Promise<void> | void;
  readonly says: string | null;
}

const ENDINGS: readonly Ending[] = [
  { how: "Ctrl-C", end: (demo) => demo.kill("SIGINT"), says: "interrupted" },
  { how: "SIGKILL", end: (demo) => demo.kill("SIGKILL"), says: null },
  {
    how: "the death of its scheduler",
    end: (_, folder) => killOnly("tasks/scheduler.ts", folder),
    says: "scheduler ended unexpectedly (SIGKILL)",
  },
  {
    how: "the death of its worker",
    end: (_, folder) => killOnly("tasks/worker.ts", folder),
    says: "worker of cloud1 ended unexpectedly (SIGKILL)",
  },
];

/** Kill the one process of a demo that runs `program`. */
async function killOnly(program: string, folder: string): Promise<void> {
  const found = (await processesNaming(folder)).filter((one) => one.includes(program));
  assertEquals(found.length, 1, found.join("\n"));
  Deno.kill(parseInt(found[0] ?? ""), "SIGKILL");
}

async function endDemo({ end, says }: Ending): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "tracekit-demo-" });
  try {
    const demo = boundCommand(Deno.execPath(), {
      args: ["run", "-A", "-q", DEMO, "--mix=hevc1080p=1", "--total=2", "--nodes=1"],
      cwd: folder,
      env: { INIT_CWD: folder, TMPDIR: folder },
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    const stderr = new Response(demo.stderr).text();
    await waitFor({
      what: "a task runs",
      read: () => processesNaming(folder),
      until: (found) => found.some((one) => / ffmpeg .*-c:v libx265/.test(one)),
    });
    await end(demo, folder);
    const { code } = await demo.status;
    if (says !== null) {
      const tasks = (await processesNaming(folder)).filter((one) => one.includes(" ffmpeg "));
      assertEquals(tasks, [], "no task outlives a demo that could end them");
      assertStringIncludes(await stderr, says);
      assertEquals(code, 1);
    } else await stderr;
    await waitFor({
      what: "no process is left",
      read: () => processesNaming(folder),
      until: (found) => found.length === 0,
    });
    const [run] = await Array.fromAsync(Deno.readDir(join(folder, "logs")));
    const events = join(folder, "logs", run?.name ?? "", "cloud1", "events.ffmpeg.jsonl");
    assertStringIncludes(await Deno.readTextFile(events), '"event":"launch"');
    const outputs = await Array.fromAsync(Deno.readDir(join(folder, "outputs", run?.name ?? "")));
    assert(outputs.every(({ name }) => name.endsWith(".mp4") && !name.startsWith(".")));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("a demo that is ended leaves nothing behind", async (t) => {
  const steps = ENDINGS.map((one) => [`ended by ${one.how}`, () => endDemo(one)]);
  await atOnce(t, Object.fromEntries(steps));
});
