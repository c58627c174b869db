import { assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";
import { runCommand } from "../support/command_process.ts";
import { writeLargeRawRun } from "../support/large_raw_run.ts";
import { CAN_MOUNT, tinyFilesystem } from "../support/tiny_filesystem.ts";

Deno.test({
  name: "parse on a full disk says so in one line, and leaves the last parsed run",
  ignore: !CAN_MOUNT,
  async fn(): Promise<void> {
    await using disk = await tinyFilesystem({ bytes: 1 << 20 });
    const logs = join(disk.path, "logs");
    const run = join(logs, "r1");
    await writeLargeRawRun({ folder: run, samples: 4000, concurrency: 10 });
    await Deno.mkdir(join(run, "CTS"));
    await Deno.writeTextFile(join(run, "CTS", "proc_metrics.jsonl"), "of the last parse\n");
    const { code, stderr } = await runCommand(["run", "parse", "RUN_ID=r1", `--logs=${logs}`]);
    assertEquals(code, 1);
    assertMatch(stderr, /Cannot parse ".*r1": Cannot write ".*": No space left on device/);
    assertEquals(stderr.trimEnd().split("\n").length, 1);
    const names = await Array.fromAsync(Deno.readDir(join(run, "CTS")), ({ name }) => name);
    assertEquals(names, ["proc_metrics.jsonl"]);
    const text = await Deno.readTextFile(join(run, "CTS", "proc_metrics.jsonl"));
    assertEquals(text, "of the last parse\n");
  },
});
